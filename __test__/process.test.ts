import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';

const module = fileURLToPath(new URL('../ts/cli/process.js', import.meta.url));

/** A program that writes until it is cancelled, ends a little later, and then writes to the file in its argument. */
const endless = `
  import { writeFileSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { runProcess } from ${JSON.stringify(module)};
  await runProcess(async ([file], io) => {
    while (!io.signal.aborted) {
      for (const stream of [io.out, io.err]) stream.write('x'.repeat(1000));
      await sleep(1);
    }
    await sleep(500);
    writeFileSync(file, 'stopped cleanly');
    return 130;
  });
`;
const argv = ['--input-type=module', '-e', endless, '--', 'program'];

/** The file that the program writes at its end. */
async function witness(t: ExecutionContext): Promise<{ file: string; read: () => Promise<string> }> {
  const folder = await mkdtemp(join(tmpdir(), 'nnunet-process-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'end');
  return { file, read: () => readFile(file, 'utf8').catch(() => 'nothing') };
}

/** Starts the program and calls `meddle` when it writes. Returns its end and the content of the file. */
async function run(t: ExecutionContext, meddle: (child: ChildProcess) => unknown) {
  const { file, read } = await witness(t);
  const child = spawn(process.execPath, [...argv, file], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.resume();
  await Promise.all([once(child.stdout, 'data'), once(child.stderr, 'data')]);
  const end = once(child, 'exit');
  await meddle(child);
  return { end: await end, said: await read() };
}

for (const name of ['stdout', 'stderr'] as const) {
  test(`a closed ${name} stops the program with exit code 0`, async (t) => {
    const { end, said } = await run(t, (child) => child[name]?.destroy());
    t.deepEqual(end, [0, null]);
    t.is(said, 'stopped cleanly');
  });
}

const onUnix = process.platform === 'win32' ? test.skip : test;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  onUnix(`${signal} stops the program with exit code 130`, async (t) => {
    const { end, said } = await run(t, (child) => child.kill(signal));
    t.deepEqual(end, [130, null]);
    t.is(said, 'stopped cleanly');
  });
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  onUnix(`a second ${signal} ends the process at once with exit code 130`, async (t) => {
    const { end, said } = await run(t, async (child) => {
      child.kill(signal);
      await sleep(300);
      child.kill(signal);
    });
    t.deepEqual(end, [130, null]);
    t.is(said, 'nothing');
  });
}

onUnix('a second SIGHUP and a Ctrl-C forwarded by npx do not end the process at once', async (t) => {
  for (const [signal, wait] of [
    ['SIGHUP', 300],
    ['SIGINT', 20],
  ] as const) {
    const { end, said } = await run(t, async (child) => {
      child.kill(signal);
      await sleep(wait);
      child.kill(signal);
    });
    t.deepEqual(end, [130, null]);
    t.is(said, 'stopped cleanly');
  }
});

/** Runs a command on a terminal that closes when the command writes; exits with the exit code of the command. */
const terminal = `
import os, pty, subprocess, sys
controlling, command = sys.argv[1] == 'controlling', sys.argv[2:]
if controlling:
    child, master = pty.fork()
    if child == 0:
        os.execv(command[0], command)
else:
    master, slave = pty.openpty()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, start_new_session=True)
    child = process.pid
    os.close(slave)
os.read(master, 1000)
os.close(master)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
`;
const terminals = spawnSync('python3', ['-c', 'import pty']).status === 0;
const onTerminal = terminals ? test : test.skip;

for (const [what, kind] of [
  ['a closed controlling terminal', 'controlling'],
  ['a closed other terminal', 'other'],
] as const) {
  onTerminal(`${what} stops the program with exit code 130`, async (t) => {
    const { file, read } = await witness(t);
    const child = spawn('python3', ['-c', terminal, kind, process.execPath, ...argv, file]);
    const [code] = (await once(child, 'exit')) as [number | null];
    t.is(code, 130);
    t.is(await read(), 'stopped cleanly');
  });
}
