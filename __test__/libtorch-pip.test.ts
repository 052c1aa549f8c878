/** `libtorch install` with pip: which pip is used, resume, two processes at once. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { pinnedWheels } from '../ts/libtorch/wheels.js';
import { fakePip, folder, install, onLinux, program, writeWheels } from './made-up-wheels.js';

// A program on the path is a script here, which Windows cannot run.
const onUnix = process.platform !== 'win32' && pinnedWheels('cpu').length > 0 ? test : test.skip;
/** The second wheel exists on Linux only. */
const withSecond = onLinux ? onUnix : test.skip;

/**
 * A cache, a folder of programs, and a pip that copies made-up wheels; `calls` are the requirements it was
 * asked for.
 */
async function setting(t: ExecutionContext) {
  const [base, cache] = [await folder(t), await folder(t)];
  const [path, wheels, log] = [join(base, 'bin'), join(base, 'wheels'), join(base, 'calls')];
  await writeWheels(wheels);
  await mkdir(path);
  await writeFile(log, '');
  const calls = async () => (await readFile(log, 'utf8')).trim().split('\n');
  const pip = (hangs?: string) => fakePip(wheels, log, hangs);
  return { cache, path, wheels, pip, calls, libtorch: join(cache, 'libtorch') };
}

const NO_PIP = 'console.error("No module named pip"); process.exit(1);';
const REQUIREMENTS = pinnedWheels('cpu').map(({ project, version }) => `${project}==${version}`);

onUnix('the first pip that is new enough downloads every wheel by itself', async (t) => {
  const { cache, path, pip, calls, libtorch } = await setting(t);
  await program(path, 'python3', NO_PIP);
  await program(path, 'python', 'console.log("pip 9.0.3 from /usr (python 2.7)")');
  await program(path, 'pip3', pip());
  await program(path, 'pip', 'process.exit(1)');
  const { code, err } = await install(cache, [], { PATH: path }).end;
  t.is(code, 0, err);
  t.regex(err, /using pip3 \(pip 25\.1\)/);
  t.regex(err, /\d+ MB to download, \d+ MB on disk in /);
  t.regex(err, /100 %, .* downloaded/);
  t.deepEqual((await calls()).sort(), [...REQUIREMENTS].sort());
  t.deepEqual(await readdir(libtorch), ['2.11.0-cpu']);
});

for (const [name, file] of [
  ['VIRTUAL_ENV', 'venv/bin/python'],
  ['CONDA_PREFIX', 'conda/bin/python'],
] as const) {
  onUnix(`the Python of ${name} comes first`, async (t) => {
    const { cache, path, pip } = await setting(t);
    await program(dirname(join(path, file)), 'python', pip());
    await program(path, 'python3', NO_PIP);
    const root = dirname(dirname(join(path, file)));
    const { code, err } = await install(cache, [], { PATH: path, [name]: root }).end;
    t.is(code, 0, err);
    t.true(err.includes(`using ${join(path, file)} -m pip`), err);
  });
}

onUnix('uv runs pip where no Python has one', async (t) => {
  const { cache, path, pip } = await setting(t);
  await program(path, 'uv', `process.argv.splice(2, 3); ${pip()}`);
  const { code, err } = await install(cache, [], { PATH: path }).end;
  t.is(code, 0, err);
  t.regex(err, /using uv tool run pip \(pip 25\.1\)/);
});

onUnix('without pip the error says what every command answered, and how to use --from', async (t) => {
  const { cache, path } = await setting(t);
  await program(path, 'python3', NO_PIP);
  await program(path, 'pip', 'console.log("pip 9.0.3 from /usr (python 2.7)")');
  const { code, err } = await install(cache, [], { PATH: path }).end;
  t.is(code, 1);
  t.regex(err, /ERR_LIBTORCH_INSTALL: no pip was found/);
  t.regex(err, /python3 -m pip: No module named pip\n/);
  t.regex(err, /python -m pip: not found\n/);
  t.regex(err, /py -3 -m pip: not found\n/);
  t.regex(err, /pip: pip 9\.0; needed 21\.0 or later\n/);
  t.regex(err, /uv tool run pip: not found\n/);
  t.regex(err, /pip download -d wheels .* torch==2\.11\.0/);
  t.regex(err, /nnunet-diag libtorch install --from wheels/);
});

