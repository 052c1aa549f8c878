// npm test: everything that CI checks, from a bare checkout. The last line is the total of all suites.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { staleNotices } from './lib/notices.mjs';
import { answers, capture, root, say } from './lib/process.mjs';
import { declaredTypes, setup } from './lib/setup.mjs';

const ACTIONLINT = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12';

const totals = { passed: 0, failed: 0 };
/** Names of the failed suites, and what is known of their failures. */
const failures = [];
const times = [];

/** Reference values with other shapes, channels, poolings and names: no test may depend on the first set. */
const secondSet = { NNUNET_DIAG_FIXTURES: join(root, '__test__', 'fixtures-second') };

/** Runs one suite. `count` reads the number of its tests from its output; without it the suite is one test. */
async function suite(name, work, count) {
  say(name);
  const began = Date.now();
  const { code, output } = await work();
  const { passed, failed } = count?.(output) ?? { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
  // A suite that ends early reports no failed test.
  const lost = code !== 0 && failed === 0 ? 1 : 0;
  totals.passed += passed;
  totals.failed += failed + lost;
  if (failed + lost > 0) failures.push({ name, excerpt: failureExcerpt(output) });
  times.push(`${name} ${Math.round((Date.now() - began) / 1000)} s`);
}

/** The failed tests in the output of cargo or of a TAP program; the last lines if it holds none. */
function failureExcerpt(output) {
  const tap = [...output.matchAll(/^not ok .*\n(?:(?!ok |not ok |1\.\.).*\n){0,30}/gm)];
  const cargo = [...output.matchAll(/^---- .* ----\n(?:(?!---- |failures:).*\n){0,30}/gm)];
  const found = [...tap, ...cargo].map(([text]) => text);
  return found.length > 0 ? found.slice(0, 10).join('') : `${output.split('\n').slice(-30).join('\n')}\n`;
}

/** Adds up cargo's lines "test result: ok. 12 passed; 0 failed; …". */
function cargoCount(output) {
  const lines = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)];
  return lines.reduce(
    (sum, [, passed, failed]) => ({
      passed: sum.passed + Number(passed),
      failed: sum.failed + Number(failed),
    }),
    { passed: 0, failed: 0 },
  );
}

/** Counts the lines of ava's TAP output. */
function tapCount(output) {
  return {
    passed: [...output.matchAll(/^ok \d+/gm)].length,
    failed: [...output.matchAll(/^not ok \d+/gm)].length,
  };
}

/** Compares the committed declarations of the addons with fresh ones. A test of the crate `schema` checks `ts/generated`. */
function declarations() {
  const stale = ['core', 'torch'].filter((name) => {
    const { committed, built } = declaredTypes(name);
    return readFileSync(built, 'utf8') !== readFileSync(committed, 'utf8');
  });
  const output = stale
    .map((name) => `ts/native/generated/${name}.d.ts is stale: run npm run build\n`)
    .join('');
  process.stdout.write(output);
  return { code: stale.length, output };
}

/** Prints the failures of all suites again, and the total as the last line. */
function finish() {
  say(`times: ${times.join(', ')}`);
  for (const { name, excerpt } of failures) {
    say(`failed: ${name}`);
    process.stdout.write(excerpt);
  }
  process.stdout.write(`${totals.passed} passed, ${totals.failed} failed\n`);
  process.exit(totals.failed === 0 ? 0 : 1);
}

let env = {};
await suite('setup: packages, types, libtorch, addons', async () => {
  try {
    env = await setup({ cargoTools: ['fmt', 'clippy'] });
    return { code: 0, output: '' };
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    return { code: 1, output: error.message };
  }
});
// Every other suite needs packages and addons.
if (totals.failed > 0) finish();
await suite('rustfmt', () => capture('cargo', ['fmt', '--all', '--check']));
// One profile for addons, lints and tests, so that the C++ code for libtorch is compiled once.
const cargo = (...args) => capture('cargo', args, { env });
await suite('clippy', () =>
  cargo('clippy', '--release', '--workspace', '--all-targets', '--', '-D', 'warnings'));
const cargoTest = ['test', '--release', '--workspace', '--no-fail-fast'];
await suite('cargo test', () => cargo(...cargoTest), cargoCount);
// The same command, so that nothing is compiled again.
await suite(
  'fixtures: second set',
  () => capture('cargo', [...cargoTest, '--tests'], { env: { ...env, ...secondSet } }),
  cargoCount,
);
await suite('TypeScript linter', () => capture('npx', ['biome', 'ci', '.']));
await suite('declarations of the addons', declarations);
await suite('page of reports', () => capture('node', ['scripts/page.mjs', '--check']));
await suite('types of the page', () => capture('npx', ['tsc', '-p', 'ts/page']));
await suite('ava', () => capture('npx', ['ava', '--tap']), tapCount);
await suite(
  'ava: second set of fixtures',
  () => capture('npx', ['ava', '--tap', 'dist/__test__/weightmaps.test.js'], { env: secondSet }),
  tapCount,
);
await suite('notices of third parties', async () => {
  const stale = await staleNotices();
  if (stale.length > 0) process.stdout.write(`stale: ${stale.join(', ')}; run npm run notices\n`);
  return { code: stale.length, output: '' };
});
await suite('generated documentation', () => capture('node', ['scripts/docs.mjs', '--check']));
await suite('documentation', () => capture('node', ['scripts/docs-test.mjs']), tapCount);
await suite('packages', () => capture('node', ['scripts/test-package.mjs']), tapCount);
if (answers('go', ['version'])) {
  await suite('workflows', () => capture('go', ['run', ACTIONLINT]));
} else {
  say('workflows: skipped, because actionlint needs Go');
}

finish();
