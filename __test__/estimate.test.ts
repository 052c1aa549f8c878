/** The memory that is estimated before a verb runs is enough for it, and not much too large. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { estimateMemory } from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { cli, noise, type Shape, workspace, writeNifti, writeTask } from './made-up.js';

const MAIN = join(packageRoot, 'dist', 'ts', 'cli', 'main.js');
const MIB = 2 ** 20;
const SHAPE: Shape = [80, 96, 96];

/** Largest memory of a run of the program, without what the system keeps of files, in MiB. */
async function peak(t: ExecutionContext, argv: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [MAIN, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [text, most] = ['', 0];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const timer = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    most = Math.max(most, Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }, 5);
  const [code] = (await once(child, 'close')) as [number];
  clearInterval(timer);
  t.is(code, 0, text);
  return most / 1024;
}

test.serial('estimates of preprocessing, training and prediction hold', async (t) => {
  if (process.platform !== 'linux') return t.pass('reads /proc');
  t.timeout(10 * 60_000);
  const { root, folders, flags } = await workspace(t);
  const cases = ['a', 'b', 'c', 'd', 'e'];
  await writeTask(
    folders.rawDataBase,
    'Task701_Large',
    Object.fromEntries(cases.map((name) => [name, SHAPE])),
  );
  const found: Record<string, { estimate: number; peak: number }> = {};
  const measure = async (
    verb: 'preprocess' | 'train' | 'predict',
    options: Record<string, unknown>,
    argv: readonly string[],
    workers: number,
  ) => {
    const { bytes, basis } = await estimateMemory({ verb, options, workers }).result;
    t.truthy(bytes, basis);
    found[verb] = {
      estimate: (bytes ?? 0) / MIB,
      peak: await peak(t, [verb, ...argv, '--workers', `${workers}`]),
    };
  };
  const task = { task: '701', configurations: ['3d_fullres'], ...folders };
  await measure('preprocess', task, ['701', '-c', '3d_fullres', ...flags], 2);
  const after = await estimateMemory({ verb: 'preprocess', options: task, workers: 2 }).result;
  t.regex(after.basis, /2 of 5 cases at once, from headers and plans/);

  const model = join(root, 'model');
  const tiny = { patchSize: [48, 64, 64], batchSize: 2, epochs: 1, iterations: 2, validationIterations: 1 };
  const training = { task: '701', configuration: '3d_fullres', ...folders, outputFolder: model, ...tiny };
  const words = [
    ...['701', '-c', '3d_fullres', ...flags, '--output-folder', model, '--patch-size', '48x64x64'],
    ...['--batch-size', '2', '--epochs', '1', '--iterations', '2', '--validation-iterations', '1'],
  ];
  await measure(
    'train',
    { ...training, precision: 'float32' },
    [...words, '--device', 'cpu', '--precision', 'float32'],
    2,
  );

  const [input, output] = [join(root, 'images'), join(root, 'predictions')];
  for (const name of cases) await writeNifti(join(input, `${name}_0000.nii`), SHAPE, noise);
  const prediction = { input, output, model, saveSoftmax: true };
  await measure(
    'predict',
    prediction,
    ['-i', input, '-o', output, '-m', model, '--save-softmax', '--device', 'cpu', '--precision', 'float32'],
    2,
  );
  t.log(found);
  for (const [verb, { estimate, peak: most }] of Object.entries(found)) {
    t.true(most <= estimate, `${verb}: ${most} MiB, estimated ${estimate}`);
    t.true(estimate < 4 * most + 512, `${verb}: ${most} MiB, estimated ${estimate}`);
  }
});

test('what an estimate needs and lacks is told, and wrong options are refused', async (t) => {
  const { root, folders } = await workspace(t);
  const none = await estimateMemory({
    verb: 'predict',
    options: { input: join(root, 'i'), output: join(root, 'o'), model: join(root, 'm') },
  }).result;
  t.deepEqual([none.bytes, none.parts], [null, {}]);
  t.regex(none.basis, /plans\.pkl does not exist yet/);
  const wrong = await t.throwsAsync(
    estimateMemory({ verb: 'train', options: { task: '1', configuraton: '2d' } }).result,
  );
  t.like(wrong, { code: 'ERR_OPTIONS' });
  t.regex(wrong?.message ?? '', /configuraton/);
  await writeTask(folders.rawDataBase, 'Task701_Small', { a: [10, 10, 10], b: [10, 20, 10] });
  const labels = join(folders.rawDataBase, 'nnUNet_raw_data', 'Task701_Small', 'labelsTr');
  const few = { referenceDir: labels, predictionDir: labels };
  const [plain, surfaces] = await Promise.all(
    [few, { ...few, hausdorff: true }].map(
      (options) => estimateMemory({ verb: 'evaluate', options, workers: 1 }).result,
    ),
  );
  t.deepEqual([plain?.parts.cases, surfaces?.parts.cases], [2000 * 8, 2000 * 40]);
  t.is((await cli(['estimate-memory'])).code, 2, 'it is a function; the command line has --dry-run');
});
