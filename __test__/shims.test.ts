import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { fieldsOf } from '../ts/cli/schema.js';
import { NnunetError } from '../ts/index.js';
import { parse, UsageError } from '../ts/shims/argparse.js';
import { SHIMS, shimNamed } from '../ts/shims/list.js';
import { shimMain, translate } from '../ts/shims/run.js';
import type { Shim } from '../ts/shims/table.js';
import { packageRoot } from '../ts/version.js';
import { cli, halves, noise, workspace, writeNifti } from './made-up.js';
import { shimSections } from './shim-tables.js';

const PLANS = 'nnUNetPlansv2.1';

/** The table of a command. */
function table(name: string): Shim {
  const found = shimNamed(name);
  if (found === undefined) throw new Error(`no command ${name}`);
  return found;
}

/** Splits a command line at blanks. */
const words = (line: string): string[] => line.split(' ').filter((word) => word !== '');

/** Verbs and options of a command line of nnU-Net v1. */
function steps(line: string): [string, object][] {
  const [name = '', ...argv] = words(line);
  const plan = translate(table(name), argv);
  return plan === 'help' ? [] : plan.steps.map(({ verb, options }) => [verb, options]);
}

/** Code and message of the error of a command line. */
function refusal(line: string): string {
  try {
    return `no error: ${JSON.stringify(steps(line))}`;
  } catch (error) {
    if (error instanceof NnunetError) return `${error.code}: ${error.message}`;
    return error instanceof UsageError ? `usage: ${error.message}` : `other: ${error}`;
  }
}

/** Runs a command in this process. */
const run = (line: string) => {
  const [name = '', ...argv] = words(line);
  return cli(argv, (given, io) => shimMain(name, given, io));
};

test('nnUNet_train: positions and flags become options of train', (t) => {
  const base = { configuration: '3d_fullres', task: '501', fold: 0, trainer: 'nnUNetTrainerV2' };
  t.deepEqual(steps('nnUNet_train 3d_fullres nnUNetTrainerV2 501 0'), [['train', base]]);
  const flags = `-c --fp32 -p ${PLANS} --use_compressed_data --deterministic --disable_postprocessing_on_folds`;
  t.deepEqual(steps(`nnUNet_train ${flags} 2d nnUNetTrainerV2Sparse Task502_X all`), [
    [
      'train',
      {
        ...{ configuration: '2d', task: 'Task502_X', fold: 'all', trainer: 'nnUNetTrainerV2Sparse' },
        ...{
          continue: true,
          precision: 'float32',
          unpack: false,
          deterministic: true,
          postprocessing: false,
        },
      },
    ],
  ]);
  // The verb names the model of this stage after v1's trainer.
  t.deepEqual(steps('nnUNet_train 3d_cascade_fullres nnUNetTrainerV2CascadeFullRes 501 3'), [
    ['train', { ...base, configuration: '3d_cascade_fullres', fold: 3 }],
  ]);
});

test.serial('nnU-Net v1’s variables for processes set threads', (t) => {
  withEnv(t, { nnUNet_n_proc_DA: '6', nnUNet_def_n_proc: '3' });
  t.like(steps('nnUNet_train 2d nnUNetTrainerV2 501 0')[0]?.[1], { loaderThreads: 6 });
  t.like(steps('nnUNet_convert_decathlon_task -i Task04_X')[0]?.[1], { workers: 3 });
  t.like(steps('nnUNet_convert_decathlon_task -i Task04_X -p 2')[0]?.[1], { workers: 2 });
  withEnv(t, { nnUNet_n_proc_DA: 'many' });
  t.is(
    refusal('nnUNet_train 2d nnUNetTrainerV2 501 0'),
    "usage: the variable nnUNet_n_proc_DA: expected a whole number, got 'many'",
  );
});

