/** `doctor`: every check, the trial in a process of its own, and the report. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { addonCheck, folderCheck, libtorchChecks, nodeCheck, systemChecks } from '../ts/doctor/checks.js';
import { runTrial } from '../ts/doctor/run-trial.js';
import { satisfies } from '../ts/doctor/system.js';
import { doctor } from '../ts/doctor.js';
import type { LibtorchStatus } from '../ts/libtorch/status.js';
import { packageRoot } from '../ts/version.js';
import { cli } from './made-up.js';

const main = join(packageRoot, 'dist', 'ts', 'cli', 'main.js');

/** `nnunet-diag doctor` in its own process with other environment variables. */
function run(flags: string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [main, 'doctor', ...flags], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
}

test('doctor preprocesses, trains and predicts, one line a check', async (t) => {
  const { status, stdout } = run([]);
  t.is(status, 0, stdout);
  for (const name of ['node', 'addon', 'libtorch', 'memory', 'preprocess', 'train', 'predict']) {
    t.regex(stdout, new RegExp(`^ok +${name} `, 'm'));
  }
  t.regex(stdout, /^ok +train +one iteration on (cpu|cuda\S*) in \w+, [\d.]+ s$/m);
  t.regex(stdout, /no problem found\n$/);
});

test('--quick leaves the training out; --json writes the typed report', async (t) => {
  const { code, out } = await cli(['doctor', '--quick', '--json']);
  t.is(code, 0);
  const { format, type, result } = JSON.parse(out);
  t.like({ format, type }, { format: 1, type: 'done' });
  t.like(result, { healthy: true, node: process.versions.node });
  const names = result.checks.map(({ name }: { name: string }) => name);
  t.true(names.includes('libtorch') && !names.includes('train'));
  t.true(result.memory.total > 0 && result.memory.limit !== 0);
  t.deepEqual((await doctor({ quick: true })).checks.length, names.length);
});

test('a failed check has exit code 1, its advice, and skips the trial', (t) => {
  const { status, stdout } = run([], {
    NNUNET_DIAG_LIBTORCH: '/nonexistent',
    RESULTS_FOLDER: '/nonexistent',
  });
  t.is(status, 1);
  t.regex(stdout, /^failed +libtorch +ERR_LIBTORCH_MISSING\n {4}.*NNUNET_DIAG_LIBTORCH is set/m);
  t.regex(stdout, /^failed +RESULTS_FOLDER +\/nonexistent: missing\n {4}Create the folder/m);
  t.regex(stdout, /^skipped +train /m);
  t.regex(stdout, /problems found: libtorch, RESULTS_FOLDER\n$/);
});

const onUnix = process.platform === 'win32' ? test.skip : test;

onUnix('a temporary folder that does not exist is a failed check, not an exception', (t) => {
  const { status, stdout } = run([], { TMPDIR: '/nonexistent' });
  t.is(status, 1, stdout);
  t.regex(stdout, /^failed +train .*\n {4}A trial needs a temporary folder/m);
});

