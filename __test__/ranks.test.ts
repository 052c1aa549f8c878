/** Training in several processes: the numbers of one process, and an end with the cause when a rank dies or is suspended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { NnunetError, train } from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { preprocessedTask } from './made-up.js';
import { freePort } from './port.js';

const MAIN = join(packageRoot, 'dist', 'ts', 'cli', 'main.js');
const FLAGS = [
  ...['train', '701', '-c', '3d_fullres', '-f', '0', '--patch-size', '16x16x16', '--batch-size', '4'],
  ...['--iterations', '4', '--validation-iterations', '2', '--save-every', '1', '--initial-lr', '0.0002'],
  ...['--precision', 'float32', '--device', 'cpu', '--workers', '2', '--json'],
];

interface Ended {
  readonly code: number | null;
  readonly events: readonly Record<string, unknown>[];
  readonly err: string;
}

/** A small preprocessed task, and the flags of a training of it with a model folder of its own. */
async function prepare(t: ExecutionContext): Promise<{ root: string; preprocessed: string; flags: Flags }> {
  t.timeout(20 * 60_000);
  const { root, folders } = await preprocessedTask(t);
  const flags: Flags = (name, ...more) => [
    ...[...FLAGS, '--preprocessed', folders.preprocessed, '--output-folder', join(root, name)],
    ...more,
  ];
  return { root, preprocessed: folders.preprocessed, flags };
}

type Flags = (name: string, ...more: readonly string[]) => string[];

/** Runs the command line. `seen` is called with each event. */
async function run(
  argv: readonly string[],
  seen: (event: Record<string, unknown>, child: ChildProcess) => void = () => {},
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const events: Record<string, unknown>[] = [];
  let [rest, err] = ['', ''];
  child.stderr.on('data', (chunk) => (err += chunk));
  child.stdout.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = JSON.parse(line) as Record<string, unknown>;
      events.push(event);
      seen(event, child);
    }
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, events, err };
}

function losses(events: readonly Record<string, unknown>[]): number[] {
  return events.filter(({ type }) => type === 'iteration').map(({ loss }) => Number(loss));
}

function close(t: ExecutionContext, found: readonly number[], expected: readonly number[]): void {
  t.is(found.length, expected.length);
  for (const [step, loss] of found.entries()) {
    const difference = Math.abs(loss - Number(expected[step]));
    t.true(difference < 1e-5, `step ${step}: ${loss} ${expected[step]}`);
  }
}

/** The process of a rank that `child` started, on Linux. */
function rankOf(child: ChildProcess, rank: number): number {
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = /\) \S+ (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1];
      const variables = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
      if (Number(parent) === child.pid && variables.includes(`RANK=${rank}`)) return Number(name);
    } catch {
      // A process that has just ended.
    }
  }
  throw new Error(`no process of rank ${rank}`);
}

test.serial('two ranks have the losses of one, and write the files of one', async (t) => {
  const { root, flags } = await prepare(t);
  const one = await run(flags('one', '--epochs', '2'));
  t.is(one.code, 0, one.err);
  const two = await run(flags('two', '--epochs', '2', '--gpus', '2'));
  t.is(two.code, 0, two.err + JSON.stringify(two.events.at(-1)));
  close(t, losses(two.events), losses(one.events));
  const files = (name: string) =>
    readdirSync(join(root, name, 'fold_0'))
      .map((file) => file.replace(/training_log_.*/, 'log'))
      .sort();
  t.deepEqual(files('two'), files('one'));
  const debug = JSON.parse(readFileSync(join(root, 'two', 'fold_0', 'debug.json'), 'utf8'));
  t.is(debug.world_size, '2');
  const starts = two.events.filter(({ type }) => type === 'started');
  t.is(starts.length, 1, 'events of one rank');
});

test.serial('the variables of torchrun make a process a rank, and one speaks for all', async (t) => {
  const { flags } = await prepare(t);
  const port = await freePort();
  const ranks = ['0', '1'].map((rank) =>
    run(flags('env', '--epochs', '1', '--no-validate'), undefined, {
      RANK: rank,
      LOCAL_RANK: rank,
      WORLD_SIZE: '2',
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT: String(port),
    }),
  );
  const [first, second] = await Promise.all(ranks);
  t.deepEqual([first?.code, second?.code], [0, 0], `${first?.err}${second?.err}`);
  t.is(first?.events.at(-1)?.type, 'done');
  t.deepEqual(second?.events, []);
});

for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
  for (const rank of [1, 0]) {
    test.serial(
      `rank ${rank} gets ${signal}: the others end with its number, and the training continues`,
      async (t) => {
        if (process.platform !== 'linux') return t.pass('reads /proc');
        const { flags } = await prepare(t);
        const argv = flags('ended', '--epochs', '3', '--gpus', '2', '--rank-timeout', '6s');
        let hit = 0;
        const ended = await run(argv, (event, child) => {
          if (event.type !== 'checkpoint' || hit > 0) return;
          hit = Date.now();
          process.kill(rankOf(child, rank), signal);
        });
        t.true(hit > 0 && Date.now() - hit < 60_000, `${(Date.now() - hit) / 1000} s`);
        t.is(ended.code, 1, ended.err);
        const { error } = ended.events.at(-1) as { error: { code: string; message: string } };
        t.is(error.code, 'ERR_RANK_FAILED', error.message);
        t.true(error.message.startsWith(`rank ${rank} failed: `), error.message);
        t.true(error.message.includes(signal === 'SIGKILL' ? 'SIGKILL' : 'suspended'), error.message);
        const again = await run([...argv, '--continue']);
        t.is(again.code, 0, again.err + JSON.stringify(again.events.at(-1)));
        t.is((again.events.at(-1)?.result as { epochs: number } | undefined)?.epochs, 3);
      },
    );
  }
}