test('nnUNet_train --trainer_kwargs: class weights and weights of the loss, with backslashes as in job scripts', (t) => {
  const trainer = 'nnUNetTrainer_V2_Loss_CEandDice_Weighted';
  const line = `nnUNet_train 3d_fullres ${trainer} 501 0 --trainer_kwargs`;
  const [, options] =
    steps(`${line} {\\"class_weights\\":[0,2.5],\\"weight_dc\\":0.3,\\"weight_ce\\":0.7}`)[0] ?? [];
  t.like(options, {
    ...{ trainer, classWeights: [0, 2.5] },
    recipe: { loss: { dice: 0.3, crossEntropy: 0.7 } },
  });
  t.regex(refusal(`${line} {"ce_kwargs":{}}`), /^ERR_SHIM: .*--trainer_kwargs with ce_kwargs/);
  t.regex(refusal(`${line} [1]`), /^usage: .*expected a JSON object, got \[1\]/);
  t.regex(
    refusal('nnUNet_train 2d nnUNetTrainerV2 501 0 --trainer_kwargs {"class_weights":[1,2]}'),
    /^ERR_SHIM: .*--trainer_kwargs with class_weights/,
  );
});

test('nnUNet_plan_and_preprocess: one run a task; planners, processes and checks', (t) => {
  const name = 'nnUNet_plan_and_preprocess';
  t.deepEqual(steps(`${name} -t 501 502`), [
    ['preprocess', { task: '501' }],
    ['preprocess', { task: '502' }],
  ]);
  t.deepEqual(steps(`${name} --task_ids 4 --verify_dataset_integrity -no_pp -tl 3 -tf 2`), [
    ['check', { task: '4', workers: 3 }],
    ['plan', { task: '4', workers: 3 }],
  ]);
  t.deepEqual(steps(`${name} -t 4 -pl3d None -pl2d ExperimentPlanner2D_v21`), [
    ['preprocess', { task: '4', configurations: ['2d'] }],
  ]);
  t.deepEqual(steps(`${name} -t 4 -pl2d None -no_pp`), [
    ['plan', { task: '4', configurations: ['3d_fullres'] }],
  ]);
  t.regex(
    refusal(`${name} -t 4 -pl3d ExperimentPlanner3D_v21_16GB`),
    /^ERR_SHIM: .*planner ExperimentPlanner3D_v21_16GB/,
  );
  t.regex(refusal(`${name} -t 4 -pl3d None -pl2d None`), /^usage: /);
  t.is(refusal(`${name} -t 4 x`), "usage: argument -t/--task_ids: invalid int value: 'x'");
  t.is(refusal(name), 'usage: the following arguments are required: -t/--task_ids');
});

test('nnUNet_plan_and_preprocess -pl2d None: every planned 3D configuration is preprocessed', (t) => {
  const plan = translate(table('nnUNet_plan_and_preprocess'), words('-t 4 -pl2d None -tf 2'));
  const [step] = plan === 'help' ? [] : plan.steps;
  t.like(step, { verb: 'plan', options: { task: '4', workers: 2, configurations: ['3d_fullres'] } });
  const planned = ['3d_lowres', '3d_fullres'].map((configuration) => ({ configuration }));
  t.deepEqual(step?.next?.({ configurations: planned }) as unknown, [
    { verb: 'preprocess', options: { task: '4', workers: 2, configurations: ['3d_lowres', '3d_fullres'] } },
  ]);
});

test('nnUNet_convert_decathlon_task and nnUNet_evaluate_folder: v1’s names, and its NaN', (t) => {
  const name = 'nnUNet_convert_decathlon_task';
  t.deepEqual(steps(`${name} -i /data/Task04_Hippocampus/`), [
    ['convert', { source: '/data/Task04_Hippocampus/', overwrite: true }],
  ]);
  t.deepEqual(steps(`${name} -i Task04_Hippo_x -p 3 -output_task_id 42`), [
    ['convert', { source: 'Task04_Hippo_x', overwrite: true, task: 'Task042_Hippo_x', workers: 3 }],
  ]);
  t.deepEqual(steps('nnUNet_evaluate_folder -ref a -pred b -l 1 2'), [
    [
      'evaluate',
      { referenceDir: 'a', predictionDir: 'b', labels: [1, 2], bareNan: true, absentLabels: true },
    ],
  ]);
});

test('DIAG’s weightmap command: its flags, and every option of weightmaps', (t) => {
  const name = 'nnUNet_diag_generate_unet_weightmaps';
  t.deepEqual(steps(`${name} dir --sig 3 --w0=5 -c 1 2`), [
    ['weightmaps', { folder: 'dir', sigma: 3, w0: 5, classes: [1, 2] }],
  ]);
  // Without a class other than 0, dataset.json lists them.
  t.deepEqual(steps(`${name} dir -c`), [['weightmaps', { folder: 'dir' }]]);
  t.deepEqual(steps(`${name} dir -c 0`), [['weightmaps', { folder: 'dir' }]]);
  const covered = table(name).args.flatMap(({ here }) => ('option' in here ? [String(here.option)] : []));
  t.deepEqual(
    [...new Set(covered)].sort(),
    fieldsOf('weightmaps')
      .map((field) => field.name)
      .sort(),
  );
});

