import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { main } from '../ts/cli/program.js';
import {
  checkDataset,
  evaluate,
  generateWeightmaps,
  inspect,
  NnunetError,
  planAndPreprocess,
  predict,
  readVolume,
  type TrainOptions,
  train,
  type VerbEvent,
} from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { noise, writeNifti } from './made-up.js';

interface Workspace {
  root: string;
  folders: { rawDataBase: string; preprocessed: string; results: string };
}

const test = anyTest as TestFn<Workspace>;
const data = join(packageRoot, 'examples', 'data');
const TASKS = ['Task501_IcbmTissue', 'Task502_IcbmTissueSparse'] as const;

/** A schedule of seconds: the smallest patches and epochs. */
const SHORT = {
  configuration: '3d_fullres',
  patchSize: [16, 16, 16],
  batchSize: 2,
  epochs: 2,
  iterations: 3,
  validationIterations: 1,
  precision: 'float32',
  seed: 7,
} as const;

test.before(async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'nnunet-pipeline-'));
  const folders = {
    rawDataBase: join(root, 'raw'),
    preprocessed: join(root, 'preprocessed'),
    results: join(root, 'results'),
  };
  const raw = join(folders.rawDataBase, 'nnUNet_raw_data');
  await mkdir(raw, { recursive: true });
  for (const task of TASKS) {
    await symlink(join(data, task), join(raw, task), 'junction');
    const check = await checkDataset({ task, ...folders }).result;
    t.deepEqual(check.problems, []);
    const made = await planAndPreprocess({ task, configurations: ['3d_fullres'], ...folders }).result;
    t.is(made.preprocess.written, 16);
    t.deepEqual(made.preprocess.failures, []);
  }
  t.context = { root, folders };
});

test.after.always(async (t) => {
  if (t.context.root) await rm(t.context.root, { recursive: true, force: true });
});

const stage = (t: { context: Workspace }, task: string): string =>
  join(t.context.folders.preprocessed, task, 'nnUNetData_plans_v2.1_stage0');

test('preprocessing a preprocessed task skips every case', async (t) => {
  const again = await planAndPreprocess({
    task: '501',
    configurations: ['3d_fullres'],
    ...t.context.folders,
  }).result;
  t.like(again.preprocess, { written: 0, skipped: 16 });
});

test('the properties of a sparse case state that -1 means unlabelled only', async (t) => {
  const read = async (task: string) =>
    (await inspect({ file: join(stage(t, task), 'icbm_000.pkl') }).result) as Record<string, unknown>;
  t.is((await read(TASKS[1])).outside_nonzero_mask_label, 0);
  const dense = await read(TASKS[0]);
  t.true([undefined, -1].includes(dense.outside_nonzero_mask_label as number | undefined));
});

test('weightmaps, training, prediction and evaluation run one after the other', async (t) => {
  const { folders, root } = t.context;
  const folder = stage(t, TASKS[0]);
  t.is((await generateWeightmaps({ folder }).result).written, 16);
  t.is((await generateWeightmaps({ folder, skipExisting: true }).result).skipped, 16);
  const run = train({ task: '501', trainer: 'nnUNetTrainerV2Weighted', ...SHORT, ...folders });
  const events: VerbEvent[] = [];
  for await (const event of run) events.push(event);
  const trained = await run.result;
  t.is(events[0]?.type, 'started');
  t.is(events.filter((e) => e.type === 'epoch').length, 2);
  t.is(trained.epochs, 2);
  t.true(Number.isFinite(trained.trainLoss));
  const model = join(trained.folder, '..');
  const [input, output] = [join(data, TASKS[0], 'imagesTs'), join(root, 'predictions')];
  const options = { input, output, model, mirroring: false, stepSize: 1 };
  t.like(await predict(options).result, { written: 3, skipped: 0, failures: [] });
  t.like(await predict(options).result, { written: 0, skipped: 3 });
  await oddities(t, model);
  await bounded(t, model);
  const image = await readVolume(join(input, 'icbm_003_0000.nii.gz'));
  const labels = await readVolume(join(output, 'icbm_003.nii.gz'));
  t.deepEqual(
    [labels.shape, labels.spacing, labels.origin, labels.direction],
    [image.shape, image.spacing, image.origin, image.direction],
  );
  const referenceDir = join(data, TASKS[0], 'labelsTs');
  const scores = await evaluate({ referenceDir, predictionDir: output, labels: [1, 2, 3] }).result;
  t.is(scores.results.all.length, 3);
  t.true((scores.results.mean['3']?.Dice ?? -1) >= 0);
  const perfect = await evaluate({
    referenceDir,
    predictionDir: referenceDir,
    labels: [1],
    output: join(root, 'perfect.json'),
  }).result;
  t.is(perfect.results.mean['1']?.Dice, 1);
});

