/** Many calls at once in one process, aborted at random moments: each settles, none crashes, and memory stays flat. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { planAndPreprocess, train } from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import type { Load, Outcome } from './load-child.js';
import { workspace, writeTask } from './made-up.js';

const ROUNDS = Number(process.env.NNUNET_DIAG_ROUNDS || 12);
const CHILD = join(packageRoot, 'dist', '__test__', 'load-child.js');

/** A second copy of the package with its own addons. Returns the URL of its index.js. */
function copyOfPackage(folder: string): string {
  mkdirSync(folder);
  for (const part of ['dist/ts', 'native', 'package.json']) {
    cpSync(join(packageRoot, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return pathToFileURL(join(folder, 'dist', 'ts', 'index.js')).href;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

test('parallel calls of two copies and a worker thread, aborted at random, all settle; memory is flat', async (t) => {
  t.timeout(3600_000);
  const { root, folders } = await workspace(t);
  const names = ['a', 'b', 'c', 'd', 'e'];
  const shapes = Object.fromEntries(names.map((name) => [name, [20, 20, 20] as const]));
  const raw = await writeTask(folders.rawDataBase, 'Task703_Small', shapes);
  const common = { task: '703', ...folders };
  await planAndPreprocess({ ...common, configurations: ['3d_fullres'] }).result;
  const model = join(root, 'model');
  await train({
    ...{ ...common, configuration: '3d_fullres', fold: 0, outputFolder: model, validate: false },
    ...{ epochs: 1, iterations: 1, validationIterations: 1, batchSize: 2, patchSize: [16, 16, 16] },
  }).result;
  const output = join(root, 'output');
  const load: Load = {
    place: {
      ...{ folders, output, model, images: join(raw, 'imagesTr') },
      cases: join(folders.preprocessed, 'Task703_Small', 'nnUNetData_plans_v2.1_stage0'),
    },
    copies: [
      pathToFileURL(join(packageRoot, 'dist', 'ts', 'index.js')).href,
      copyOfPackage(join(root, 'copy')),
    ],
    rounds: ROUNDS,
    seed: 11,
    longest: 400,
  };
  const argv = ['--unhandled-rejections=strict', CHILD, JSON.stringify(load)];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, argv, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  t.is(status, 0, `${signal ?? ''} ${stderr}`);
  const [main, worker] = JSON.parse(stdout) as [Outcome, Outcome];
  for (const { ends } of [main, worker]) {
    t.deepEqual(ends.failed, []);
    t.true(ends.done > 0);
  }
  // Two copies in the main thread and one in the worker call three verbs each.
  const ended = [main, worker].map(({ ends }) => ends.done + ends.cancelled);
  t.deepEqual(ended, [6 * ROUNDS, 3 * ROUNDS]);
  t.true(main.ends.cancelled + worker.ends.cancelled > 0);
  const quarter = Math.floor(main.memory.length / 4);
  const [early, late] = [main.memory.slice(quarter, 2 * quarter), main.memory.slice(-quarter)].map(median);
  t.log(`${Math.round((early ?? 0) / 2 ** 20)} MiB early, ${Math.round((late ?? 0) / 2 ** 20)} MiB late`);
  // Allocators keep some memory; a leak of one image or network a round would be far more.
  t.true((late ?? 0) < 1.1 * (early ?? 0) + 2 ** 25, `${main.memory}`);
  // Aborted calls leave no temporary files.
  const left = readdirSync(output, { recursive: true, encoding: 'utf8' });
  t.deepEqual(
    left.filter((name) => name.endsWith('.tmp')),
    [],
  );
  rmSync(output, { recursive: true });
});