/** The checks of a trial whose program is this script. */
async function trialOf(t: ExecutionContext, script: string) {
  const root = await mkdtemp(join(tmpdir(), 'nnunet-trial-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  await writeFile(join(root, 'program.mjs'), script);
  return runTrial(join(root, 'program.mjs'));
}

const STEP =
  'console.log(JSON.stringify({ name: "preprocess", seconds: 1, found: "2 cases", problem: null }));';

onUnix('a crash of the trial is a failed check that names the signal', async (t) => {
  const checks = await trialOf(t, `${STEP} setTimeout(() => process.kill(process.pid, 'SIGILL'), 50);`);
  t.like(checks[0], { name: 'preprocess', state: 'ok', found: '2 cases, 1.0 s' });
  t.like(checks[1], { name: 'train', state: 'failed', found: 'the program ended with SIGILL' });
  t.regex(checks[1]?.advice ?? '', /The processor lacks an instruction/);
});

test('an error of the trial is a failed check with its message', async (t) => {
  const problem = '{ code: "ERR_OUT_OF_MEMORY", message: "too little memory" }';
  const checks = await trialOf(
    t,
    `${STEP} console.log(JSON.stringify({ name: "train", seconds: 1, found: "", problem: ${problem} }));`,
  );
  t.deepEqual(checks.at(-1), {
    name: 'train',
    state: 'failed',
    found: 'ERR_OUT_OF_MEMORY',
    advice: 'too little memory',
  });
});

test('a supported version of Node satisfies the range of engines', (t) => {
  const range = '^20.17.0 || >=22.13.0';
  for (const version of ['20.17.0', '20.20.2', '22.13.0', '22.14.1', '24.0.0']) {
    t.true(satisfies(version, range), version);
  }
  for (const version of ['18.20.0', '20.16.9', '21.7.0', '22.12.9'])
    t.false(satisfies(version, range), version);
  t.like(nodeCheck('18.20.0', range), {
    state: 'failed',
    advice: `Install Node ${range} (https://nodejs.org).`,
  });
});

const USABLE: LibtorchStatus = {
  needed: '2.11.x',
  places: [],
  libtorch: { root: '/l', lib: '/l/lib', version: '2.11.0', source: 'cache', cuda: false },
  devices: ['cpu'],
  precision: 'float32',
  problem: null,
};

test('a GPU that libtorch cannot use is a warning with what to do', (t) => {
  t.deepEqual(
    libtorchChecks(USABLE, undefined).map(({ state }) => state),
    ['ok', 'ok'],
  );
  const [, withoutCuda] = libtorchChecks(USABLE, '580.95.05');
  t.is(withoutCuda?.state, 'warning');
  t.regex(withoutCuda?.advice ?? '', /nnunet-diag libtorch install --cuda/);
  const cuda = { ...USABLE, libtorch: USABLE.libtorch && { ...USABLE.libtorch, cuda: true } };
  t.regex(libtorchChecks(cuda, '550.54.15')[1]?.advice ?? '', /580 or later; this machine has 550\.54\.15/);
  t.regex(libtorchChecks(cuda, '580.95.05')[1]?.advice ?? '', /CUDA_VISIBLE_DEVICES/);
  const gpu = { ...cuda, devices: ['cuda:0 NVIDIA', 'cpu'] };
  t.is(libtorchChecks(gpu, '580.95.05')[1]?.state, 'ok');
});

test('little memory and few open files are warnings', (t) => {
  const GIB = 2 ** 30;
  const states = (limit: number | null, files: number | null) =>
    systemChecks(2, { total: 16 * GIB, free: GIB, limit }, files).map(({ state }) => state);
  t.deepEqual(states(null, null), ['ok', 'ok', 'ok']);
  t.deepEqual(states(2 * GIB, 64), ['ok', 'warning', 'warning']);
  const [, memory] = systemChecks(2, { total: 16 * GIB, free: GIB, limit: 8 * GIB }, null);
  t.is(memory?.found, '8.0 GiB, the limit of this container or job; 1.0 GiB free on the machine');
});

test('a folder of nnU-Net that cannot be used is a failed check with what to do', (t) => {
  const variable = 'RESULTS_FOLDER';
  const check = (
    path: string | null,
    state: Parameters<typeof folderCheck>[0]['state'],
    free: number | null,
  ) => folderCheck({ variable, path, state, free });
  t.is(check(null, 'not set', null).state, 'skipped');
  t.is(check('/r', 'writable', 2 ** 40).state, 'ok');
  t.is(check('/r', 'writable', 2 ** 20).state, 'warning');
  t.regex(check('/r', 'no folder', null).advice ?? '', /names a file/);
  t.regex(check('/r', 'not writable', null).advice ?? '', /right to write/);
  t.is(check('"/r"', 'missing', null).advice, 'Remove the quotation marks from RESULTS_FOLDER.');
});

test('an addon that does not load is a failed check with the message of the loader', (t) => {
  t.is(addonCheck(null, 'linux-x64-gnu').state, 'ok');
  t.like(addonCheck('no native addon', 'linux-x64-gnu'), { state: 'failed', advice: 'no native addon' });
});
