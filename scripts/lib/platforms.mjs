// The platform packages: the only list of them outside their package.json files.

/**
 * `target` is Rust's name. `addons` is what a native build makes, `cross` what a build on another system makes.
 */
export const PLATFORMS = [
  {
    name: 'linux-x64-gnu',
    os: 'linux',
    cpu: 'x64',
    libc: 'glibc',
    target: 'x86_64-unknown-linux-gnu',
    addons: ['core', 'torch'],
    cross: ['core', 'torch'],
    rustFlags: ['-C', 'target-cpu=x86-64-v2'],
    wheel: 'manylinux_2_28_x86_64',
  },
  {
    name: 'linux-arm64-gnu',
    os: 'linux',
    cpu: 'arm64',
    libc: 'glibc',
    target: 'aarch64-unknown-linux-gnu',
    addons: ['core', 'torch'],
    cross: ['core', 'torch'],
    wheel: 'manylinux_2_28_aarch64',
  },
  {
    name: 'linux-x64-musl',
    os: 'linux',
    cpu: 'x64',
    libc: 'musl',
    target: 'x86_64-unknown-linux-musl',
    // PyTorch has no wheels for musl.
    addons: ['core'],
    cross: ['core'],
    rustFlags: ['-C', 'target-cpu=x86-64-v2', '-C', 'target-feature=-crt-static'],
  },
  {
    name: 'darwin-arm64',
    os: 'darwin',
    cpu: 'arm64',
    target: 'aarch64-apple-darwin',
    addons: ['core', 'torch'],
    cross: ['core', 'torch'],
    wheel: 'macosx_11_0_arm64',
  },
  {
    name: 'win32-x64',
    os: 'win32',
    cpu: 'x64',
    target: 'x86_64-pc-windows-msvc',
    // The C++ ABI of torch's wheel is that of MSVC, which only runs on Windows.
    crossTarget: 'x86_64-pc-windows-gnu',
    addons: ['core', 'torch'],
    cross: ['core'],
    rustFlags: ['-C', 'target-cpu=x86-64-v2'],
  },
];

/** Newest symbol versions on RHEL 8, Debian 10 and Ubuntu 20.04, which torch's wheels need, too. */
export const NEWEST_SYMBOLS = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11' };

/** The glibc that the addons are linked for. */
export const LINKED_GLIBC = '2.17';

/** Whether this machine is of the platform. */
export function isHost({ os, cpu, libc }) {
  if (process.platform !== os || process.arch !== cpu) return false;
  if (libc === undefined) return true;
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  return (libc === 'glibc') === (glibc !== undefined);
}

/** Name of the npm package of a platform. */
export function packageName({ name }) {
  return `nnunet-diag-${name}`;
}
