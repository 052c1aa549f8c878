/** The end of a process or thread while a verb runs: without a crash, and soon. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { planAndPreprocess } from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { type Folders, type Shape, writeTask } from './made-up.js';

interface Prepared {
  readonly root: string;
  readonly folders: Folders;
}

const test = anyTest as TestFn<Prepared>;

/** Tries of each way to leave, at different moments, because a crash depends on the moment. */
const ROUNDS = Number(process.env.NNUNET_DIAG_LEAVE_ROUNDS || 3);
/** Milliseconds from the first step of the verb to the last moment tried: some training iterations. */
const SPAN = 400;
/** Milliseconds after which a process is considered to hang, on a busy machine. */
const PATIENCE = 300_000;

const LEAVE = fileURLToPath(new URL('leave.js', import.meta.url));
const MAIN = join(packageRoot, 'dist', 'ts', 'cli', 'main.js');
const SMALL: Shape = [24, 24, 24];
const LARGE: Shape = [96, 96, 96];

test.before(async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'nnunet-leave-'));
  const folders = {
    rawDataBase: join(root, 'raw'),
    preprocessed: join(root, 'preprocessed'),
    results: join(root, 'results'),
  };
  await mkdir(folders.rawDataBase);
  const cases = (shape: Shape) =>
    Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [name, shape]));
  await writeTask(folders.rawDataBase, 'Task701_Small', cases(SMALL));
  await writeTask(folders.rawDataBase, 'Task702_Large', cases(LARGE));
  await planAndPreprocess({ task: '701', configurations: ['3d_fullres'], ...folders }).result;
  t.context = { root, folders };
});

test.after.always(async (t) => {
  if (t.context.root) await rm(t.context.root, { recursive: true, force: true });
});

type Verb = 'train' | 'preprocess';
let runs = 0;

/** Options of a verb that runs for minutes, with folders of its own. */
function optionsOf(t: ExecutionContext<Prepared>, verb: Verb) {
  const { root, folders } = t.context;
  runs += 1;
  const own = join(root, `run${runs}`);
  if (verb === 'train') {
    const size = { patchSize: [32, 32, 32], batchSize: 2, epochs: 100, iterations: 100 };
    const fixed = { configuration: '3d_fullres', fold: 'all', precision: 'float32' };
    return { task: '701', ...fixed, ...size, ...folders, results: own };
  }
  return { task: '702', configurations: ['3d_fullres'], workers: 1, ...folders, preprocessed: own };
}

/** End and output of a process. */
interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Runs Node and calls `meddle` after the first step of the verb. Kills a process that does not end in time. */
async function node(
  argv: readonly string[],
  meddle: (child: ChildProcess) => Promise<void> = async () => {},
): Promise<End> {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const end = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const text = { out: '', err: '' };
  child.stderr.on('data', (chunk) => (text.err += chunk));
  let meddling: Promise<void> | undefined;
  child.stdout.on('data', (chunk) => {
    text.out += chunk;
    // The progress of a training that only begins is that of checks.
    const step = argv.includes('train') ? '"type":"iteration"' : '"type":"progress"';
    if (text.out.includes(step)) meddling ??= meddle(child);
  });
  const [code, signal] = await end;
  await meddling;
  clearTimeout(late);
  return { code, signal, ...text };
}

/** Expected end of each way to leave. */
interface Expected {
  readonly code: number;
  readonly out?: RegExp;
  readonly err?: RegExp;
}

const WAYS: Readonly<Record<string, Expected>> = {
  exit: { code: 3 },
  throw: { code: 1, err: /Error: uncaught/ },
  // 0 if the run had ended before.
  'worker-terminate': { code: 0, out: /^worker [01]\n$/ },
  'worker-exit': { code: 0, out: /^worker 3\n$/ },
  'worker-throw': { code: 0, out: /^uncaught\nworker 1\n$/ },
  'worker-leave': { code: 4 },
};

for (const verb of ['train', 'preprocess'] as const) {
  for (const [way, { code, out = /^$/, err = /^$/ }] of Object.entries(WAYS)) {
    test.serial(`${verb}: ${way} ends with ${code}`, async (t) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const delay = Math.round((SPAN * round) / ROUNDS);
        const options = JSON.stringify(optionsOf(t, verb));
        const end = await node([LEAVE, way, String(delay), verb, options]);
        const context = `round ${round}: ${JSON.stringify(end)}`;
        t.deepEqual([end.code, end.signal], [code, null], context);
        t.regex(end.out, out, context);
        t.regex(end.err, err, context);
      }
    });
  }
}

/** Flags for the options of a verb with long iterations or cases. */
function flagsOf(t: ExecutionContext<Prepared>, verb: Verb): string[] {
  const { root, folders } = t.context;
  runs += 1;
  const own = join(root, `run${runs}`);
  const shared = ['-c', '3d_fullres', '--json', '--raw-data-base', folders.rawDataBase];
  if (verb === 'preprocess') return [verb, '702', ...shared, '--workers', '1', '--preprocessed', own];
  const size = ['--patch-size', '64', '64', '64', '--batch-size', '2', '--precision', 'float32'];
  return [
    verb,
    '701',
    ...shared,
    '-f',
    'all',
    ...size,
    '--preprocessed',
    folders.preprocessed,
    '--results',
    own,
  ];
}

for (const verb of ['train', 'preprocess'] as const) {
  test.serial(`${verb}: a second Ctrl-C ends with 130 at once`, async (t) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      let second = Number.POSITIVE_INFINITY;
      const end = await node([MAIN, ...flagsOf(t, verb)], async (child) => {
        await sleep(Math.round((SPAN * round) / ROUNDS));
        child.kill('SIGINT');
        await sleep(250);
        child.kill('SIGINT');
        second = Date.now();
      });
      const took = Date.now() - second;
      t.deepEqual([end.code, end.signal], [130, null], `round ${round}: ${end.err}`);
      t.true(took < 3000, `${took} ms`);
    }
  });
}
