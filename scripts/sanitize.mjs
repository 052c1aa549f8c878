// npm run sanitize -- [--again] [STEP…]: runs tests under Miri and under the address, leak and thread sanitizers, and
// checks licences, advisories and signatures of dependencies. A step that passed with the same sources is not repeated.
// Without names, all steps; a name such as `thread` selects all steps that begin with it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers, capture, root, runScript, StepError, say } from './lib/process.mjs';
import { hostTarget } from './lib/setup.mjs';
import { addonEnv, instrumentedPackage } from './sanitize/addon.mjs';

const folder = join(root, 'target', 'sanitize');
const record = join(folder, 'passed.json');

/**
 * Tests under Miri, by crate: those that reach `unsafe` code, by a part of their names. Miri is about a thousand times
 * slower than the processor, so that the property tests have few cases there (`cfg!(miri)`). It has no memory maps of
 * files (`volume`, `sampling`).
 */
const MIRI = {
  edt: ['--test', 'oracle', '--', 'brute_force', 'bound_keeps', 'layout_type'],
  augment: ['--test', 'augment', '--', 'volumes_and_slices'],
  resample: ['--test', 'properties', '--', 'identity_and_constant'],
};
/** Vector code that Miri runs, because a processor is not asked. */
const VECTORS = '-Ctarget-feature=+avx2,+fma,+bmi1,+bmi2,+popcnt';

/** Crates with `unsafe`, or with C code or unsafe libraries that read files. */
const ADDRESS = [
  'augment',
  'edt',
  'resample',
  'sampling',
  'storage',
  'volume',
  'zip-writer',
  'pickle',
  'loader',
];
/** Crates whose threads share memory. */
const THREAD = ['sampling', 'loader'];

/** Environment of a sanitizer. Overflow checks and debug assertions are on, and the standard library is built with it. */
function sanitizer(name) {
  return {
    RUSTFLAGS: `-Zsanitizer=${name} -Cforce-frame-pointers=yes`,
    CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS: 'true',
    CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS: 'true',
    CARGO_PROFILE_RELEASE_DEBUG: 'line-tables-only',
    CARGO_PROFILE_RELEASE_LTO: 'off',
    CARGO_TARGET_DIR: join(folder, name),
    PROPTEST_CASES: '64',
    // A report ends the process, so that the test fails.
    ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=0:exitcode=99',
    TSAN_OPTIONS: 'halt_on_error=1:exitcode=99',
  };
}

/** A test that measures the memory of its process, to which a sanitizer adds. */
const MEASURES_MEMORY = 'only_the_pages_of_a_patch_are_touched';

function sanitized(name, crate) {
  const args = ['+nightly', 'test', '--release', '-Zbuild-std', '-p', crate, '--lib', '--tests', '--'];
  args.push('--skip', MEASURES_MEMORY);
  return { name: `${name}:${crate}`, command: 'cargo', args, env: sanitizer(name) };
}

/** Tests of the addon without libtorch, from JavaScript: calls, files, and every way to leave a process while it works. */
const ADDON_TESTS = [
  'leave',
  'volume',
  'distance',
  'check',
  'weightmaps',
  'convert',
  'copy',
  'evaluate',
  'run',
];

/** All steps, in order. */
const STEPS = [
  ...Object.entries(MIRI).map(([crate, args]) => ({
    name: `miri:${crate}`,
    command: 'cargo',
    args: ['+nightly', 'miri', 'test', '-p', crate, ...args],
    env: {
      CARGO_TARGET_DIR: join(folder, 'miri'),
      // Idle threads of a pool would wait in a loop, and they never end.
      RAYON_NUM_THREADS: '1',
      MIRIFLAGS: '-Zmiri-disable-isolation -Zmiri-ignore-leaks -Zmiri-tree-borrows',
      RUSTFLAGS: VECTORS,
    },
  })),
  ...ADDRESS.map((crate) => sanitized('address', crate)),
  {
    name: 'address:addon',
    prepare: () => instrumentedPackage(join(folder, 'addon'), sanitizer('address')),
    command: 'node',
    args: [
      join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs'),
      '--tap',
      ...ADDON_TESTS.map((name) => join('dist', '__test__', `${name}.test.js`)),
    ],
    cwd: join(folder, 'addon', 'package'),
    env: addonEnv(),
  },
  ...THREAD.map((crate) => sanitized('thread', crate)),
  { name: 'deny:licenses', command: 'cargo', args: ['deny', 'check', 'licenses', 'bans', 'sources'] },
  { name: 'deny:advisories', command: 'cargo', args: ['deny', 'check', 'advisories'], network: true },
  { name: 'signatures', command: 'npm', args: ['audit', 'signatures'], network: true },
];