test.serial('nnUNet_predict: the model is found by task, configuration, trainer and plans', async (t) => {
  const { root } = await workspace(t);
  withEnv(t, { RESULTS_FOLDER: join(root, 'results') });
  const tasks = join(root, 'results', 'nnUNet', '3d_fullres');
  const model = join(tasks, 'Task501_X', `nnUNetTrainerV2__${PLANS}`);
  for (const fold of ['fold_0', 'fold_3', 'all']) await mkdir(join(model, fold), { recursive: true });
  const base = { input: 'in', output: 'out', model };
  t.deepEqual(steps('nnUNet_predict -i in -o out -t 501'), [['predict', { ...base, folds: [0, 3] }]]);
  t.deepEqual(steps('nnUNet_predict -i in -o out -t Task501_X -f all'), [
    ['predict', { ...base, folds: ['all'] }],
  ]);
  const flags = '-f 0 3 -z --disable_tta --overwrite_existing --step_size 0.75 -chk model_best';
  const none = `-tr nnUNetTrainerV2 -ctr nnUNetTrainerV2CascadeFullRes -m 3d_fullres -p ${PLANS} -l None`;
  const same = '--num_parts 1 --part_id 0 --num_threads_preprocessing 1 --num_threads_nifti_save 1';
  t.deepEqual(steps(`nnUNet_predict -i in -o out -t 501 ${flags} ${none} ${same} --mode normal`), [
    [
      'predict',
      {
        ...{ ...base, folds: [0, 3], saveSoftmax: true, mirroring: false, overwrite: true },
        ...{ stepSize: 0.75, checkpoint: 'model_best' },
      },
    ],
  ]);
  t.like(steps('nnUNet_predict -i in -o out -t 501 --part_id 2 --num_parts 3')[0]?.[1], { shard: '3/3' });
  for (const parts of ['--part_id 3 --num_parts 3', '--part_id -1', '--num_parts 0', '--part_id 1'])
    t.throws(() => steps(`nnUNet_predict -i in -o out -t 501 ${parts}`), {
      message: /--(part_id|num_parts): /,
    });
  withEnv(t, { DIAG_NNUNET_ALT_RESAMPLING: '1' });
  t.like(steps('nnUNet_predict -i in -o out -t 501')[0]?.[1], { export: 'alt' });
  withEnv(t, { DIAG_NNUNET_ALT_RESAMPLING: '0' });
  t.deepEqual(steps('nnUNet_predict -i in -o out -t 501 -f 0'), [['predict', { ...base, folds: [0] }]]);

  const models = join(root, 'results', 'nnUNet');
  for (const name of ['3d_lowres', '3d_cascade_fullres']) {
    await mkdir(join(models, name, 'Task501_X'), { recursive: true });
  }
  const second = join(models, '3d_cascade_fullres', 'Task501_X', `nnUNetTrainerV2CascadeFullRes__${PLANS}`);
  const lowresModel = join(models, '3d_lowres', 'Task501_X', `nnUNetTrainerV2__${PLANS}`);
  t.deepEqual(steps('nnUNet_predict -i in -o out -t 501 -m 3d_cascade_fullres'), [
    ['predict', { input: 'in', output: 'out', model: second, lowresModel }],
  ]);
  t.deepEqual(steps('nnUNet_predict -i in -o out -t 501 -m 3d_cascade_fullres -l segmentations -f 0'), [
    [
      'predict',
      { input: 'in', output: 'out', model: second, lowresSegmentations: 'segmentations', folds: [0] },
    ],
  ]);

  t.regex(refusal('nnUNet_predict -i in -o out -t 502'), /^ERR_NOT_FOUND: no model of Task502_\* in /);
  await mkdir(join(tasks, 'Task501_Y'));
  t.regex(
    refusal('nnUNet_predict -i in -o out -t 501'),
    /^ERR_TASK_AMBIGUOUS: .*Task501_X, Task501_Y; pass the name/,
  );
  t.regex(refusal('nnUNet_predict -i in -o out -t x'), /^usage: argument -t\/--task_name: .*'x'/);
  t.regex(refusal('nnUNet_predict -i in -o out -t Task501_X -f 0 all'), /^usage: argument -f\/--folds/);
  withEnv(t, { RESULTS_FOLDER: undefined });
  t.regex(refusal('nnUNet_predict -i in -o out -t 501'), /^ERR_FOLDER_UNSET: .*RESULTS_FOLDER/);
});

