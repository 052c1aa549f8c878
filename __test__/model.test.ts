import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import anyTest, { type TestFn } from 'ava';
import { type ErrorCode, loadModel, type ModelImage, NnunetError, predict, readVolume } from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { noise, workspace, writeNifti } from './made-up.js';

const test = anyTest as TestFn;
const RECORDED = join(packageRoot, '__test__/fixtures/inference/e2e_Task501_MRI_3d_fullres/model');
/** Faster settings for tests of calls. */
const FAST = { device: 'cpu', precision: 'float32', folds: [0], mirroring: false, stepSize: 1 } as const;

async function image(shape: readonly [number, number, number]): Promise<ModelImage> {
  const voxels = 2 * shape[0] * shape[1] * shape[2];
  return {
    data: Float32Array.from({ length: voxels }, (_, i) => noise(i)),
    shape: [2, ...shape],
    spacing: [1, 1, 1],
  };
}

test('a prediction in memory and one of files equal those of the verb, postprocessing included', async (t) => {
  const { root } = await workspace(t);
  const [input, output, model] = [join(root, 'in'), join(root, 'out'), join(root, 'model')];
  await cp(RECORDED, model, { recursive: true });
  const rules = { for_which_classes: [[1, 2], 1], min_valid_object_sizes: 'None' };
  await writeFile(join(model, 'postprocessing.json'), JSON.stringify(rules));
  // An empty margin, so that the image is cropped, and a spacing that is resampled.
  const value = (i: number) => (i % 20 < 3 || i < 20 * 22 * 4 ? 0 : noise(i) + 40 * Math.sin(i / 900));
  const spacing = [1.5, 1, 1.2] as const;
  await writeNifti(join(input, 'a_0000.nii.gz'), [18, 22, 20], value, { spacing });
  const settings = { model, device: 'cpu', precision: 'float32' } as const;
  await writeNifti(join(input, 'a_0001.nii.gz'), [18, 22, 20], (i) => value(i + 9), { spacing });
  t.like(await predict({ input, output, ...settings, saveSoftmax: true }).result, { written: 1 });
  const expected = await readVolume(join(output, 'a.nii.gz'));
  const { model: folder, ...options } = settings;
  await using loaded = await loadModel(folder, options);
  t.is(loaded.channels, 2);
  t.deepEqual(loaded.folds, ['0', '1']);
  const files = ['a_0000.nii.gz', 'a_0001.nii.gz'].map((name) => join(input, name));
  const [one, two] = await Promise.all(files.map((name) => readVolume(name)));
  if (one === undefined || two === undefined) throw new Error('unreachable');
  const data = new Float32Array(2 * one.data.length);
  data.set(one.data);
  data.set(two.data, one.data.length);
  const volume = { ...one, data, shape: [2, ...one.shape] };
  const steps: number[] = [];
  const found = await loaded.predict(volume, { softmax: true, onProgress: (p) => steps.push(p.done) });
  t.deepEqual(found.segmentation.shape, [18, 22, 20]);
  t.deepEqual(Array.from(found.segmentation.data), Array.from(expected.data));
  t.true(new Set(found.segmentation.data).size > 1);
  t.deepEqual(found.softmax?.shape, [loaded.classes, 18, 22, 20]);
  const voxels = found.segmentation.data.length;
  const sums = Array.from({ length: voxels }, (_, i) =>
    Array.from({ length: loaded.classes }, (_, c) => found.softmax?.data[c * voxels + i] ?? 0).reduce(
      (a, b) => a + b,
    ),
  );
  t.true(sums.every((sum) => Math.abs(sum - 1) < 1e-4));
  t.is(steps.at(-1), 100);
  const file = join(root, 'single', 'b.nii.gz');
  await loaded.predictFile(files, file);
  t.deepEqual((await readVolume(file)).data, expected.data);
  const both = await loaded.predictFiles([
    { images: join(root, 'absent.nii.gz'), output: join(root, 'c.nii.gz') },
    { images: files, output: join(root, 'd.nii.gz') },
  ]);
  t.deepEqual(
    both.map((one) => one.status),
    ['rejected', 'fulfilled'],
  );
});

