/** A training whose process is killed at random moments and continued ends with the bits of an undisturbed one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { packageRoot } from '../ts/version.js';
import { contents, differences } from './contents.js';
import { preprocessedTask } from './made-up.js';
import { random } from './random.js';

const MAIN = join(packageRoot, 'dist', 'ts', 'cli', 'main.js');
/** Kills in all. */
const KILLS = Number(process.env.NNUNET_DIAG_KILLS || 20);
/** Milliseconds after which a process is considered to hang, on a busy machine. */
const PATIENCE = 180_000;

const FLAGS = [
  ...['701', '-c', '3d_fullres', '-f', '0', '--patch-size', '16x16x16', '--batch-size', '2'],
  ...['--epochs', '3', '--iterations', '4', '--validation-iterations', '2', '--save-every', '1'],
  ...['--precision', 'float32', '--workers', '2', '--npz', '--continue', '--json'],
];

/** Starts or continues a training. Returns whether it ended by itself. */
async function train(
  t: ExecutionContext,
  flags: readonly string[],
  killAfter: number | undefined,
): Promise<boolean> {
  const child = spawn(process.execPath, [MAIN, 'train', ...FLAGS, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  child.stderr.on('data', (chunk) => (err += chunk));
  const end = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const late = sleep(killAfter ?? PATIENCE, 'late' as const, { ref: false });
  if ((await Promise.race([end, late])) === 'late') child.kill('SIGKILL');
  const [code, signal] = await end;
  if (signal === null) t.is(code, 0, err);
  else if (killAfter === undefined) t.fail(`hangs: ${err}`);
  return signal === null;
}

/** A small preprocessed task, and the flags of a training of it with a model folder of its own. */
async function prepare(t: ExecutionContext): Promise<{ root: string; flags: (name: string) => string[] }> {
  t.timeout(30 * 60_000);
  const { root, folders } = await preprocessedTask(t);
  const flags = (name: string): string[] => [
    ...['--preprocessed', folders.preprocessed],
    ...['--output-folder', join(root, name)],
  ];
  return { root, flags };
}

test.serial(
  'SIGTERM, SIGUSR1 and --stop-after save a training and end it with 85: continue me',
  async (t) => {
    if (process.platform === 'win32') return t.pass('Windows has no such signals');
    const { root, flags } = await prepare(t);
    for (const way of ['SIGTERM', 'SIGUSR1', 'stopAfter'] as const) {
      const more = way === 'stopAfter' ? ['--stop-after', '1s'] : [];
      const argv = [MAIN, 'train', ...FLAGS, ...flags(way), '--epochs', '100000', ...more];
      const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
      const text = { out: '', err: '' };
      child.stderr.on('data', (chunk) => (text.err += chunk));
      child.stdout.on('data', (chunk) => {
        const before = text.out.includes('"type":"iteration"');
        text.out += chunk;
        const begun = !before && text.out.includes('"type":"iteration"');
        if (begun && way !== 'stopAfter') child.kill(way);
      });
      const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
      const [code, signal] = await once(child, 'close');
      clearTimeout(late);
      t.deepEqual([code, signal], [85, null], `${way}: ${text.err}`);
      t.true(existsSync(join(root, way, 'fold_0', 'model_latest.model')), way);
      t.regex(text.out.trimEnd().split('\n').at(-1) ?? '', /"type":"(failed|cancelled)"/, way);
    }
  },
);

test.serial(
  'a training that is killed again and again ends with the bits of an undisturbed one',
  async (t) => {
    const { root, flags } = await prepare(t);
    // One path for all runs: a model's files name it.
    const [folder, where] = [join(root, 'model'), flags('model')];
    const started = Date.now();
    t.true(await train(t, where, undefined));
    const whole = Date.now() - started;
    const expected = await contents(folder);
    const listed = Object.keys(expected).sort();
    for (const name of [
      'model_final_checkpoint.model',
      'progress.csv',
      join('validation_raw', 'summary.json'),
    ]) {
      t.true(listed.includes(join('fold_0', name)), `${name} is not among ${listed}`);
    }
    const draw = random(7);
    const moments: number[] = [];
    while (moments.length < KILLS) {
      await rm(folder, { recursive: true });
      for (;;) {
        const moment = moments.length < KILLS ? Math.round(draw() * whole) : undefined;
        if (await train(t, where, moment)) break;
        if (moment !== undefined) moments.push(moment);
      }
      const found = await contents(folder);
      t.deepEqual(differences(found, expected), [], `after ${moments} ms of ${whole}`);
    }
  },
);