/** Sets environment variables until the end of the test. */
function withEnv(t: ExecutionContext, values: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    const before = process.env[name];
    const set = (text: string | undefined) => {
      if (text === undefined) delete process.env[name];
      else process.env[name] = text;
    };
    set(value);
    t.teardown(() => set(before));
  }
}

test.serial('nnUNet_ensemble and nnUNet_determine_postprocessing: v1’s flags and folders', async (t) => {
  const { root } = await workspace(t);
  t.deepEqual(steps('nnUNet_ensemble -f a b -o c'), [['ensemble', { folders: ['a', 'b'], output: 'c' }]]);
  t.deepEqual(steps('nnUNet_ensemble -f a b -o c -pp p.json --npz -t 3'), [
    ['ensemble', { folders: ['a', 'b'], output: 'c', rules: 'p.json', saveSoftmax: true, workers: 3 }],
  ]);
  withEnv(t, { RESULTS_FOLDER: join(root, 'results') });
  const models = join(root, 'results', 'nnUNet');
  await mkdir(join(models, '2d', 'Task501_X'), { recursive: true });
  const folds = [0, 1, 2, 3, 4];
  t.deepEqual(steps('nnUNet_determine_postprocessing -m 2d -t 501'), [
    ['consolidateFolds', { model: join(models, '2d', 'Task501_X', `nnUNetTrainerV2__${PLANS}`), folds }],
  ]);
  const cascade = join(models, '3d_cascade_fullres', 'Task7_Y', 'nnUNetTrainerV2CascadeFullRes__p');
  t.deepEqual(steps('nnUNet_determine_postprocessing -m 3d_cascade_fullres -t Task7_Y -pl p -val val'), [
    ['consolidateFolds', { model: cascade, folds, validation: 'val' }],
  ]);
  const best = { strict: true, task: 'Task501_X' };
  t.deepEqual(steps('nnUNet_find_best_configuration -t 501 -tr T -m 2d 3d_fullres'), [
    ['findBestConfiguration', { ...best, trainer: 'T', configurations: ['2d', '3d_fullres'] }],
  ]);
  t.deepEqual(
    steps('nnUNet_find_best_configuration -t 501 -f 0 1 --disable_ensembling --disable_postprocessing'),
    [['findBestConfiguration', { ...best, folds: [0, 1], ensembling: false, postprocessing: false }]],
  );
  t.regex(refusal('nnUNet_find_best_configuration -t 501 --other'), /unrecognized arguments: --other/);
  t.regex(refusal('nnUNet_determine_postprocessing -m 2d -t x'), /^usage: argument -t: expected a number/);
});

test.serial('nnUNet_export_model_to_zip and nnUNet_install_…: v1’s flags and folders', async (t) => {
  const { root } = await workspace(t);
  withEnv(t, { RESULTS_FOLDER: join(root, 'results') });
  const at = (configuration: string, trainer: string) =>
    join(root, 'results', 'nnUNet', configuration, 'Task501_X', trainer);
  const models = [at('2d', `nnUNetTrainerV2__${PLANS}`), at('3d_lowres', `nnUNetTrainerV2__${PLANS}`)];
  for (const model of models) await mkdir(model, { recursive: true });
  const usual = { output: 'm.zip', overwrite: true, folds: [0, 1, 2, 3, 4], strict: true };
  t.deepEqual(steps('nnUNet_export_model_to_zip -t 501 -o m.zip -m 2d 3d_lowres'), [
    ['exportModel', { ...usual, models }],
  ]);
  const all = ['2d', '3d_lowres', '3d_fullres'].map((name) => at(name, 'T__p'));
  t.deepEqual(steps('nnUNet_export_model_to_zip -t Task501_X -o m.zip -tr T -trc C -pl p -f 0 all'), [
    ['exportModel', { ...usual, models: [...all, at('3d_cascade_fullres', 'C__p')], folds: [0, 'all'] }],
  ]);
  t.deepEqual(steps('nnUNet_export_model_to_zip -t 501 -o m.zip --disable_strict'), [
    ['exportModel', { ...usual, models, strict: false }],
  ]);
  t.regex(
    refusal('nnUNet_export_model_to_zip -t Task502_Y -o m.zip --disable_strict'),
    /^ERR_NOT_FOUND: .*2d.Task502_Y/,
  );
  t.deepEqual(steps('nnUNet_install_pretrained_model_from_zip m.zip'), [
    ['installModel', { zip: 'm.zip', overwrite: true }],
  ]);
});

