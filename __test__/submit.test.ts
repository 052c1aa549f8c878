/** Scripts of `--engine slurm`, without Slurm. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Command } from 'commander';
import { addFlags, collect } from '../ts/cli/flags.js';
import { ROWS } from '../ts/cli/rows.js';
import { fieldsOf } from '../ts/cli/schema.js';
import { planAndPreprocess, submit } from '../ts/index.js';
import { argvOf } from '../ts/slurm/argv.js';
import { isSubmittable, SUBMITTABLE } from '../ts/slurm/jobs-of.js';
import { shellWord } from '../ts/slurm/quote.js';
import { secondsOf, slurmTime, stopAfter, warningOf } from '../ts/slurm/time.js';
import { cli, type Shape, workspace, writeTask } from './made-up.js';

const ODD = [
  'plain',
  'two words',
  "it's",
  '"quoted"',
  '$HOME `id` \\n',
  '*',
  '',
  '-dash',
  'é\nline',
  '--',
  '~',
];

test('words of any text reach a program unchanged through a shell', (t) => {
  const script = `printf '%s\\0' ${ODD.map(shellWord).join(' ')}`;
  t.is(
    spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout,
    ODD.map((text) => `${text}\0`).join(''),
  );
});

test('the command line of options is read as the same options', (t) => {
  const cases = {
    train: [
      { task: "5'01 x", configuration: '3d_fullres', patchSize: [16, 16, 16], fold: 'all', mirroring: false },
      {
        task: '501',
        configuration: '2d',
        recipe: { ignoreLabel: -1 },
        classWeights: [1, 0.5],
        npz: true,
        unpack: false,
      },
    ],
    predict: [
      { input: 'a b', output: '-o', model: 'm', folds: [0, 3, 'all'], memory: '8G', postprocessing: false },
    ],
    evaluate: [
      { referenceDir: 'r', predictionDir: 'p', labels: [1, [2, 3]], ignoreLabel: -1, metrics: ['surface'] },
    ],
    ensemble: [{ folders: ['a b', 'c'], output: 'o', saveSoftmax: true }],
    weightmaps: [{ folder: 'f', classes: [-1, 2], sigma: 1.5, matchingPattern: '*.npz', shard: '1/2' }],
    preprocess: [
      { task: '501', configurations: ['2d', '3d_lowres'], spacing: [1, 0.5, 2], keepCropped: false },
    ],
  } as const;
  for (const verb of SUBMITTABLE) {
    for (const options of cases[verb]) {
      const known = fieldsOf(verb).map(({ name }) => name);
      const given = Object.fromEntries(Object.entries(options).filter(([name]) => known.includes(name)));
      const positional = ROWS.find((row) => row.name === verb)?.positional ?? [];
      const flags = { fields: fieldsOf(verb), positional, short: {} };
      let found: unknown;
      const command = new Command().exitOverride().action((...args: unknown[]) => {
        found = collect(
          flags,
          args.slice(0, positional.length),
          args[positional.length] as object as Record<string, unknown>,
        );
      });
      addFlags(command, flags);
      command.parse(argvOf(verb, given), { from: 'user' });
      t.deepEqual(found, given, verb);
    }
  }
});

test('times become those of Slurm, and a training stops before Slurm has to tell it', (t) => {
  t.is(slurmTime(secondsOf('1d12h')), '1-12:00:00');
  t.is(slurmTime(secondsOf('90m')), '0-01:30:00');
  t.is(slurmTime(61), '0-00:01:01');
  for (const time of ['5s', '1m', '5m', '10m', '1h', '24h']) {
    const seconds = secondsOf(time);
    const stop = secondsOf(stopAfter(seconds));
    t.true(stop >= 1 && stop + warningOf(seconds) <= seconds, time);
    t.true(stop >= seconds / 2, time);
  }
});

test('--dry-run shows the scripts of all folds and writes nothing', async (t) => {
  const { root } = await workspace(t);
  const jobs = join(root, 'jobs');
  const flags = ['--engine', 'slurm', '--dry-run', '--jobs-folder', jobs, '--time', '24h', '--gres', 'gpu:1'];
  const resources = [
    '--partition',
    'gpu',
    '--at-once',
    '2',
    '--cpus',
    '8',
    '--mem',
    '32G',
    '--sbatch=--nice=5',
  ];
  const train = ['train', '501', '-c', '3d_fullres', '--folds', '0-4', '--npz', '--no-config'];
  const { code, out, err } = await cli([...train, ...flags, ...resources]);
  t.is(code, 0, err);
  for (const line of [
    ...['--array=0,1,2,3,4%2', '--time=1-00:00:00', '--gres=gpu:1', '--partition=gpu', '--cpus-per-task=8'],
    ...['--mem=32G', '--nice=5', '--requeue', '--signal=B:USR1@120', '--open-mode=append'],
  ]) {
    t.true(out.includes(`\n#SBATCH ${line}\n`), line);
  }
  t.regex(
    out,
    / train 501 --configuration 3d_fullres --continue --stop-after 86220s --npz .*--fold "\$task"/,
  );
  t.false(existsSync(jobs));
});

test('preprocessing by parts is cropping, planning and preprocessing', async (t) => {
  const result = await submit(
    'preprocess',
    { task: '501', configurations: ['2d'], patchSize: [64, 64], overwrite: true },
    { shards: 4, dryRun: true },
  );
  if (result.kind !== 'dryRun') return t.fail();
  t.deepEqual(
    result.scripts.map(({ name }) => name),
    ['1-crop', '2-plan', '3-preprocess'],
  );
  const [crop, plan, preprocess] = result.scripts.map(({ script }) => script);
  t.regex(crop ?? '', /#SBATCH --array=1,2,3,4\n[\s\S]* plan 501 [^\n]*--shard "\$task\/4"/);
  t.regex(plan ?? '', /#SBATCH --array=1\n[\s\S]* plan 501 [^\n]*--patch-size 64 64/);
  t.notRegex(plan ?? '', /--overwrite|--shard/);
  t.regex(preprocess ?? '', / preprocess 501 [^\n]*--overwrite [^\n]*--shard "\$task\/4"/);
  t.notRegex(preprocess ?? '', /--patch-size/);
});

test('evaluation by parts is an array and its summary, and ensembles are an array', async (t) => {
  const options = { referenceDir: 'r', predictionDir: 'p', labels: [1] };
  const result = await submit('evaluate', options, { shards: 3, dryRun: true });
  if (result.kind !== 'dryRun') return t.fail();
  t.deepEqual(
    result.scripts.map(({ name }) => name),
    ['1-evaluate', '2-merge'],
  );
  const [parts, merge] = result.scripts.map(({ script }) => script);
  t.regex(parts ?? '', /#SBATCH --array=1,2,3\n[\s\S]* evaluate r p --labels 1 [^\n]*--shard "\$task\/3"/);
  t.regex(merge ?? '', /#SBATCH --array=1\n[\s\S]* evaluate r p --labels 1 --merge-shards 3 /);
  const ensemble = await submit(
    'ensemble',
    { folders: ['a', 'b'], output: 'o' },
    { shards: 2, dryRun: true },
  );
  if (ensemble.kind !== 'dryRun') return t.fail();
  t.regex(ensemble.scripts[0]?.script ?? '', / ensemble a b --output o [^\n]*--shard "\$task\/2"/);
  const error = await t.throwsAsync(submit('evaluate', { ...options, mergeShards: 2 }, { shards: 2 }));
  t.regex(error?.message ?? '', /expected no number of parts with Slurm/);
});

test('without --mem, a task asks for the estimated memory, and the script says how it came about', async (t) => {
  const { folders } = await workspace(t);
  const shape: Shape = [20, 30, 40];
  await writeTask(folders.rawDataBase, 'Task701_Small', { a: shape, b: shape, c: shape });
  const options = { task: '701', configurations: ['3d_fullres' as const], ...folders };
  const scriptOf = async (slurm: Parameters<typeof submit>[2]) => {
    const result = await submit('preprocess', options, { dryRun: true, ...slurm });
    return result.kind === 'dryRun' ? (result.scripts[0]?.script ?? '') : '';
  };
  const script = await scriptOf({ cpus: 2 });
  t.regex(
    script,
    /\n# Memory in MiB: cases \d+ \+ program \d+ \+ a tenth \(2 of 3 cases at once, from headers, before planning\)\n#SBATCH --mem=256M\n/,
  );
  // sbatch reads no line after the first command.
  t.true(script.indexOf('--mem=') < script.indexOf('\ntask='));
  t.regex(await scriptOf({ mem: '7G' }), /\n#SBATCH --mem=7G\n/);
  for (const slurm of [{ mem: 'default' }, { sbatch: ['--mem-per-cpu=2G'] }, { sbatch: ['--exclusive'] }]) {
    t.notRegex(await scriptOf(slurm), /--mem=|Memory/);
  }
  const unplanned = { task: '701', configuration: '3d_fullres' as const, ...folders };
  const early = await submit('train', unplanned, { dryRun: true });
  if (early.kind !== 'dryRun') return t.fail();
  const text = early.scripts[0]?.script ?? '';
  t.regex(
    text,
    /\n# Memory: that of the cluster, because there is no estimate: .*plans_3D\.pkl does not exist.*\n/,
  );
  t.notRegex(text, /--mem/);
  const wrong = await t.throwsAsync(
    submit('preprocess', options, { mem: 'much' } as Parameters<typeof submit>[2]),
  );
  t.regex(wrong?.message ?? '', /memory in Slurm's form, such as 32G or 500M, or default/);
});

test('wrong flags and options are refused with exit code 2', async (t) => {
  const train = ['train', '501', '-c', '2d', '--no-config'];
  const refused: [string[], RegExp][] = [
    [[...train, '--partition', 'gpu'], /--partition: expected --engine slurm as well/],
    [[...train, '--engine', 'slurm', '--time', '24'], /--time: expected a time such as 23h/],
    [
      [...train, '--engine', 'slurm', '--shards', '0'],
      /--shards: expected a whole number of at least 1, got 0/,
    ],
    [
      [...train, '--engine', 'slurm', '--shards', '2'],
      /--shards: expected 1, got 2: train has one task a fold/,
    ],
    [[...train, '--engine', 'slurm', '--overwrite'], /--overwrite: expected false with Slurm/],
    [[...train, '--engine', 'slurm', '--folds', '0', 'all'], /--folds: expected numbers with Slurm/],
    [[...train, '--engine', 'slurm', '--epochs', '0'], /--epochs: expected a whole number of at least 1/],
    [['weightmaps', 'x', '--engine', 'slurm', '--shard', '1/2', '--no-config'], /--shard: expected no part/],
    [['check', '501', '--engine', 'slurm'], /unknown option '--engine'/],
  ];
  for (const [argv, words] of refused) {
    const { code, err } = await cli(argv);
    t.is(code, 2, argv.join(' '));
    t.regex(err, words);
  }
});

test('a verb has no option of the name of a flag of Slurm', (t) => {
  const slurm = new Set(fieldsOf('slurm').map(({ name }) => name));
  slurm.delete('workers');
  for (const { name } of ROWS.filter((row) => isSubmittable(row.name))) {
    t.deepEqual(
      fieldsOf(name).filter((field) => slurm.has(field.name)),
      [],
      name,
    );
  }
});

test('without Slurm the commands of jobs say what is missing', async (t) => {
  const { root } = await workspace(t);
  t.regex((await cli(['jobs', 'show', root])).err, /ERR_NOT_FOUND: .* has no jobs/);
  await writeFile(join(root, 'submission.json'), '{"verb":1}');
  t.regex(
    (await cli(['jobs', 'show', root])).err,
    /ERR_SLURM: .*submission\.json is no record of a submission/,
  );
});

test.serial('a script runs without Slurm, also where paths have quotes and spaces', async (t) => {
  const { root, folders } = await workspace(t);
  const shape: Shape = [12, 12, 12];
  await writeTask(folders.rawDataBase, 'Task701_Small', { a: shape, b: shape });
  await planAndPreprocess({ task: '701', configurations: ['3d_fullres'], ...folders }).result;
  const folder = join(folders.preprocessed, 'Task701_Small', 'nnUNetData_plans_v2.1_stage0');
  // A program in place of sbatch keeps what it is given.
  const bin = join(root, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'sbatch'), '#!/bin/sh\nprintf "%s\\n" "$@" > "$0.argv"\necho 77\n');
  await chmod(join(bin, 'sbatch'), 0o755);
  const [path, home] = [process.env.PATH, process.cwd()];
  process.env.PATH = `${bin}:${path}`;
  t.teardown(() => {
    process.env.PATH = path;
    process.chdir(home);
  });
  const work = join(root, `"work" & 'more' $HOME`);
  await mkdir(work);
  process.chdir(work);
  const outputDir = "maps' 1";
  const slurm = { shards: 2, dependency: 'afterok:5' };
  const result = await submit('weightmaps', { folder, outputDir }, slurm);
  if (result.kind !== 'submitted') return t.fail();
  t.is(result.id, '77');
  const argv = (await readFile(join(bin, 'sbatch.argv'), 'utf8')).trim().split('\n');
  const script = join(result.folder, 'weightmaps.sh');
  t.deepEqual(argv, ['--parsable', '--dependency=afterok:5', '--kill-on-invalid-dep=yes', script]);
  process.chdir(home);
  const { status, stderr } = spawnSync('bash', [script, '2'], { encoding: 'utf8' });
  t.is(status, 0, stderr);
  t.deepEqual(await readdir(join(work, outputDir)), ['b_weightmap.npy']);
  t.is(await readFile(join(result.folder, 'weightmaps-2.exit'), 'utf8'), '0\n');
  t.is(spawnSync('bash', [script]).status, 1);
});

test.serial('jobs follow goes on while the controller is away, and ends with the jobs', async (t) => {
  const { root } = await workspace(t);
  const [bin, folder] = [join(root, 'bin'), join(root, 'jobs')];
  await mkdir(bin);
  await mkdir(folder);
  const script = join(folder, 'train.sh');
  const job = { name: 'train', script, tasks: [0], ids: { 0: '12' }, after: 'afterok' };
  const submission = { verb: 'train', jobs: [job] };
  await writeFile(join(folder, 'submission.json'), JSON.stringify(submission));
  // Answers, then fails twice, then knows of the end.
  const squeue = `#!/bin/sh
echo x >> ${bin}/calls
case $(wc -l < ${bin}/calls) in
  1) echo '12_0|RUNNING' ;;
  2|3) echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1 ;;
  *) echo 0 > ${folder}/train-0.exit; echo '12_0|COMPLETED' ;;
esac
`;
  await writeFile(join(bin, 'squeue'), squeue);
  await chmod(join(bin, 'squeue'), 0o755);
  const path = process.env.PATH;
  process.env.PATH = `${bin}:${path}`;
  t.teardown(() => {
    process.env.PATH = path;
  });
  const { code, out, err } = await cli(['jobs', 'follow', folder, '--interval', '0.01']);
  t.is(code, 0);
  t.regex(out, /running[\s\S]*done/);
  t.is(err, 'squeue failed: slurm_load_jobs error: Unable to contact slurm controller; looking again\n');
  // A first look that fails is an error: the commands may be those of another cluster.
  await writeFile(join(bin, 'squeue'), '#!/bin/sh\necho away >&2; exit 1\n');
  const away = await cli(['jobs', 'follow', folder]);
  t.is(away.code, 1);
  t.regex(away.err, /ERR_SLURM: squeue failed: away/);
});
