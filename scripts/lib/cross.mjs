// Compilers for the platform packages: cargo itself on the platform's own system, else zig's C and C++ compiler and
// linker through cargo-zigbuild. Linux is always linked by zig, because it links for an old glibc.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { unpackDebian } from './debian.mjs';
import { hostLibtorch, libtorchEnvironment, wheelLibtorch } from './libtorch.mjs';
import { isHost, LINKED_GLIBC } from './platforms.mjs';
import { answers, capture, root, run, say, Unavailable } from './process.mjs';

const CACHE = join(root, '.cache', 'cross');
const TOOLS = ['ziglang==0.17.1', 'cargo-zigbuild==0.24.1'];

/** Builds one addon of a platform with a profile of Cargo.toml and returns the file. */
export async function buildAddon(platform, addon, profile) {
  const zig = platform.os === 'linux' || !isHost(platform);
  const target = zig ? (platform.crossTarget ?? platform.target) : platform.target;
  if (!answers('rustup', ['target', 'add', target]))
    throw new Unavailable(`rustup can't add the target ${target}`);
  const crate = addon === 'core' ? 'node' : 'node-torch';
  const flags = [...(platform.rustFlags ?? []), ...remapped()];
  const env = zig ? await zigEnvironment(target) : {};
  if (addon === 'torch') Object.assign(env, await torchEnvironment(platform, target, zig));
  const glibc = zig && platform.libc === 'glibc' ? `.${LINKED_GLIBC}` : '';
  await run(
    'cargo',
    [zig ? 'zigbuild' : 'build', '--profile', profile, '-p', crate, '--target', `${target}${glibc}`],
    { env: { ...env, CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') } },
  );
  const stem = crate.replace('-', '_');
  const file = { darwin: `lib${stem}.dylib`, win32: `${stem}.dll` }[platform.os] ?? `lib${stem}.so`;
  return join(root, 'target', target, profile, file);
}

/** No file of a package names a folder of the machine that built it. */
function remapped() {
  const registry = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'registry', 'src');
  return [`--remap-path-prefix=${root}=.`, `--remap-path-prefix=${registry}=registry`];
}

async function zigEnvironment(target) {
  const python = join(CACHE, 'python');
  const stamp = join(python, TOOLS.join('-'));
  if (!existsSync(stamp)) {
    say('installing zig and cargo-zigbuild');
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--upgrade', '--target', python, ...TOOLS]);
    writeFileSync(stamp, '');
  }
  const env = {
    PATH: `${join(python, 'bin')}:${process.env.PATH}`,
    PYTHONPATH: python,
    CARGO_ZIGBUILD_ZIG_PATH: join(python, 'ziglang', 'zig'),
  };
  if (target.endsWith('windows-gnu')) env.LIBNODE_PATH = emptyLibnode();
  return env;
}

/** napi-build asks for an import library of Node. The addon looks its symbols up itself, so an empty one serves. */
function emptyLibnode() {
  const folder = join(CACHE, 'libnode');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'libnode.dll'), '');
  writeFileSync(join(folder, 'libnode.a'), '!<arch>\n');
  return folder;
}

/** Environment of the torch addon: libtorch, and the settings of its C++ code. */
async function torchEnvironment(platform, target, zig) {
  const found = isHost(platform) ? await hostLibtorch() : await wheelLibtorch(platform);
  const link = join(root, 'target', `libtorch-link-${platform.name}`);
  const env = libtorchEnvironment(found, link);
  const cxx = [`-ffile-prefix-map=${link}=libtorch`, `-ffile-prefix-map=${root}=.`];
  if (zig && platform.os === 'linux') {
    // libtorch's C++ interface is that of GCC's library, not of zig's.
    const library = await standardLibrary(platform);
    // Newer names of templates (Tn, Clang 18 and later) differ from those of GCC, which compiled libtorch.
    cxx.push('-fclang-abi-compat=17', '-nostdinc++', `-I${join(root, 'scripts', 'lib', 'cross-include')}`);
    cxx.push(...library.include.map((folder) => `-I${folder}`));
    env[`CXXSTDLIB_${target.replaceAll('-', '_')}`] = '';
    // Not a flag of the compiler: those must be the same for both addons, or everything is compiled twice.
    env.NNUNET_DIAG_CXX_LIBRARY = library.file;
  }
  if (target.endsWith('msvc')) return env;
  env[`CXXFLAGS_${target.replaceAll('-', '_')}`] = cxx.join(' ');
  return env;
}

/** Headers and library of GCC's C++ standard library for a processor. */
async function standardLibrary({ cpu }) {
  if (cpu === process.arch && process.platform === 'linux') {
    const { output } = await capture('c++', ['-E', '-x', 'c++', '-v', '/dev/null'], { quiet: true });
    const list = output.split('#include <...> search starts here:')[1]?.split('End of search list')[0] ?? '';
    const include = list.split('\n').map((line) => line.trim());
    const { output: file } = await capture('c++', ['-print-file-name=libstdc++.so.6'], { quiet: true });
    return { include: include.filter((folder) => /\/c\+\+\/\d/.test(folder)), file: file.trim() };
  }
  return armLibrary();
}

/** GCC's C++ standard library for arm64, from Debian's packages for cross-compilation. */
async function armLibrary() {
  const packages = ['libstdc++-12-dev-arm64-cross', 'libstdc++6-arm64-cross'];
  const base = join(await unpackDebian('libstdc++-arm64', packages), 'usr', 'aarch64-linux-gnu');
  const headers = join(base, 'include', 'c++', '12');
  return {
    include: [headers, join(headers, 'aarch64-linux-gnu')],
    file: join(base, 'lib', 'libstdc++.so.6'),
  };
}
