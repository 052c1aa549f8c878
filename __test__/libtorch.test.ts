import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { cacheFolder, findLibtorch, installFolder, libraryFile } from '../ts/libtorch/find.js';
import { preloadLibtorch } from '../ts/libtorch/preload.js';
import { minorOf } from '../ts/libtorch/version.js';
import { packageRoot } from '../ts/version.js';

/** Runs `work` with environment variables set or, if undefined, unset. */
function withEnv<T>(variables: Record<string, string | undefined>, work: () => T): T {
  const before = { ...process.env };
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  try {
    return work();
  } finally {
    process.env = before;
  }
}

/** A folder with the file names of libtorch and invalid libraries. */
function pretend(version: string): string {
  const root = mkdtempSync(join(tmpdir(), 'nnunet-libtorch-'));
  mkdirSync(join(root, 'lib'));
  for (const name of ['torch_cpu', 'c10']) writeFileSync(join(root, 'lib', libraryFile(name)), 'no library');
  writeFileSync(join(root, 'build-version'), `${version}\n`);
  return root;
}

const nowhere = { NNUNET_DIAG_LIBTORCH: undefined, LIBTORCH: undefined, PATH: '/nonexistent' };

test.serial('a missing libtorch is an error with the locations tried and the command to run', (t) => {
  const cache = mkdtempSync(join(tmpdir(), 'nnunet-cache-'));
  const error = t.throws(() => withEnv({ ...nowhere, NNUNET_DIAG_CACHE: cache }, findLibtorch));
  t.like(error, { code: 'ERR_LIBTORCH_MISSING' });
  t.true(error?.message.includes(cache));
  t.regex(error?.message ?? '', /nnunet-diag libtorch install/);
});

test.serial('a wrong version in a variable is ERR_LIBTORCH_VERSION, and no other location is tried', (t) => {
  const wrong = pretend('2.4.1+cpu');
  const error = t.throws(() => withEnv({ NNUNET_DIAG_LIBTORCH: wrong }, findLibtorch));
  t.like(error, { code: 'ERR_LIBTORCH_VERSION' });
  t.regex(error?.message ?? '', /version 2\.4\.1\+cpu/);
  t.regex(error?.message ?? '', /needed 2\.11\.x/);
});

test.serial('a variable has precedence over the cache', (t) => {
  const root = pretend('2.11.7+cpu');
  const found = withEnv({ ...nowhere, LIBTORCH: root }, findLibtorch);
  t.like(found, { source: 'LIBTORCH', version: '2.11.7+cpu', root, cuda: false });
});

test.serial('NNUNET_DIAG_CACHE and XDG_CACHE_HOME set the cache folder', (t) => {
  t.is(withEnv({ NNUNET_DIAG_CACHE: '/a' }, cacheFolder), '/a');
  t.is(
    withEnv({ NNUNET_DIAG_CACHE: undefined, XDG_CACHE_HOME: '/b' }, () => installFolder('cpu')),
    join('/b', 'nnunet-diag', 'libtorch', '2.11.0-cpu'),
  );
});

test.serial('a broken libtorch is an error with the message of the loader', (t) => {
  const root = pretend('2.11.0+cpu');
  const error = t.throws(() => {
    const found = withEnv({ ...nowhere, LIBTORCH: root }, findLibtorch);
    preloadLibtorch(found);
  });
  t.like(error, { code: 'ERR_LIBTORCH_MISSING' });
  t.true(error?.message.includes(root));
  t.regex(error?.message ?? '', /file too short|invalid ELF header|not a mach-o|not a valid/i);
});

const onElf = process.platform === 'linux' ? test.serial : test.serial.skip;

onElf('a libtorch that was cut off is an error, not the end of the process', (t) => {
  const root = pretend('2.11.0+cpu');
  const whole = readFileSync(join(packageRoot, 'native', 'core.node'));
  writeFileSync(join(root, 'lib', libraryFile('c10')), whole.subarray(0, 100_000));
  const found = withEnv({ ...nowhere, LIBTORCH: root }, findLibtorch);
  const error = t.throws(() => preloadLibtorch(found));
  t.like(error, { code: 'ERR_LIBTORCH_MISSING' });
  t.regex(error?.message ?? '', /libc10\.so: file too short: it has 100000 bytes/);
});

test('the minor version excludes patch and build', (t) => {
  t.is(minorOf('2.11.0+cu130'), '2.11');
  t.is(minorOf('2.11.0'), '2.11');
});
