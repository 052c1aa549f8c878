/** Errors of a missing or damaged addon or libtorch: the message names it and gives the right advice. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
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
import { platformName } from '../ts/native/platform.js';
import { packageRoot, packageVersion } from '../ts/version.js';

type Addon = 'core' | 'torch';

/** Packages that the main package imports when it starts. */
const IMPORTED = ['fast-png'];
const PLATFORM_PACKAGE = `nnunet-diag-${platformName()}`;

interface Installed {
  /** Addons of the platform package: `whole` is the real file, another text is its content, others are missing. */
  readonly addons?: Partial<Record<Addon, string>>;
  /** Name of the package with the addons. */
  readonly name?: string;
  /** Changes of the package.json of nnunet-diag. */
  readonly manifest?: Record<string, unknown>;
}

/** An installed package with its platform package. Returns the root of nnunet-diag. */
function installed(t: ExecutionContext, { addons, name = PLATFORM_PACKAGE, manifest }: Installed): string {
  const folder = mkdtempSync(join(tmpdir(), 'nnunet-addons-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const modules = join(folder, 'node_modules');
  const root = join(modules, 'nnunet-diag');
  cpSync(join(packageRoot, 'dist', 'ts'), join(root, 'dist', 'ts'), { recursive: true });
  const own = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as object;
  writeFileSync(join(root, 'package.json'), JSON.stringify({ ...own, ...manifest }));
  for (const needed of IMPORTED) {
    symlinkSync(join(packageRoot, 'node_modules', needed), join(modules, needed), 'junction');
  }
  if (addons === undefined) return root;
  mkdirSync(join(modules, name));
  writeFileSync(join(modules, name, 'package.json'), JSON.stringify({ name }));
  for (const [addon, content] of Object.entries(addons)) {
    const file = join(modules, name, `${addon}.node`);
    if (content === 'whole') symlinkSync(join(packageRoot, 'native', `${addon}.node`), file);
    else writeFileSync(file, content, 'latin1');
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

const INSTALL = new RegExp(`npm install ${PLATFORM_PACKAGE}@\\d`);
const LIBTORCH = /nnunet-diag libtorch install/;
const WHOLE = { core: 'whole', torch: 'whole' } as const;

test('a missing platform package is an error with the command that installs it', (t) => {
  const { code, message } = trainError(installed(t, {}), '/nonexistent');
  t.is(code, 'ERR_ADDON_MISSING', message);
  t.regex(message, INSTALL);
  t.notRegex(message, LIBTORCH);
});

test('the package of another platform is named', (t) => {
  const other = platformName() === 'darwin-arm64' ? 'win32-x64' : 'darwin-arm64';
  const root = installed(t, { name: `nnunet-diag-${other}`, addons: WHOLE });
  const { code, message } = trainError(root);
  t.is(code, 'ERR_ADDON_MISSING', message);
  t.true(message.includes(`Installed are the addons for ${other}`), message);
  t.regex(message, INSTALL);
});

test('a platform without package is an error that lists the platforms', (t) => {
  const manifest = { optionalDependencies: { 'nnunet-diag-aix-ppc64': '1.0.0' } };
  const { code, message } = trainError(installed(t, { manifest }));
  t.is(code, 'ERR_PLATFORM', message);
  t.true(message.includes(platformName()) && message.includes('aix-ppc64'), message);
  t.regex(message, /npm run build/);
});

test('a platform package without the torch addon is an error of the platform', (t) => {
  const { code, message } = trainError(installed(t, { addons: { core: 'whole' } }), '/nonexistent');
  t.is(code, 'ERR_PLATFORM', message);
  t.true(message.includes(PLATFORM_PACKAGE), message);
  t.notRegex(message, LIBTORCH);
});

for (const addon of ['core', 'torch'] as const) {
  test(`an invalid ${addon} addon is an error with the message of the loader`, (t) => {
    const { code, message } = trainError(
      installed(t, { addons: { ...WHOLE, [addon]: 'no library'.repeat(100) } }),
    );
    t.is(code, 'ERR_ADDON_BROKEN', message);
    t.true(message.includes(`${addon}.node`), message);
    t.regex(message, /invalid ELF header|not a mach-o|not a valid/i);
    t.regex(message, INSTALL);
    t.notRegex(message, LIBTORCH);
  });
}

test('an addon of another version is an error with both versions', (t) => {
  const root = installed(t, { addons: WHOLE, manifest: { version: '99.1.2' } });
  const { code, message } = trainError(root);
  t.is(code, 'ERR_ADDON_VERSION', message);
  t.true(message.includes(packageVersion()), message);
  t.true(message.includes(`npm install ${PLATFORM_PACKAGE}@99.1.2`), message);
});

const onElf = process.platform === 'linux' ? test : test.skip;
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
  const { code, message } = trainError(installed(t, { addons: WHOLE }), damaged);
  t.is(code, 'ERR_LIBTORCH_MISSING', message);
  t.regex(message, /libtorch_cpu\.so: file too short/);
  t.regex(message, LIBTORCH);
  t.notRegex(message, INSTALL);
});

/** The hash of a symbol version in an ELF file (System V ABI). */
function elfHash(name: string): number {
  let hash = 0;
  for (const byte of Buffer.from(name)) {
    hash = ((hash << 4) + byte) >>> 0;
    const high = hash & 0xf0000000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}

const onGlibc = platformName().endsWith('-gnu') ? test : test.skip;

onGlibc('an addon that needs a newer glibc is an error with both versions', (t) => {
  const addon = readFileSync(join(packageRoot, 'native', 'core.node'));
  const [version] = /GLIBC_2\.\d\d/.exec(addon.toString('latin1')) ?? [];
  t.truthy(version);
  const name = (text: string) => Buffer.from(text, 'latin1');
  const hash = (text: string) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(elfHash(text));
    return bytes;
  };
  for (const part of [name, hash]) {
    const at = addon.indexOf(part(version ?? ''));
    t.true(at > 0);
    part('GLIBC_2.99').copy(addon, at);
  }
  const root = installed(t, { addons: { ...WHOLE, core: addon.toString('latin1') } });
  const { code, message } = trainError(root);
  t.is(code, 'ERR_LIBC', message);
  t.regex(message, /needs glibc 2\.99; this system has glibc 2\.\d+/);
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
  const { code, message } = trainError(installed(t, { addons: WHOLE }), other);
  t.is(code, 'ERR_LIBTORCH_VERSION', message);
  t.regex(message, /undefined symbol/);
  t.true(message.includes(other), message);
  t.regex(message, LIBTORCH);
  t.notRegex(message, INSTALL);
});

withCompiler('an addon for musl is an error of the C library', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nnunet-musl-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const library = (file: string, ...words: string[]) => {
    const all = [
      '-shared',
      '-nostdlib',
      '-Wl,--no-as-needed',
      '-x',
      'c',
      '-',
      '-o',
      file,
      '-x',
      'none',
      ...words,
    ];
    t.is(spawnSync(compiler ?? '', all, { cwd: folder, input: 'int some_symbol;\n' }).status, 0);
  };
  library('libc.musl-x86_64.so.1', '-Wl,-soname,libc.musl-x86_64.so.1');
  library('core.node', './libc.musl-x86_64.so.1');
  const core = readFileSync(join(folder, 'core.node'), 'latin1');
  const { code, message } = trainError(installed(t, { addons: { ...WHOLE, core } }));
  t.is(code, 'ERR_LIBC', message);
  t.regex(message, /needs musl; this system has glibc/);
});
