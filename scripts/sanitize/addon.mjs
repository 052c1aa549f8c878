// The addon without libtorch under the address sanitizer, in a copy of the package.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../lib/process.mjs';
import { hostTarget, setup } from '../lib/setup.mjs';

/** The sanitizer's library of GCC, because Node itself is compiled without it. */
function library() {
  const { stdout } = spawnSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  return stdout?.trim() ?? '';
}

/**
 * Environment of the tests. Leaks are not looked for: a process that ends while a verb works leaves Node's own heap behind.
 */
export function addonEnv() {
  return { LD_PRELOAD: library(), ASAN_OPTIONS: 'detect_leaks=0:exitcode=99' };
}

/** Builds the addon with the sanitizer, and a package in `folder` that uses it. */
export async function instrumentedPackage(folder, env) {
  await setup();
  const triple = hostTarget().CARGO_BUILD_TARGET;
  const args = ['+nightly', 'build', '--release', '-Zbuild-std', '-p', 'node', '--target', triple];
  await run('cargo', args, {
    env: {
      ...env,
      RUSTFLAGS: `${env.RUSTFLAGS} -Zexternal-clangrt`,
      CARGO_TARGET_DIR: join(folder, 'target'),
    },
  });
  const place = join(folder, 'package');
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const part of ['dist', 'native', 'package.json', 'ts', '__test__']) {
    cpSync(join(root, part), join(place, part), { recursive: true });
  }
  for (const part of ['node_modules', 'examples', 'crates']) symlinkSync(join(root, part), join(place, part));
  cpSync(join(folder, 'target', triple, 'release', 'libnode.so'), join(place, 'native', 'core.node'));
}