test('every flag without a counterpart is ERR_SHIM with its name, its meaning and what to do', async (t) => {
  const start: Record<string, string> = {
    nnUNet_train: '3d_fullres nnUNetTrainerV2 501 0',
    nnUNet_predict: '-i in -o out -t 501',
    nnUNet_plan_and_preprocess: '-t 501',
  };
  let refused = 0;
  for (const { name, args } of SHIMS) {
    for (const { names, values, type, here, meaning } of args) {
      if (!('refused' in here)) continue;
      refused += 1;
      const flag = `${names.at(-1)}${values === 0 ? '' : type === 'int' ? ' 7' : ' other'}`;
      const { code, err } = await run(`${name} ${start[name]} ${flag}`);
      t.is(code, 1, flag);
      t.true(err.includes(`ERR_SHIM: ${name}: nnunet-diag has no counterpart of ${names[0]}`), err);
      t.true(err.includes(meaning) && err.includes(here.refused), err);
      for (const accepted of here.unless ?? []) {
        t.notRegex(
          refusal(`${name} ${start[name]} ${names[0]} ${accepted}`),
          new RegExp(`counterpart of ${names[0]}`),
        );
      }
    }
  }
  t.true(refused > 5);
  t.regex(
    refusal('nnUNet_train 3d_fullres nnUNetTrainerV2Sprase 501 0'),
    /^ERR_SHIM: .*trainer nnUNetTrainerV2Sprase .*; did you mean nnUNetTrainerV2Sparse\?$/,
  );
});

test('commands whose verb does not exist say so, after their arguments are checked', async (t) => {
  const lines: Record<string, string> = {
    nnUNet_change_trainer_class: '-i model -tr nnUNetTrainerV2',
  };
  const missing = SHIMS.filter(({ verb }) => typeof verb !== 'string').map(({ name }) => name);
  t.deepEqual(Object.keys(lines), missing);
  for (const [name, line] of Object.entries(lines)) {
    const { code, err } = await run(`${name} ${line}`);
    t.is(code, 1);
    t.regex(err, new RegExp(`ERR_SHIM: ${name}: nnunet-diag has no counterpart of this command`));
    t.is((await run(`${name} ${line} --nonsense`)).code, 2);
  }
});

test('bad usage is argparse’s message with exit code 2; a bad value of an option names v1’s flag', async (t) => {
  const bad = await run('nnUNet_train 3d_fullres nnUNetTrainerV2 501 0 --determinstic');
  t.is(bad.code, 2);
  t.regex(
    bad.err,
    /^usage: nnUNet_train .*\nnnUNet_train: error: unrecognized arguments: --determinstic; did you mean --deterministic\?\n$/s,
  );
  const choice = await run('nnUNet_train 4d nnUNetTrainerV2 501 0');
  t.is(choice.code, 2);
  t.regex(
    choice.err,
    /argument network: expected one of 2d, 3d_lowres, 3d_fullres, 3d_cascade_fullres, got '4d'/,
  );
  const fold = await run('nnUNet_train 2d nnUNetTrainerV2 501 first');
  t.is(fold.code, 2);
  t.is(fold.err, 'error: fold: expected a fold number or all, got "first"\n');
  const json = await run('nnUNet_diag_generate_unet_weightmaps --json');
  t.like(JSON.parse(json.out), { type: 'failed', error: { code: 'ERR_OPTIONS' } });
});