/** One good case, an empty one, one with an absurd spacing, and files without a case. */
async function oddities(t: ExecutionContext<Workspace>, model: string): Promise<void> {
  const [input, output] = [join(t.context.root, 'odd'), join(t.context.root, 'odd-predictions')];
  const shape = [16, 16, 16] as const;
  await writeNifti(join(input, 'zeros_0000.nii'), shape, () => 0);
  await writeNifti(join(input, 'units_0000.nii'), shape, noise, { spacing: [1e4, 1e4, 1e4] });
  await writeNifti(join(input, 'good_0000.nii'), shape, noise);
  await copyFile(join(input, 'good_0000.nii'), join(input, 'good_0001.nii'));
  await copyFile(join(input, 'good_0000.nii'), join(input, 'bare.nii'));
  const run = predict({ input, output, model, folds: [0], mirroring: false });
  const warnings: string[] = [];
  for await (const event of run) if (event.type === 'warning') warnings.push(event.code);
  t.deepEqual(warnings, ['WARN_UNEXPECTED_FILES', 'WARN_CASE_FAILED', 'WARN_CASE_FAILED']);
  const { written, failures } = await run.result;
  t.is(written, 1);
  t.deepEqual(
    failures.map((failure) => [failure.case, failure.code]),
    [
      ['units', 'ERR_CASE_TOO_LARGE'],
      ['zeros', 'ERR_EMPTY_IMAGE'],
    ],
  );
  const missing = predict({ input, output, model, folds: ['3'] });
  await t.throwsAsync(missing.result, { code: 'ERR_NOT_FOUND', message: /fold_3.*one in fold_0/ });
  const wrong = predict({ input, output, model, folds: ['x'] });
  await t.throwsAsync(wrong.result, {
    code: 'ERR_OPTIONS',
    message: /folds\.0: expected a fold number or all/,
  });
}

/** Predictions with much and little memory, and on the command line with switches of DIAG's fork. */
async function bounded(t: ExecutionContext<Workspace>, model: string): Promise<void> {
  const { root } = t.context;
  const input = join(data, TASKS[0], 'imagesTs');
  const outputs: Buffer[][] = [];
  for (const memory of ['64G', 1000] as const) {
    const output = join(root, `memory-${memory}`);
    const run = predict({ input, output, model, memory, saveSoftmax: true, mirroring: false });
    const events: VerbEvent[] = [];
    for await (const event of run) events.push(event);
    const estimates = events.filter((event) => event.type === 'memory');
    const strategy = memory === 1000 ? 'slabs' : 'whole';
    t.deepEqual(
      estimates.map((event) => [event.case, event.strategy]),
      ['icbm_003', 'icbm_009', 'icbm_015'].map((name) => [name, strategy]),
    );
    t.true(estimates.every(({ bytes }) => bytes > 1e6 && bytes < 1e10));
    const few = events.filter((event) => event.type === 'warning').map(({ code }) => code);
    t.deepEqual(few, memory === 1000 ? Array(3).fill('WARN_MEMORY_BUDGET') : []);
    const files = ['icbm_003.nii.gz', 'icbm_003.npz', 'icbm_015.nii.gz', 'icbm_015.npz'];
    outputs.push(await Promise.all(files.map((file) => readFile(join(output, file)))));
  }
  t.deepEqual(outputs[0], outputs[1]);
  await t.throwsAsync(predict({ input, output: root, model, memory: '8X' }).result, {
    code: 'ERR_OPTIONS',
    message: /memory: expected .*8G.* got "8X"/,
  });

  const program = join(packageRoot, 'dist', 'ts', 'cli', 'main.js');
  const argv = [program, 'predict', '-i', input, '-o', join(root, 'switched'), '-m', model, '--no-mirroring'];
  for (const [variables, exportMode, warns] of [
    [{ DIAG_NNUNET_ALT_RESAMPLING: 'on', DIAG_NNUNET_ALT_RESAMPLNG: '1' }, 'alt', true],
    [{ DIAG_NNUNET_ALT_RESAMPLING: 'False' }, 'streamed', false],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [...argv, '--memory', '900M', '-v'], {
      encoding: 'utf8',
      env: { ...process.env, ...variables },
    });
    t.is(status, 0, stderr);
    t.true(stderr.includes(`export ${exportMode}`), stderr);
    t.regex(stderr, /icbm_003: at most \d+ MB of memory, /);
    t.is(
      /DIAG_NNUNET_ALT_RESAMPLNG is unknown.*did you mean DIAG_NNUNET_ALT_RESAMPLING\?/.test(stderr),
      warns,
    );
  }
}

