// Makes a checkout ready: npm packages, TypeScript, the core addon, libtorch, the torch addon. Each step is skipped or
// quick where it is done already, and an interrupted one is simply done again.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { answers, capture, root, run, StepError, say } from './process.mjs';

/** Prepares everything and returns the environment that cargo needs for the crates that use libtorch. */
export async function setup({ cargoTools = [] } = {}) {
  checkTools(cargoTools);
  await npmPackages();
  await run('node', [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json']);
  await addon('core', 'crates/node', {});
  const env = await libtorch();
  await addon('torch', 'crates/node-torch', env);
  return env;
}

function checkTools(cargoTools) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 17)) {
    throw new StepError(`Node 20.17 or later is needed; this is ${process.versions.node}`);
  }
  if (!answers('cargo', ['--version']))
    throw new StepError('Rust is needed: cargo was not found (https://rustup.rs)');
  if (!['c++', 'g++', 'clang++', 'cl'].some((cc) => answers(cc, ['--version']))) {
    throw new StepError('a C++ compiler is needed: none of c++, g++, clang++ was found');
  }
  for (const tool of cargoTools) {
    if (answers('cargo', [tool, '--version'])) continue;
    say(`adding cargo ${tool}`);
    if (!answers('rustup', ['component', 'add', tool === 'fmt' ? 'rustfmt' : tool])) {
      throw new StepError(`cargo ${tool} is needed and rustup could not add it`);
    }
  }
}

/** Installs the locked packages where the lock file changed since they were installed. */
async function npmPackages() {
  const stamp = join(root, 'node_modules', '.nnunet-diag-lock');
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say('installing npm packages');
  // Not `npm ci`: it refuses a lock file made where a mirror lacks some other platform's optional binaries.
  await run('npm', ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error']);
  writeFileSync(stamp, lock);
}

/** Builds one addon into native/, with the types it declares beside it. */
async function addon(name, crate, env) {
  say(`building the ${name} addon (cargo says what it compiles; nothing where nothing changed)`);
  const config = join(crate, 'napi.json');
  await run(
    'npx',
    [
      ...['napi', 'build', '--release', '--platform', '--no-js', '--config-path', config],
      ...['--manifest-path', join(crate, 'Cargo.toml'), '--output-dir', 'native', '--dts', `${name}.d.ts`],
    ],
    { env },
  );
}

/** Finds libtorch or installs it, and makes the folder that the torch addon is linked against. */
async function libtorch() {
  const cli = join('dist', 'ts', 'cli', 'main.js');
  const status = async () => {
    const { output } = await capture('node', [cli, 'libtorch', 'status', '--json'], { quiet: true });
    return JSON.parse(output).result.places.find((place) => place.libtorch !== null)?.libtorch;
  };
  let found = await status();
  // Building needs the headers too; a libtorch of which only the libraries are there serves running alone.
  if (found === undefined || !existsSync(join(found.root, 'include'))) {
    say('installing libtorch');
    await run('node', [cli, 'libtorch', 'install']);
    found = await status();
  }
  const separator = process.platform === 'win32' ? ';' : ':';
  const variable = { darwin: 'DYLD_LIBRARY_PATH', win32: 'PATH' }[process.platform] ?? 'LD_LIBRARY_PATH';
  return {
    LIBTORCH: linkFolder(found),
    LIBTORCH_CXX11_ABI: '1',
    [variable]: [found.lib, process.env[variable]].filter(Boolean).join(separator),
  };
}

/**
 * A folder with libtorch's headers and only the libraries the addon may link. Linking against a folder that holds
 * libtorch_cuda would make the addon need CUDA everywhere.
 */
function linkFolder({ root: libtorchRoot, lib }) {
  const folder = join(root, 'target', 'libtorch-link');
  const marker = join(folder, 'source');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === libtorchRoot) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'lib'), { recursive: true });
  symlinkSync(join(libtorchRoot, 'include'), join(folder, 'include'), 'junction');
  for (const file of readdirSync(lib)) {
    if (/^(lib)?(torch|torch_cpu|c10|gomp|omp|iomp5)([.-]|$)/.test(file)) {
      symlinkSync(join(lib, file), join(folder, 'lib', file));
    }
  }
  writeFileSync(marker, libtorchRoot);
  return folder;
}