/** Output of a step whose server cannot be reached, which says nothing about the checkout. */
const UNREACHABLE =
  /failed to (fetch|clone)|network error|npm error network|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/i;

const TOOLS = {
  miri: [['+nightly', 'miri', '--version'], 'rustup +nightly component add miri rust-src'],
  address: [['+nightly', '--version'], 'rustup toolchain install nightly --component rust-src'],
  thread: [['+nightly', '--version'], 'rustup toolchain install nightly --component rust-src'],
  deny: [['deny', '--version'], 'cargo install cargo-deny'],
};

/** What the result of the steps depends on. */
const SOURCES = ['crates', 'Cargo.toml', 'Cargo.lock', 'deny.toml', 'package-lock.json', 'scripts'];

/** Digest of the sources, committed or changed. */
function sources() {
  const git = (...args) => spawnSync('git', [...args, ...SOURCES], { cwd: root, encoding: 'utf8' }).stdout;
  return createHash('sha256')
    .update(git('ls-tree', 'HEAD'))
    .update(git('diff', 'HEAD', '--'))
    .digest('hex');
}

function passedBefore() {
  return existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : {};
}

/** Runs a step and returns its result. */
async function runStep(step) {
  const tool = TOOLS[step.name.split(':')[0]];
  if (tool !== undefined && !answers('cargo', tool[0])) return `not run: ${tool[1]}`;
  const host = step.name.startsWith('deny') ? {} : hostTarget();
  await step.prepare?.();
  const options = { env: { ...host, ...step.env }, cwd: step.cwd };
  const { code, output } = await capture(step.command, step.args, options);
  if (code === 0) {
    const counts = [...output.matchAll(/test result: ok\. (\d+) passed|^# pass (\d+)/gm)].map(
      ([, cargo, ava]) => Number(cargo ?? ava),
    );
    return counts.length === 0 ? 'passed' : `passed, ${counts.reduce((a, b) => a + b, 0)} tests`;
  }
  return step.network && UNREACHABLE.test(output)
    ? 'not run: its server cannot be reached'
    : `failed (${code})`;
}

await runScript(async () => {
  const args = process.argv.slice(2);
  const again = args.includes('--again');
  const names = args.filter((name) => name !== '--again');
  const unknown = names.filter((name) => !STEPS.some((step) => step.name.startsWith(name)));
  if (unknown.length > 0) {
    throw new StepError(
      `no step ${unknown.join(', ')}; expected ${STEPS.map((step) => step.name).join(', ')}`,
    );
  }
  const chosen = STEPS.filter(
    (step) => names.length === 0 || names.some((name) => step.name.startsWith(name)),
  );
  mkdirSync(folder, { recursive: true });
  const key = sources();
  const results = [];
  for (const step of chosen) {
    say(step.name);
    const before = passedBefore()[step.name];
    const result = before?.key === key && !again ? `${before.result} (before)` : await runStep(step);
    if (result.startsWith('passed') && !result.endsWith('(before)')) {
      writeFileSync(record, JSON.stringify({ ...passedBefore(), [step.name]: { key, result } }, null, 2));
    }
    results.push([step.name, result]);
  }
  say('summary');
  for (const [name, result] of results) process.stdout.write(`${name.padEnd(18)} ${result}\n`);
  const failed = results.filter(([, result]) => result.startsWith('failed'));
  if (failed.length > 0) throw new StepError(`failed: ${failed.map(([name]) => name).join(', ')}`);
});