test.serial(
  'if rank 1 dies, rank 0 saves what it has trained, and the training continues from there',
  async (t) => {
    if (process.platform !== 'linux') return t.pass('reads /proc');
    const { root, flags } = await prepare(t);
    // No checkpoint is due before the end.
    const argv = flags('saved', '--epochs', '3', '--save-every', '50', '--rank-timeout', '6s');
    let hit = false;
    const ended = await run([...argv, '--gpus', '2'], (event, child) => {
      if (event.type !== 'iteration' || event.epoch !== 1 || hit) return;
      hit = process.kill(rankOf(child, 1), 'SIGKILL');
    });
    t.is(ended.code, 1, ended.err);
    const { error } = ended.events.at(-1) as { error: { code: string; message: string } };
    t.regex(error.message, /^rank 1 failed: .*SIGKILL/);
    t.true(readdirSync(join(root, 'saved', 'fold_0')).includes('model_latest.model'));
    const again = await run([...argv, '--continue']);
    t.is(again.code, 0, again.err + JSON.stringify(again.events.at(-1)));
    const whole = await run(flags('whole', '--epochs', '3', '--save-every', '50'));
    const [before, after, expected] = [ended.events, again.events, whole.events].map(losses);
    // Nothing is trained twice or left out.
    const kept = (expected?.length ?? 0) - (after?.length ?? 0);
    t.true(kept >= 4 && kept <= (before?.length ?? 0) + 1, `${kept} of ${before?.length} steps were saved`);
    close(t, after ?? [], expected?.slice(kept) ?? []);
  },
);

test.serial('ranks that torchrun starts again continue, under the same address', async (t) => {
  const { flags } = await prepare(t);
  const port = await freePort();
  const argv = flags('elastic', '--epochs', '3', '--no-validate', '--continue', '--rank-timeout', '6s');
  /** An attempt as torchrun starts it: the processes of the attempt before have ended. */
  const attempt = (count: number, seen: (event: Record<string, unknown>, child: ChildProcess) => void) =>
    Promise.all(
      ['0', '1'].map((rank) =>
        run(argv, seen, {
          ...{ RANK: rank, LOCAL_RANK: rank, WORLD_SIZE: '2', LOCAL_WORLD_SIZE: '2' },
          ...{ MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(port), TORCHELASTIC_RUN_ID: 'none' },
          ...{ TORCHELASTIC_RESTART_COUNT: String(count), TORCHELASTIC_MAX_RESTARTS: '1' },
        }),
      ),
    );
  let killed = false;
  const first = await attempt(0, (event, child) => {
    if (event.type === 'checkpoint' && !killed) killed = child.kill('SIGKILL');
  });
  t.deepEqual(
    first.map(({ code }) => code),
    [null, 1],
    first[1]?.err,
  );
  t.regex(JSON.stringify(first[1]?.events.at(-1)), /rank 0 failed/);
  const second = await attempt(1, () => {});
  t.deepEqual(
    second.map(({ code }) => code),
    [0, 0],
    second.map(({ err }) => err).join(),
  );
  const started = second[0]?.events.find(({ type }) => type === 'epoch');
  t.true(Number(started?.epoch) >= 1, 'the epochs of the first attempt are kept');
});

test.serial('SIGTERM stops all ranks with 85, and one rank continues', async (t) => {
  if (process.platform === 'win32') return t.pass('Windows has no such signal');
  const { flags } = await prepare(t);
  const argv = flags('stopped', '--epochs', '3');
  let sent = false;
  const stopped = await run([...argv, '--gpus', '2'], (event, child) => {
    if (event.type === 'iteration' && event.epoch === 1 && !sent) sent = child.kill('SIGTERM');
  });
  t.is(stopped.code, 85, stopped.err);
  const again = await run([...argv, '--continue']);
  t.is(again.code, 0, again.err);
  const whole = await run(flags('whole', '--epochs', '3'));
  close(t, [...losses(stopped.events), ...losses(again.events)], losses(whole.events));
});

test.serial(
  'a batch smaller than the number of ranks is refused, and cancelling stops all ranks',
  async (t) => {
    const { root, preprocessed } = await prepare(t);
    const options = {
      ...({ task: '701', configuration: '3d_fullres', fold: '0', preprocessed, device: 'cpu' } as const),
      ...{ patchSize: [16, 16, 16], batchSize: 1, gpus: 2, outputFolder: join(root, 'api') },
    };
    const error = await t.throwsAsync(train(options).result, { instanceOf: NnunetError });
    t.is(error?.code, 'ERR_OPTIONS');
    t.true(error?.message.includes('a sample for each rank'), error?.message);
    const run = train({ ...options, batchSize: 2 });
    for await (const event of run) if (event.type === 'iteration') break;
    const cancelled = await t.throwsAsync(run.result, { instanceOf: NnunetError });
    t.is(cancelled?.code, 'ERR_CANCELLED');
  },
);