test('arguments are read as argparse reads them', (t) => {
  const args = [
    { names: ['task'], values: 1 },
    { names: ['-c', '--continue'], values: 0 },
    { names: ['-z'], values: 0 },
    { names: ['-val', '--validation_only'], values: 0 },
    { names: ['--val_folder'], values: 1 },
    { names: ['-f', '--folds'], values: '+' },
    { names: ['-n'], values: 1, type: 'float' },
  ] as const;
  const read = (line: string) => {
    try {
      const given = parse(args, words(line));
      return given === 'help' ? given : Object.fromEntries(given);
    } catch (error) {
      return (error as Error).message;
    }
  };
  // Checked against Python's argparse.
  const expected: [string, unknown][] = [
    ['501 -c', { task: '501', '-c': true }],
    ['--cont 501', { task: '501', '-c': true }],
    ['501 -cz', { task: '501', '-c': true, '-z': true }],
    ['501 -f0', { task: '501', '-f': ['0'] }],
    ['501 -f 0 1 -n -3', { task: '501', '-f': ['0', '1'], '-n': -3 }],
    ['501 --folds=0 --val_f=x', { task: '501', '-f': ['0'], '--val_folder': 'x' }],
    ['501 -n 1_0.5', { task: '501', '-n': 10.5 }],
    ['501 -n 1 -n 2', { task: '501', '-n': 2 }],
    ['-f 0 -- 501', { '-f': ['0'], task: '501' }],
    ['-- -c', { task: '-c' }],
    ['501 -h -f', 'help'],
    ['501 --val', 'ambiguous option: --val could match --validation_only, --val_folder'],
    ['501 -n', 'argument -n: expected one argument'],
    ['501 -f -c', 'argument -f/--folds: expected at least one argument'],
    ['501 -n 0x1', "argument -n: invalid float value: '0x1'"],
    ['501 -cx', "argument -c/--continue: ignored explicit argument 'x'"],
    ['501 502', 'unrecognized arguments: 502'],
    ['-c', 'the following arguments are required: task'],
  ];
  for (const [line, result] of expected) t.deepEqual(read(line), result, line);
});

test('the help of every command lists v1’s flags and what they are here', async (t) => {
  for (const { name, args } of SHIMS) {
    const { code, out } = await run(`${name} --help`);
    t.is(code, 0);
    for (const { names, meaning } of args) {
      t.true(out.replaceAll(/\s+/g, ' ').includes(meaning.replaceAll(/\s+/g, ' ')), `${name} ${names[0]}`);
    }
    t.true(
      out.split('\n').every((line) => line.length <= 100),
      name,
    );
  }
});

test('the page for users of nnU-Net has the tables of the commands', async (t) => {
  const page = await readFile(join(packageRoot, 'docs', 'how-to', 'from-nnunet.md'), 'utf8');
  for (const section of shimSections()) t.true(page.includes(section), `write this section:\n${section}`);
});

test('shims install writes executables, keeps files of other programs, and says whether the folder is in PATH', async (t) => {
  const { root } = await workspace(t);
  const folder = join(root, "it's a folder");
  const first = await cli(['shims', 'install', folder]);
  t.is(first.code, 0, first.err);
  t.regex(first.out, /^12 commands written to .*; the folder is not in PATH; add it: export PATH=/);
  const names = (await readdir(folder)).sort();
  t.deepEqual(
    names.map((name) => name.replace(/\.cmd$/, '')),
    SHIMS.map(({ name }) => name).sort(),
  );
  if (process.platform !== 'win32') t.is((await stat(join(folder, 'nnUNet_train'))).mode & 0o777, 0o755);
  t.is((await cli(['shims', 'install', folder])).code, 0);

  const other = join(folder, names[0] ?? '');
  await writeFile(other, '#!/usr/bin/python\n');
  const refused = await cli(['shims', 'install', folder]);
  t.is(refused.code, 1);
  t.regex(refused.err, /ERR_SHIM: .*already has commands of another program: .*--overwrite/);
  t.is(await readFile(other, 'utf8'), '#!/usr/bin/python\n');
  t.is((await cli(['shims', 'install', folder, '--overwrite'])).code, 0);
  t.regex(await readFile(other, 'utf8'), /nnunet-diag shims install/);

  await writeFile(join(root, 'file'), '');
  const unwritable = await cli(['shims', 'install', join(root, 'file')]);
  t.regex(unwritable.err, /ERR_STORAGE_IO: .*file/);
  const list = await cli(['shims', 'list']);
  t.regex(list.out, /nnUNet_train +train\n/);
  t.regex(list.out, /nnUNet_change_trainer_class +no verb yet: /);
});

