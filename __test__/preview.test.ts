import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest, { type TestFn } from 'ava';
import { decode } from 'fast-png';
import {
  generateWeightmaps,
  type PreviewBatch,
  planAndPreprocess,
  preview,
  previewBatches,
  type VerbEvent,
} from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { embedded, texts } from './drawn.js';
import { cli } from './made-up.js';

interface Workspace {
  root: string;
  folders: { preprocessed: string };
}

const test = anyTest as TestFn<Workspace>;
const TASKS = ['Task501_IcbmTissue', 'Task502_IcbmTissueSparse'] as const;
const SMALL = { configuration: '3d_fullres', patchSize: [16, 24, 16], batchSize: 2 } as const;

test.before(async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'nnunet-preview-'));
  const folders = { rawDataBase: join(root, 'raw'), preprocessed: join(root, 'preprocessed') };
  const raw = join(folders.rawDataBase, 'nnUNet_raw_data');
  await mkdir(raw, { recursive: true });
  for (const task of TASKS) {
    await symlink(join(packageRoot, 'examples', 'data', task), join(raw, task), 'junction');
    const made = await planAndPreprocess({ task, configurations: ['3d_fullres', '2d'], ...folders }).result;
    t.deepEqual(made.preprocess.failures, []);
  }
  const folder = join(folders.preprocessed, TASKS[0], 'nnUNetData_plans_v2.1_stage0');
  t.is((await generateWeightmaps({ folder }).result).written, 16);
  t.context = { root, folders: { preprocessed: folders.preprocessed } };
});

test.after.always(async (t) => {
  if (t.context.root) await rm(t.context.root, { recursive: true, force: true });
});

/** The only batch of a preview. */
function only(batches: readonly PreviewBatch[]): PreviewBatch {
  const [batch] = batches;
  if (batch === undefined || batches.length > 1) throw new Error(`${batches.length} batches`);
  return batch;
}

test('batches are typed arrays with the shapes of the network', async (t) => {
  const run = previewBatches({
    task: '501',
    trainer: 'nnUNetTrainerV2Weighted',
    ...SMALL,
    batches: 3,
    epoch: 2,
    iteration: 7,
    ...t.context.folders,
  });
  const events: VerbEvent[] = [];
  for await (const event of run) events.push(event);
  t.like(events[0], { type: 'started', verb: 'preview' });
  t.is(events.filter((e) => e.type === 'progress').length, 3);
  const batches = await run.result;
  t.deepEqual(
    batches.map((b) => [b.epoch, b.iteration]),
    [
      [2, 7],
      [2, 8],
      [2, 9],
    ],
  );
  for (const batch of batches) {
    t.like(batch, { task: TASKS[0], patchSize: [16, 24, 16], channels: 1, modalities: ['MRI'] });
    t.like(batch, { augmented: true, spacing: [1, 1, 1] });
    t.deepEqual(batch.classes, ['CSF', 'GM', 'WM']);
    t.is(batch.cases.length, 2);
    t.deepEqual(batch.data.shape, [2, 1, 16, 24, 16]);
    t.deepEqual(batch.targets[0]?.shape, [2, 1, 16, 24, 16]);
    t.deepEqual(batch.targets[1]?.shape, [2, 1, 8, 12, 8]);
    t.deepEqual(
      batch.weights?.map((w) => w.shape),
      batch.targets.map((w) => w.shape),
    );
    for (const { data, shape } of [batch.data, ...batch.targets, ...(batch.weights ?? [])]) {
      t.true(data instanceof Float32Array);
      t.is(
        data.length,
        shape.reduce((product, n) => product * n, 1),
      );
    }
    t.true(batch.weights?.every((w) => w.data.every((v) => v >= 0)));
    t.true(
      batch.targets[0]?.data.every((v) => v >= 0),
      'nothing is unlabelled without an ignore label',
    );
  }
});

test('the same seed gives the same batches on any number of threads, another seed gives others', async (t) => {
  const options = { task: '502', trainer: 'nnUNetTrainerV2Sparse', ...SMALL, ...t.context.folders } as const;
  const one = only(await previewBatches({ ...options, seed: 3, workers: 1 }).result);
  const again = only(await previewBatches({ ...options, seed: 3, workers: 4 }).result);
  t.deepEqual(again, one);
  t.is(one.weights, null);
  t.true(one.targets[0]?.data.includes(-1), 'unlabelled voxels stay -1');
  const other = only(await previewBatches({ ...options, seed: 4 }).result);
  t.notDeepEqual(other.data.data, one.data.data);
});

test('2D batches have no z axis, validation batches are not augmented', async (t) => {
  const options = {
    task: TASKS[0],
    configuration: '2d',
    phase: 'validation',
    batchSize: 3,
    ...t.context.folders,
  } as const;
  const batch = only(await previewBatches(options).result);
  t.is(batch.patchSize.length, 2);
  t.deepEqual(batch.data.shape, [3, 1, ...batch.patchSize]);
  t.like(batch, { augmented: false, spacing: [1, 1] });
  // The files of the example are RAS.
  t.deepEqual(
    batch.directions.map((direction) => direction?.map((v) => v + 0)),
    [0, 1, 2].map(() => [-1, 0, 0, 0, -1, 0, 0, 0, 1]),
  );
});

