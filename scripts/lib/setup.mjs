// Sets up a checkout: npm packages, the core addon, TypeScript, libtorch, the torch addon. A step that is done already is
// skipped or quick. An interrupted step is repeated.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeConfigSchema } from './config-schema.mjs';
import { hostLibtorch, libtorchEnvironment } from './libtorch.mjs';
import { answers, root, run, StepError, say } from './process.mjs';

/**
 * Runs every step and returns the environment that cargo needs for the crates that use libtorch. With `refresh`, it also
 * writes the committed files that are generated from Rust: `ts/generated` and the type declarations of the addons.
 */
export async function setup({ cargoTools = [], refresh = false } = {}) {
  checkTools(cargoTools);
  await npmPackages();
  const env = hostTarget();
  // The crate `report` includes the page.
  if (refresh) await run('node', ['scripts/page.mjs']);
  if (refresh) await run('cargo', ['run', '--release', '-p', 'schema'], { env });
  await addon('core', 'crates/node', env, refresh);
  await compile();
  Object.assign(env, await libtorch());
  if (await addon('torch', 'crates/node-torch', env, refresh)) await compile();
  return env;
}

/** napi builds with `--target`. With the same target, cargo's other commands use what it compiled. */
export function hostTarget() {
  const { stdout } = spawnSync('rustc', ['-vV'], { encoding: 'utf8' });
  const target = /^host: (.+)$/m.exec(stdout ?? '')?.[1];
  return target === undefined ? {} : { CARGO_BUILD_TARGET: target };
}

/** Compiles the TypeScript. */
async function compile() {
  await run('node', [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json']);
  await writeConfigSchema();
}

/** The type declarations of an addon: the committed file and the file that its build wrote. */
export function declaredTypes(name) {
  return {
    committed: join(root, 'ts', 'native', 'generated', `${name}.d.ts`),
    built: join(root, 'native', `${name}.d.ts`),
  };
}

function checkTools(cargoTools) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new StepError(`Node 20.19 or later is needed; this is ${process.versions.node}`);
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

/** Installs the locked packages if the lock file changed since the last installation. */
async function npmPackages() {
  const stamp = join(root, 'node_modules', '.nnunet-diag-lock');
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say('installing npm packages');
  // Not `npm ci`: it rejects a lock file in which optional binaries of another platform are missing.
  await run('npm', ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error']);
  writeFileSync(stamp, lock);
}

/** Builds one addon and its type declarations into native/; returns whether the committed declarations changed. */
async function addon(name, crate, env, refresh) {
  say(`building the ${name} addon`);
  const config = join(crate, 'napi.json');
  await run(
    'npx',
    [
      ...['napi', 'build', '--release', '--no-js', '--config-path', config],
      ...['--manifest-path', join(crate, 'Cargo.toml'), '--output-dir', 'native', '--dts', `${name}.d.ts`],
    ],
    { env },
  );
  const { committed, built } = declaredTypes(name);
  const types = readFileSync(built);
  if (!refresh || types.equals(readFileSync(committed))) return false;
  writeFileSync(committed, types);
  return true;
}

/** Finds or installs libtorch; returns the environment that cargo needs to link with it and to run with it. */
async function libtorch() {
  const found = await hostLibtorch();
  const separator = process.platform === 'win32' ? ';' : ':';
  const variable = { darwin: 'DYLD_LIBRARY_PATH', win32: 'PATH' }[process.platform] ?? 'LD_LIBRARY_PATH';
  return {
    ...libtorchEnvironment(found, join(root, 'target', 'libtorch-link')),
    [variable]: [found.lib, process.env[variable]].filter(Boolean).join(separator),
  };
}