test('a cancelled training that is continued gives the bits of an uninterrupted one', async (t) => {
  const { folders, root } = t.context;
  // Long enough that the training does not end before its first event is handled.
  const length = { ...SHORT, iterations: 10 };
  const options: TrainOptions = { task: '502', trainer: 'nnUNetTrainerV2Sparse', ...length, ...folders };
  const whole = await train({ ...options, outputFolder: join(root, 'whole') }).result;
  const abort = new AbortController();
  const outputFolder = join(root, 'parts');
  const first = train({ ...options, outputFolder, signal: abort.signal });
  const read = async () => {
    for await (const event of first) if (event.type === 'iteration') abort.abort('enough');
  };
  await t.throwsAsync(read(), { code: 'ERR_CANCELLED' });
  t.is((await t.throwsAsync(first.result))?.cause, 'enough');
  const rest = await train({ ...options, outputFolder, continue: true }).result;
  t.is(rest.epochs, 2);
  t.is(rest.trainLoss, whole.trainLoss);
  const bytes = await Promise.all([whole, rest].map((r) => inspectWeights(r.checkpoint)));
  t.deepEqual(bytes[0], bytes[1]);
});

test('a cancelled training says what it saved and how to continue', async (t) => {
  const { folders, root } = t.context;
  const abort = new AbortController();
  let err = '';
  const io = {
    out: { write: () => true },
    err: {
      // A terminal shows every iteration, a log one every 30 seconds.
      isTTY: true,
      columns: 200,
      write: (text: string) => {
        err += text;
        if (/iteration \d+\//.test(text)) abort.abort();
      },
    },
    signal: abort.signal,
  };
  const size = ['--patch-size', '16x16x16', '--batch-size', '2', '--epochs', '3', '--iterations', '50'];
  const where = ['--preprocessed', folders.preprocessed, '-o', join(root, 'stopped')];
  t.is(
    await main(['train', '501', '-c', '3d_fullres', ...size, ...where, '--precision', 'float32'], io),
    130,
  );
  t.regex(
    err,
    /stopped: epoch \d of 3 saved in .*model_latest\.model; to continue, run the same command with --continue/,
  );
});

/** Parts of a checkpoint that describe the state after training. */
async function inspectWeights(checkpoint: string): Promise<unknown> {
  const { state_dict: state, plot_stuff: curves } = (await inspect({ file: checkpoint }).result) as Record<
    string,
    unknown
  >;
  return { state, curves };
}

test('a missing weightmap is an error that names the case, before training starts', async (t) => {
  const run = train({ task: '502', trainer: 'nnUNetTrainerV2Weighted', ...SHORT, ...t.context.folders });
  const error = await t.throwsAsync(run.result);
  t.regex(error?.message ?? '', /weightmap/);
  t.regex(error?.message ?? '', /icbm_0\d\d/);
});

test('a missing task, model or prediction is an error that names it', async (t) => {
  const { folders, root } = t.context;
  await t.throwsAsync(train({ task: '999', ...SHORT, ...folders }).result, { message: /999/ });
  const empty = join(root, 'empty');
  await mkdir(empty, { recursive: true });
  const predicted = predict({ input: empty, output: join(root, 'x'), model: join(root, 'no-model') });
  await t.throwsAsync(predicted.result, { message: /no-model/ });
  const referenceDir = join(data, TASKS[0], 'labelsTs');
  const output = join(root, 's.json');
  const scores = evaluate({ referenceDir, predictionDir: empty, output });
  const error = await t.throwsAsync(scores.result, { instanceOf: NnunetError, code: 'ERR_CASES_FAILED' });
  t.is((error?.details.failures as unknown[] | undefined)?.length, 3);
  t.false(existsSync(output));
});

test('a truncated case is an error that names the file', async (t) => {
  const { root } = t.context;
  const path = join(root, 'truncated.nii.gz');
  const whole = await readFile(join(data, TASKS[0], 'imagesTs', 'icbm_003_0000.nii.gz'));
  await writeFile(path, whole.subarray(0, whole.length / 2));
  const error = await t.throwsAsync(readVolume(path));
  t.true(error?.message.includes(path));
});