test('each invalid image has its error, and the model stays usable', async (t) => {
  await using model = await loadModel(RECORDED, FAST);
  const good = await image([16, 16, 16]);
  const refused = async (change: object, code: ErrorCode, message: RegExp) => {
    const error = await t.throwsAsync(model.predict({ ...good, ...change } as ModelImage));
    t.true(error instanceof NnunetError, `${error}`);
    t.is((error as NnunetError).code, code, error?.message);
    t.regex(error?.message ?? '', message);
  };
  const odd = (value: number) => Float32Array.from(good.data, (v, i) => (i === 77 ? value : v));
  await refused({ data: odd(Number.NaN) }, 'ERR_NOT_FINITE', /channel 0 has 1 NaN/);
  await refused({ data: odd(Number.POSITIVE_INFINITY) }, 'ERR_NOT_FINITE', /1 infinite/);
  await refused({ data: new Float32Array(8192) }, 'ERR_EMPTY_IMAGE', /channel 0/);
  await refused({ data: good.data.slice(1) }, 'ERR_OPTIONS', /expected 8192 values .* got 8191/);
  await refused({ data: Float64Array.from(good.data) }, 'ERR_OPTIONS', /Float32Array, got Float64Array/);
  await refused({ data: [...good.data] }, 'ERR_OPTIONS', /Float32Array, got Array/);
  await refused({ shape: [4096] }, 'ERR_OPTIONS', /^shape: /);
  await refused({ shape: [0, 16, 16] }, 'ERR_OPTIONS', /^shape: /);
  await refused({ shape: [1, 32, 16, 16] }, 'ERR_CASE_MODALITIES', /expect 2 images per case .* found 1/);
  await refused({ spacing: [1, Number.NaN, 1] }, 'ERR_OPTIONS', /^spacing: /);
  await refused({ spacing: [1, 0, 1] }, 'ERR_OPTIONS', /^spacing: /);
  await refused({ spacing: undefined }, 'ERR_OPTIONS', /^spacing: /);
  await refused({ origin: [0, 0] }, 'ERR_OPTIONS', /^origin: /);
  await refused({ direction: new Array(9).fill(1) }, 'ERR_OPTIONS', /^direction: /);
  const moved = good.data.slice();
  structuredClone(moved, { transfer: [moved.buffer] });
  await refused({ data: moved }, 'ERR_OPTIONS', /detached/);
  const failing = model.predict(good, {
    onProgress: () => {
      throw new RangeError('of the caller');
    },
  });
  await t.throwsAsync(failing, { instanceOf: RangeError });
  t.is((await model.predict(good)).segmentation.data.length, 4096);
});

test('a folder that holds no model is a typed error', async (t) => {
  const { root } = await workspace(t);
  for (const folder of [root, join(root, 'absent')]) {
    const error = await t.throwsAsync(loadModel(folder), { instanceOf: NnunetError });
    t.true(['ERR_NOT_FOUND', 'ERR_MODEL_FOLDER'].includes((error as NnunetError).code), error?.message);
  }
  t.is(
    ((await t.throwsAsync(loadModel(RECORDED, { fold: 1 } as object))) as NnunetError).code,
    'ERR_OPTIONS',
  );
});

test('calls wait for each other; the caller may change its array; two models run side by side', async (t) => {
  await using one = await loadModel(RECORDED, FAST);
  await using two = await loadModel(RECORDED, { ...FAST, folds: [1] });
  const given = await image([24, 24, 24]);
  const [a, b] = [await one.predict(given), await two.predict(given)];
  const calls = [one, two, one, two].map((model) => model.predict(given));
  given.data.fill(Number.NaN);
  const found = await Promise.all(calls);
  for (const [i, { segmentation }] of found.entries()) {
    t.deepEqual(segmentation.data, (i % 2 === 0 ? a : b).segmentation.data);
  }
});

test('a signal cancels a running and a waiting prediction', async (t) => {
  await using model = await loadModel(RECORDED, { ...FAST, mirroring: true, stepSize: 0.1 });
  // Minutes of work: the prediction must not end before a late event is handled.
  const large = await image([160, 160, 160]);
  const [first, second] = [new AbortController(), new AbortController()];
  const running = model.predict(large, {
    signal: first.signal,
    onProgress: () => second.abort(new Error('two')),
  });
  const waiting = model.predict(large, { signal: second.signal });
  const waited = (await t.throwsAsync(waiting)) as NnunetError;
  t.is(waited.code, 'ERR_CANCELLED');
  t.is((waited.cause as Error).message, 'two');
  first.abort();
  t.is(((await t.throwsAsync(running)) as NnunetError).code, 'ERR_CANCELLED');
  t.is((await model.predict(await image([16, 16, 16]))).segmentation.data.length, 4096);
});

test('close waits for the running predictions; later calls are ERR_MODEL_CLOSED', async (t) => {
  const model = await loadModel(RECORDED, FAST);
  const given = await image([16, 16, 16]);
  const running = model.predict(given);
  const closing = model.close();
  t.is(model.close(), closing);
  t.is(((await t.throwsAsync(model.predict(given))) as NnunetError).code, 'ERR_MODEL_CLOSED');
  await closing;
  t.is((await running).segmentation.data.length, 4096);
  const file = model.predictFile('a.nii.gz', 'b.nii.gz');
  t.is(((await t.throwsAsync(file)) as NnunetError).code, 'ERR_MODEL_CLOSED');
});

test('a worker thread predicts as the main thread', async (t) => {
  const given = await image([16, 16, 16]);
  await using model = await loadModel(RECORDED, FAST);
  const expected = await model.predict(given);
  const program = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { loadModel } = await import(workerData.index);
    const model = await loadModel(workerData.folder, workerData.options);
    const { segmentation } = await model.predict(workerData.image);
    await model.close();
    parentPort.postMessage(segmentation.data, [segmentation.data.buffer]);`;
  const index = new URL('../ts/index.js', import.meta.url).href;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
    workerData: { index, folder: RECORDED, options: FAST, image: given },
  });
  const found = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
  t.deepEqual(found, expected.segmentation.data);
  await worker.terminate();
});
