import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const module = fileURLToPath(new URL('../ts/cli/process.js', import.meta.url));

/** A program that writes until it is asked to stop, and tells the parent so. */
const endless = `
  import { runProcess } from ${JSON.stringify(module)};
  await runProcess(async (_, io) => {
    while (!io.signal.aborted) {
      for (const stream of [io.out, io.err]) stream.write('x'.repeat(1000));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    process.send('stopped cleanly');
    return 130;
  });
`;

for (const name of ['stdout', 'stderr'] as const) {
  test(`a reader of ${name} that goes away ends the work cleanly`, async (t) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', endless], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout, child.stderr]) stream?.resume();
    const messages: unknown[] = [];
    child.on('message', (message) => messages.push(message));
    const stream = child[name];
    if (stream === null) return t.fail();
    await once(stream, 'data');
    stream.destroy();
    const [code] = (await once(child, 'exit')) as [number | null];
    t.deepEqual(messages, ['stopped cleanly']);
    t.is(code, 130);
  });
}