const onUnix = process.platform === 'win32' ? test.skip : test;

onUnix('a job script of nnU-Net v1 runs unchanged, from the Decathlon’s data to summary.json', async (t) => {
  const { root, folders } = await workspace(t);
  const bin = join(root, 'my commands');
  t.is((await cli(['shims', 'install', bin])).code, 0);
  const source = join(root, 'Task04_Tiny');
  await decathlon(source);
  const env = {
    ...process.env,
    PATH: [bin, process.env.PATH].join(delimiter),
    nnUNet_raw_data_base: folders.rawDataBase,
    nnUNet_preprocessed: folders.preprocessed,
    RESULTS_FOLDER: folders.results,
  };
  const shell = (script: string) => spawnSync('sh', ['-ec', script], { cwd: root, env, encoding: 'utf8' });

  const prepared = shell(`
    nnUNet_convert_decathlon_task -i "${source}" -p 2
    nnUNet_plan_and_preprocess -t 4 -pl2d None -tl 2 -tf 2 --verify_dataset_integrity
  `);
  t.is(prepared.status, 0, prepared.stderr);
  const preprocessed = join(folders.preprocessed, 'Task004_Tiny');
  t.true(existsSync(join(preprocessed, `${PLANS}_plans_3D.pkl`)));
  t.false(existsSync(join(preprocessed, `${PLANS}_plans_2D.pkl`)));

  const train = ['3d_fullres', 'nnUNetTrainerV2', '4', '0', '--fp32'];
  const stopped = await interrupted(join(bin, 'nnUNet_train'), train, env);
  t.is(stopped.code, 130, stopped.err);
  t.regex(stopped.err, /stopped: epoch \d+ of 1000 saved in .*; to continue, run the same command with -c\n/);
  const model = join(folders.results, 'nnUNet', '3d_fullres', 'Task004_Tiny', `nnUNetTrainerV2__${PLANS}`);
  t.true(existsSync(join(model, 'fold_0', 'model_latest.model')));

  const raw = join(folders.rawDataBase, 'nnUNet_raw_data', 'Task004_Tiny');
  const segmented = shell(`
    nnUNet_predict -i "${raw}/imagesTr" -o "out put" -t 4 -m 3d_fullres -chk model_latest --disable_tta --step_size 1
    nnUNet_evaluate_folder -ref "${raw}/labelsTr" -pred "out put" -l 1
  `);
  t.is(segmented.status, 0, segmented.stderr);
  const summary = await readFile(join(root, 'out put', 'summary.json'), 'utf8');
  const { results } = JSON.parse(summary.replaceAll(/\bNaN\b/g, 'null')) as { results: { all: unknown[] } };
  t.is(results.all.length, 5);

  const missing = shell('nnUNet_change_trainer_class -i m; echo not reached');
  t.is(missing.status, 1);
  t.is(missing.stdout, '');
  t.is(shell('nnUNet_train 3d_fullres nnUNetTrainerV2 4 0 --epochs 1').status, 2);
});

/** Five cases of a task of the Medical Decathlon. */
async function decathlon(folder: string): Promise<void> {
  const shape = [16, 16, 16] as const;
  const names = ['a', 'b', 'c', 'd', 'e'].map((letter) => `tiny_${letter}`);
  for (const name of names) {
    await writeNifti(join(folder, 'imagesTr', `${name}.nii`), shape, noise);
    await writeNifti(join(folder, 'labelsTr', `${name}.nii`), shape, halves(shape));
  }
  const training = names.map((n) => ({ image: `./imagesTr/${n}.nii`, label: `./labelsTr/${n}.nii` }));
  const labels = { 0: 'background', 1: 'organ' };
  const dataset = { name: 'Tiny', tensorImageSize: '3D', modality: { 0: 'MRI' }, labels, training, test: [] };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(dataset));
}

/**
 * Runs a training and interrupts it at its first line about an iteration, which a log gets after 30 seconds.
 */
function interrupted(
  program: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let err = '';
    let asked = false;
    child.stderr.on('data', (text) => {
      err += text;
      if (!asked && /iteration \d+\/250/.test(err)) asked = child.kill('SIGINT');
    });
    child.on('error', reject);
    child.on('exit', (code) => resolve({ code, err }));
  });
}
