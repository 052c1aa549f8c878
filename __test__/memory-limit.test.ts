/** Prediction of many classes under a real limit of the process's memory, as batch systems set it. */
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import anyTest, { type TestFn } from 'ava';
import { planAndPreprocess, predict, train } from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { noise, workspace, writeNifti, writeTask } from './made-up.js';

const test = (process.platform === 'linux' ? anyTest : anyTest.skip) as TestFn;
const CLASSES = 60;
const SIZE = 160;
const MIB = 2 ** 20;

/** Runs the command line with at most `bytes` of writable memory, which threads' stacks and idle pools count as, too. */
function limited(bytes: number, argv: readonly string[]): { code: number | null; err: string } {
  const words = [process.execPath, join(packageRoot, 'dist/ts/cli/main.js'), ...argv];
  const script = `ulimit -d ${Math.ceil(bytes / 1024)} && exec "$@"`;
  const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', ...words], { encoding: 'utf8' });
  return { code: status, err: stderr };
}

test('a case of many classes stays in a limit with --memory, and its failure without is told', async (t) => {
  const { root, folders } = await workspace(t);
  const task = 'Task600_Many';
  const cases = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, [40, 40, 40] as const]));
  const raw = await writeTask(folders.rawDataBase, task, cases);
  const dataset = JSON.parse(await readFile(join(raw, 'dataset.json'), 'utf8'));
  const labels = Array.from({ length: CLASSES - 2 }, (_, i) => [i + 2, `organ ${i + 2}`]);
  Object.assign(dataset.labels, Object.fromEntries(labels));
  await writeFile(join(raw, 'dataset.json'), JSON.stringify(dataset));
  await planAndPreprocess({ task, configurations: ['3d_fullres'], ...folders }).result;
  const trained = await train({
    task,
    configuration: '3d_fullres',
    patchSize: [32, 32, 32],
    batchSize: 2,
    epochs: 1,
    iterations: 1,
    validationIterations: 1,
    validate: false,
    precision: 'float32',
    ...folders,
  }).result;
  const model = join(trained.folder, '..');
  const input = join(root, 'in');
  await writeNifti(join(input, 'a_0000.nii'), [SIZE, SIZE, SIZE], noise);
  const settings = { input, model, folds: [0], mirroring: false, stepSize: 1, precision: 'float32' } as const;
  const estimate = async (memory: string) => {
    const run = predict({ ...settings, output: join(root, memory), memory });
    for await (const event of run) {
      if (event.type === 'memory') return { strategy: event.strategy, bytes: event.bytes };
    }
    throw new Error('no estimate');
  };
  const whole = await estimate('64G');
  const slabs = await estimate('1G');
  t.deepEqual([whole.strategy, slabs.strategy], ['whole', 'slabs']);
  const flags = ['--folds', '0', '--no-mirroring', '--step-size', '1', '--precision', 'float32'];
  const argv = (memory: string) => [
    ...['predict', '--input', input, '--model', model, '--output', join(root, `limited-${memory}`)],
    ...[...flags, '--memory', memory],
  ];
  // Stacks of threads and idle pools count, too, but the estimate is of resident memory.
  const limit = slabs.bytes + 100 * MIB;
  t.true(whole.bytes > limit + 200 * MIB);
  const failed = limited(limit, argv('64G'));
  t.is(failed.code, 1);
  t.regex(failed.err, /warning \(a\): out of memory.*--memory/);
  t.notRegex(failed.err, /frame #/);
  const { code, err } = limited(limit, argv('1G'));
  t.is(code, 0, err);
  // The limit is known, so the default keeps to it by itself.
  const byDefault = limited(limit, argv('default').slice(0, -2));
  t.is(byDefault.code, 0, byDefault.err);
  t.regex(byDefault.err, /some planes at a time/);
});