onUnix('an error of pip has its last lines', async (t) => {
  const { cache, path, pip, wheels } = await setting(t);
  const empty = await folder(t);
  await program(path, 'pip3', pip().replaceAll(JSON.stringify(wheels), JSON.stringify(empty)));
  const { code, err } = await install(cache, [], { PATH: path }).end;
  t.is(code, 1);
  t.regex(err, /pip3 could not download torch==2\.11\.0: no matching distribution for torch/);
});

/** Waits until something holds. */
async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await sleep(50);
}

withSecond('an installation that SIGKILL ended continues with the wheels that are complete', async (t) => {
  const { cache, path, pip, calls, libtorch } = await setting(t);
  await program(path, 'pip', pip('nvidia'));
  const first = install(cache, [], { PATH: path });
  await until(async () => (await calls()).length === 2);
  first.child.kill('SIGKILL');
  await first.end;
  const left = await readdir(libtorch);
  t.true(left.includes('install.lock') && left.some((name) => name.startsWith('incomplete-')));
  await program(path, 'pip', pip());
  const { code, err } = await install(cache, [], { PATH: path }).end;
  t.is(code, 0, err);
  t.regex(err, /torch-2\.11\.0\S+ is downloaded already/);
  t.is((await calls()).filter((call) => call.startsWith('torch')).length, 1);
  t.deepEqual(await readdir(libtorch), ['2.11.0-cpu']);
});

withSecond('Ctrl-C keeps complete wheels and an earlier installation', async (t) => {
  const { cache, path, pip, calls, libtorch } = await setting(t);
  await program(path, 'pip', pip());
  t.is((await install(cache, [], { PATH: path }).end).code, 0);
  await program(path, 'pip', pip('nvidia'));
  const second = install(cache, ['--force'], { PATH: path });
  await until(async () => (await calls()).length === REQUIREMENTS.length + 2);
  second.child.kill('SIGINT');
  t.is((await second.end).code, 130);
  t.deepEqual((await readdir(libtorch)).sort(), ['2.11.0-cpu', 'wheels']);
  t.is((await readdir(join(libtorch, 'wheels'))).length, 1);
});

withSecond('a second process waits for the first one and finds its libtorch', async (t) => {
  const { cache, path, pip, calls, libtorch } = await setting(t);
  await program(path, 'pip', pip('nvidia-cuda-runtime'));
  const first = install(cache, [], { PATH: path });
  await until(async () => (await calls()).length > 1);
  const second = install(cache, [], { PATH: path });
  let waits = '';
  second.child.stderr?.on('data', (chunk) => {
    waits += chunk;
  });
  await until(() => waits.includes('waiting'));
  t.true(waits.includes(`another process (${first.child.pid} on ${hostname()}, since `), waits);
  t.false(existsSync(join(libtorch, '2.11.0-cpu')));
  // Ends the first one; the second one takes its lock over and installs, a third one waits for the second.
  await program(path, 'pip', pip());
  first.child.kill('SIGKILL');
  const third = install(cache, [], { PATH: path });
  const ends = await Promise.all([second.end, third.end]);
  for (const { code, err } of ends) t.is(code, 0, err);
  t.is(ends.filter(({ out }) => out.includes(' installed at ')).length, 1);
  t.is(ends.filter(({ out }) => out.includes(' is already at ')).length, 1);
  t.deepEqual(await readdir(libtorch), ['2.11.0-cpu']);
});

const realPip = spawnSync('python3', ['-m', 'pip', '--version'], { encoding: 'utf8' });
const withPip = realPip.status === 0 && /^pip (2[1-9]|[3-9]\d)\./.test(realPip.stdout) ? onUnix : test.skip;

withPip('the real pip finds wheels for another Python in a folder', async (t) => {
  const { cache, wheels } = await setting(t);
  const env = { PATH: process.env.PATH, PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels };
  const { code, err } = await install(cache, [], env).end;
  t.is(code, 0, err);
  t.regex(err, /using .*pip/);
});