test('a signal cancels a preview before its start and while it runs', async (t) => {
  const options = { task: '501', ...SMALL, ...t.context.folders } as const;
  await t.throwsAsync(previewBatches({ ...options, signal: AbortSignal.abort() }).result, {
    code: 'ERR_CANCELLED',
  });
  // Many, because a busy machine may deliver the first event late.
  const run = previewBatches({ ...options, batches: 3000 });
  const read = async () => {
    for await (const _ of run) run.cancel();
  };
  await t.throwsAsync(read(), { code: 'ERR_CANCELLED' });
});

test('a wrong or missing input of a preview is an error that names it', async (t) => {
  const { folders } = t.context;
  const { code } = await t.throwsAsync<Error & { code: string }>(
    previewBatches({ task: '999', ...SMALL, ...folders }).result,
    { message: /999/ },
  );
  t.is(code, 'ERR_NOT_FOUND');
  const bare = previewBatches({ task: '502', trainer: 'nnUNetTrainerV2Weighted', ...SMALL, ...folders });
  await t.throwsAsync(bare.result, { code: 'ERR_WEIGHTMAPS', message: /icbm_0\d\d/ });
  const odd = previewBatches({ task: '501', ...SMALL, patchSize: [16, 25, 16], ...folders });
  await t.throwsAsync(odd.result, { code: 'ERR_OPTIONS', message: /patchSize/ });
  const none = previewBatches({ task: '501', ...SMALL, batches: 0, ...folders });
  await t.throwsAsync(none.result, { code: 'ERR_OPTIONS', message: /^batches: / });
  const format = preview({ task: '501', ...SMALL, output: 'x.jpg', ...folders });
  await t.throwsAsync(format.result, { code: 'ERR_OPTIONS', message: /ends in \.svg or \.png/ });
});

test('the sides of the patient are those of the header, on the side of the convention', async (t) => {
  const { root, folders } = t.context;
  for (const convention of ['radiological', 'neurological'] as const) {
    const output = join(root, `${convention}.svg`);
    const options = { task: '501', ...SMALL, phase: 'validation', output, convention, ...folders } as const;
    await preview(options).result;
    const [image] = embedded(await readFile(output, 'utf8'));
    const marks = texts(await readFile(output, 'utf8')).filter(({ words }) => /^[LR]$/.test(words));
    const right = marks.find((mark) => mark.x > (image?.left ?? 0) + (image?.width ?? 0));
    t.is(right?.words, convention === 'radiological' ? 'L' : 'R');
  }
});

test('the command replaces an existing SVG and writes no npy file of a case', async (t) => {
  const { root, folders } = t.context;
  const flags = ['--preprocessed', folders.preprocessed, '-c', '3d_fullres', '--batch-size', '2'];
  const svg = join(root, 'preview.svg');
  await writeFile(svg, 'an older picture');
  const weighted = await cli(['preview', '501', '--trainer', 'nnUNetTrainerV2Weighted', '-o', svg, ...flags]);
  t.is(weighted.code, 0, weighted.err);
  t.true(weighted.out.includes(svg));
  const drawn = await readFile(svg, 'utf8');
  t.true(drawn.startsWith('<svg ') && drawn.endsWith('</svg>\n'));
  t.is(drawn.match(/<image /g)?.length, 6, 'image, labels and weights of two samples');
  for (const words of [TASKS[0], 'nnUNetTrainerV2Weighted', 'CSF', 'weight']) t.true(drawn.includes(words));

  const left = await readdir(root);
  t.deepEqual(
    left.filter((name) => name.startsWith('.preview.svg')),
    [],
  );
  const stage = await readdir(join(folders.preprocessed, TASKS[0], 'nnUNetData_plans_v2.1_stage0'));
  t.deepEqual(
    stage.filter((name) => name.endsWith('.npy') && !name.endsWith('_weightmap.npy')),
    [],
  );
});

test('the command writes a PNG, or ERR_NO_FONT without a font', async (t) => {
  const { root, folders } = t.context;
  const png = join(root, 'preview.PNG');
  const argv = [
    'preview',
    '502',
    '-c',
    '3d_fullres',
    '--trainer',
    'nnUNetTrainerV2Sparse',
    '-o',
    png,
    '--json',
  ];
  const { code, out } = await cli([...argv, '--preprocessed', folders.preprocessed]);
  const { type, result, error } = JSON.parse(out.trim().split('\n').at(-1) ?? '') as {
    type: string;
    result?: { cases: string[] };
    error?: { code: string };
  };
  if (type === 'failed') {
    t.is(error?.code, 'ERR_NO_FONT');
    t.is(code, 1);
    return;
  }
  t.like(result, { output: png, task: TASKS[1], batches: 1 });
  t.is(result?.cases.length, 2);
  t.true(decode(await readFile(png)).width > 600);
});

test('an output that cannot be written is an error before any batch is made', async (t) => {
  const { root, folders } = t.context;
  const options = { task: '501', ...SMALL, ...folders } as const;
  const missing = preview({ ...options, output: join(root, 'no', 'such', 'folder.svg') });
  const events: VerbEvent[] = [];
  const read = async () => {
    for await (const event of missing) events.push(event);
  };
  await t.throwsAsync(read(), { code: 'ERR_NOT_FOUND', message: /create the folder .*such/ });
  t.deepEqual(events, []);
  const folder = join(root, 'folder.svg');
  await mkdir(folder);
  await t.throwsAsync(preview({ ...options, output: folder }).result, { code: 'ERR_IO', message: /folder/ });
});
