/** Errors of a missing or damaged addon or libtorch: the message names it and gives the right advice. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { findLibtorch, libraryFile } from '../ts/libtorch/find.js';
import { REQUIRED_VERSION } from '../ts/libtorch/version.js';
import { packageRoot, platformName } from '../ts/native/load.js';

type Addon = 'core' | 'torch';

const addonFile = (name: Addon): string => `${name}.${platformName()}.node`;

/** An installed package with these addons: `whole` is the real file, other text is its content, others are missing. */
function installed(t: ExecutionContext, addons: Partial<Record<Addon, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'nnunet-addons-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(packageRoot, 'dist', 'ts'), join(root, 'dist', 'ts'), { recursive: true });
  cpSync(join(packageRoot, 'package.json'), join(root, 'package.json'));
  symlinkSync(join(packageRoot, 'node_modules'), join(root, 'node_modules'), 'junction');
  mkdirSync(join(root, 'native'));
  for (const [name, content] of Object.entries(addons)) {
    const file = join(root, 'native', addonFile(name as Addon));
    if (content === 'whole') symlinkSync(join(packageRoot, 'native', addonFile(name as Addon)), file);
    else writeFileSync(file, content);
  }
  return root;
}

/** A libtorch of the right version; `fill` writes its libraries. */
function libtorch(t: ExecutionContext, fill: (lib: string) => void): string {
  const root = mkdtempSync(join(tmpdir(), 'nnunet-damaged-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'lib'));
  writeFileSync(join(root, 'build-version'), `${REQUIRED_VERSION}.0+cpu\n`);
  fill(join(root, 'lib'));
  return root;
}

/** The error of `train` in its own process, because an addon cannot be unloaded. */
function trainError(root: string, libtorch?: string): { code: string; message: string } {
  const index = pathToFileURL(join(root, 'dist', 'ts', 'index.js')).href;
  const script = `
    import { train } from ${JSON.stringify(index)};
    const run = train({ task: '1', configuration: '2d', fold: 'all', preprocessed: '/nonexistent', results: '/nonexistent' });
    await run.result.catch((error) => console.log(JSON.stringify(error)));`;
  const env = { ...process.env, ...(libtorch && { NNUNET_DIAG_LIBTORCH: libtorch }) };
  const argv = ['--input-type=module', '-e', script];
  const { stdout, stderr, signal } = spawnSync(process.execPath, argv, { encoding: 'utf8', env });
  return stdout === '' ? { code: `ended by ${signal}`, message: stderr } : JSON.parse(stdout);
}

const REINSTALL = /npm install --include=optional nnunet-diag/;
const LIBTORCH = /nnunet-diag libtorch install/;

for (const [missing, there] of [
  ['core', 'torch'],
  ['torch', 'core'],
] as const) {
  test(`a missing ${missing} addon is an error that names it and not libtorch`, (t) => {
    const { code, message } = trainError(installed(t, { [there]: 'whole' }));
    t.is(code, 'ERR_ADDON_MISSING', message);
    t.true(message.includes(addonFile(missing)), message);
    t.regex(message, REINSTALL);
    t.notRegex(message, LIBTORCH);
  });

  test(`an invalid ${missing} addon is an error with the message of the loader`, (t) => {
    const { code, message } = trainError(
      installed(t, { [there]: 'whole', [missing]: 'no library'.repeat(100) }),
    );
    t.is(code, 'ERR_ADDON_BROKEN', message);
    t.true(message.includes(addonFile(missing)), message);
    t.regex(message, /invalid ELF header|not a mach-o|not a valid/i);
    t.regex(message, REINSTALL);
    t.notRegex(message, LIBTORCH);
  });
}

test('a missing addon without libtorch is an error that does not mention libtorch', (t) => {
  const { code, message } = trainError(installed(t, { core: 'whole' }), '/nonexistent');
  t.is(code, 'ERR_ADDON_MISSING', message);
});

const onElf = process.platform === 'linux' ? test : test.skip;
const WHOLE = { core: 'whole', torch: 'whole' };

onElf('a truncated library of libtorch is an error of libtorch, not the end of the process', (t) => {
  const { lib } = findLibtorch();
  const damaged = libtorch(t, (folder) => {
    symlinkSync(join(lib, libraryFile('c10')), join(folder, libraryFile('c10')));
    const start = Buffer.alloc(2 ** 20);
    const whole = openSync(join(lib, libraryFile('torch_cpu')), 'r');
    readSync(whole, start);
    closeSync(whole);
    writeFileSync(join(folder, libraryFile('torch_cpu')), start);
  });
  const { code, message } = trainError(installed(t, WHOLE), damaged);
  t.is(code, 'ERR_LIBTORCH_MISSING', message);
  t.regex(message, /libtorch_cpu\.so: file too short/);
  t.regex(message, LIBTORCH);
  t.notRegex(message, REINSTALL);
});

const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0);
const withCompiler = process.platform === 'linux' && compiler !== undefined ? test : test.skip;

withCompiler('a libtorch without a symbol that the addon needs is an error of its version', (t) => {
  const other = libtorch(t, (folder) => {
    for (const name of ['c10', 'torch_cpu', 'torch'].map(libraryFile)) {
      const words = ['-shared', '-x', 'c', '-', '-o', join(folder, name), `-Wl,-soname,${name}`];
      t.is(spawnSync(compiler ?? '', words, { input: 'int some_symbol;\n' }).status, 0);
    }
  });
  const { code, message } = trainError(installed(t, WHOLE), other);
  t.is(code, 'ERR_LIBTORCH_VERSION', message);
  t.regex(message, /undefined symbol/);
  t.true(message.includes(other), message);
  t.regex(message, LIBTORCH);
  t.notRegex(message, REINSTALL);
});
