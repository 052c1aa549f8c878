/** The command `watch`, as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { packageRoot } from '../ts/version.js';
import { cli } from './made-up.js';
import { ask, training } from './made-up-watch.js';

const main = join(packageRoot, 'dist/ts/cli/main.js');

/** The running command: its lines as they come, and its end. */
function start(t: ExecutionContext, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child: ChildProcess = spawn(process.execPath, [main, 'watch', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const seen: string[] = [];
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface(stream).on('line', (line) => {
      seen.push(line);
      for (const look of waiting) look();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  /** Waits for a line that matches. */
  const says = (text: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = seen.find((line) => text.test(line));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      ended.then(() => reject(new Error(`no ${text} in ${seen.join('\n')}`)));
      look();
    });
  return { child, seen, says, ended };
}

const ADDRESS = /^http:\/\/127\.0\.0\.1:\d+\/[\w-]+\/$/;

test('watch prints the address; Ctrl-C ends it', async (t) => {
  const { model } = await training(t, 1);
  const { child, says, ended } = start(t, [model]);
  const url = await says(ADDRESS);
  t.is((await ask(url)).status, 200);
  await says(/^images and scores are ready$/);
  child.kill('SIGINT');
  t.is(await ended, 0);
  await t.throwsAsync(ask(url), { code: 'ECONNREFUSED' });
});

test('--json writes the address and events as lines', async (t) => {
  const { model, epoch } = await training(t, 1);
  const { child, seen, says, ended } = start(t, [model, '--json', '--interval', '0.1']);
  const { url, port } = JSON.parse(await says(/"type":"listening"/)) as { url: string; port: number };
  t.is(Number(new URL(url).port), port);
  await says(/"type":"update"/);
  await epoch(1);
  child.kill('SIGTERM');
  t.is(await ended, 0);
  t.like(JSON.parse(seen.filter((line) => line.startsWith('{')).at(-1) ?? '{}'), {
    format: 1,
    type: 'done',
    result: { url },
  });
});

test('--host beyond this machine is a warning; a used port and a wrong path are errors', async (t) => {
  const { root, model } = await training(t, 1);
  const open = start(t, [model, '--host', '0.0.0.0']);
  t.regex(await open.says(/^warning: /), /can be read from other machines .* nothing is encrypted/);
  const address = await open.says(/^http:/);
  const second = await cli(['watch', model, '--host', '0.0.0.0', '--port', new URL(address).port]);
  t.is(second.code, 2);
  t.regex(second.err, /^error: --port: port \d+ of 0\.0\.0\.0 is in use; choose another one, or 0/);
  open.child.kill('SIGINT');
  await open.ended;
  t.is((await cli(['watch', join(root, 'none')])).code, 1);
  const wrong = await cli(['watch', model, '--interval', 'often']);
  t.is(wrong.code, 2);
  t.regex(wrong.err, /--interval: expected a number from 0\.1 to 3600, got "often"/);
});

const posix = process.platform === 'linux' ? test : test.skip;

posix('--open gives the browser a file that leads to the page, not the address', async (t) => {
  const { root, model } = await training(t, 1);
  const [bin, log] = [join(root, 'bin'), join(root, 'opened')];
  await mkdir(bin);
  const program = join(bin, 'xdg-open');
  await writeFile(
    program,
    `#!/bin/sh\necho "$@" > ${log}\ncat "$1" >> ${log}\nls -l "$1" >> ${log}\nexit 3\n`,
  );
  await chmod(program, 0o755);
  const { child, says, ended } = start(t, [model, '--open'], {
    PATH: `${bin}${delimiter}${process.env.PATH}`,
  });
  const url = await says(ADDRESS);
  // The made-up browser fails after it has written what it got.
  await says(
    /^warning: the browser could not be opened \(xdg-open ended with 3\); open the address yourself$/,
  );
  const [argument = '', ...content] = (await readFile(log, 'utf8')).split('\n');
  t.false(argument.includes(url));
  t.true(content.join('\n').includes(`url=${url}`));
  t.true(content.some((line) => line.startsWith('-rw-------')));
  t.is((await ask(url)).status, 200);
  child.kill('SIGINT');
  t.is(await ended, 0);
  await t.throwsAsync(readFile(argument), { code: 'ENOENT' });
});

posix('--open without a browser is a warning', async (t) => {
  const { model } = await training(t, 1);
  const { child, says, ended } = start(t, [model, '--open'], { PATH: '/nonexistent' });
  await says(ADDRESS);
  await says(/^warning: the browser could not be opened \(spawn xdg-open ENOENT\)/);
  child.kill('SIGINT');
  t.is(await ended, 0);
});

test('a configuration file has options of watch; flags win, and its faults name the file', async (t) => {
  const { root, model } = await training(t, 1);
  const config = join(root, 'nnunet-diag.config.json');
  // The page takes one thread, so threads of all verbs are not its.
  await writeFile(config, JSON.stringify({ common: { workers: 2 }, watch: { host: 'localhost' } }));
  const named = start(t, [model, '--config', config]);
  await named.says(/^http:\/\/localhost:/);
  named.child.kill('SIGINT');
  await named.ended;
  const flag = start(t, [model, '--config', config, '--host', '127.0.0.1']);
  await flag.says(ADDRESS);
  flag.child.kill('SIGINT');
  await flag.ended;
  await writeFile(config, JSON.stringify({ watch: { interval: 0 } }));
  const wrong = await cli(['watch', model, '--config', config]);
  t.is(wrong.code, 2);
  t.true(wrong.err.includes(`${config}: watch.interval: `), wrong.err);
});
