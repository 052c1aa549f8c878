/** Parts of the installation: names of wheels, dependencies, sums, disk space, NVIDIA drivers, the lock. */
import { createHash } from 'node:crypto';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { cudaOf, dependencies } from '../ts/libtorch/dependencies.js';
import { checkSpace } from '../ts/libtorch/disk.js';
import { driverProblem, nvidiaDriver } from '../ts/libtorch/driver.js';
import { checkPinned } from '../ts/libtorch/fetch.js';
import { withLock } from '../ts/libtorch/lock.js';
import { INSTALLED_RELEASE } from '../ts/libtorch/version.js';
import { isInstalledDependency, isInstalledLibrary, parseRecord } from '../ts/libtorch/wheel.js';
import { parseWheelName, runsHere } from '../ts/libtorch/wheel-name.js';
import { pinnedWheels, WHEEL_PLATFORMS } from '../ts/libtorch/wheels.js';
import { folder, onLinux } from './made-up-wheels.js';

test('the name of a wheel gives project, version and platforms', (t) => {
  const name = 'nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl';
  t.deepEqual(parseWheelName(name), {
    project: 'nvidia-cuda-runtime',
    version: '13.0.96',
    platforms: ['manylinux2014_x86_64', 'manylinux_2_17_x86_64'],
  });
  t.is(parseWheelName('torch-2.11.0%2Bcpu-cp312-cp312-win_amd64.whl')?.version, '2.11.0+cpu');
  t.is(parseWheelName('torch-2.11.0.tar.gz'), undefined);
});

test('a wheel runs on the platform and processor of its tags only', (t) => {
  const runs = (tag: string) =>
    [
      ['linux', 'x64'],
      ['linux', 'arm64'],
      ['darwin', 'arm64'],
      ['win32', 'x64'],
    ].flatMap(([platform, arch]) => (runsHere([tag], platform, arch) ? [`${platform}-${arch}`] : []));
  t.deepEqual(runs('manylinux_2_28_x86_64'), ['linux-x64']);
  t.deepEqual(runs('manylinux2014_aarch64'), ['linux-arm64']);
  t.deepEqual(runs('macosx_11_0_arm64'), ['darwin-arm64']);
  t.deepEqual(runs('win_amd64'), ['win32-x64']);
  t.deepEqual(runs('musllinux_1_2_x86_64'), []);
});

test('every platform has the wheel of the release, with a sum', (t) => {
  for (const platform of WHEEL_PLATFORMS) {
    const [torch, ...others] = pinnedWheels('cpu', platform);
    t.like(torch, { project: 'torch', version: INSTALLED_RELEASE });
    t.is(others.length, platform.startsWith('linux') ? 2 : 0, platform);
    t.true(pinnedWheels('cuda', platform).every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256)));
    const [system, arch] = platform.split('-');
    t.true(pinnedWheels('cuda', platform).every((wheel) => runsHere(wheel.platforms, system, arch)));
  }
  t.deepEqual(pinnedWheels('cpu', 'sunos-x64'), []);
});

const CU13 = [
  'sympy>=1.13.3',
  'cuda-toolkit[cublas,cudart,cupti,nvtx]==13.0.2; platform_system == "Linux"',
  'cuda-bindings<14,>=13.0.3; platform_system == "Linux"',
  'nvidia-cudnn-cu13==9.19.0.56; platform_system == "Linux"',
  'opt-einsum>=3.3; extra == "opt-einsum"',
];

(onLinux ? test : test.skip)('the dependencies of a torch wheel are NVIDIA’s libraries', (t) => {
  const names = (flavour: 'cpu' | 'cuda', lines: string[]) =>
    dependencies(lines, flavour).map(({ project, version }) => `${project} ${version}`);
  t.deepEqual(names('cpu', CU13), ['nvidia-cuda-runtime 13.0.96', 'nvidia-cuda-cupti 13.0.85']);
  t.deepEqual(names('cuda', CU13), [
    'nvidia-cublas 13.1.0.3',
    'nvidia-cuda-runtime 13.0.96',
    'nvidia-cuda-cupti 13.0.85',
    'nvidia-cudnn-cu13 9.19.0.56',
  ]);
  t.is(cudaOf(CU13), 13);
  const cu12 = ['nvidia-cuda-runtime-cu12==12.6.77; platform_system == "Linux"', 'nvidia-nvtx-cu12==12.6.77'];
  t.deepEqual(names('cuda', cu12), ['nvidia-cuda-runtime-cu12 12.6.77']);
  t.is(cudaOf(cu12), 12);
  t.is(cudaOf(['sympy>=1.13.3']), undefined);
});

test('the CPU flavour leaves out what only CUDA and Python need', (t) => {
  const files = [
    'libtorch_cpu.so',
    'libarm_compute.so',
    'libnvpl_blas_core.so.0',
    'libgomp-24e2ab19.so.1.0.0',
  ];
  for (const file of [...files, 'libiomp5md.dll', 'libomp.dylib'])
    t.true(isInstalledLibrary(file, 'cpu'), file);
  for (const file of ['libtorch_cuda.so', 'libc10_cuda.so', 'c10_cuda.dll', 'libcublasLt.so.13']) {
    t.false(isInstalledLibrary(file, 'cpu'), file);
    t.true(isInstalledLibrary(file, 'cuda'), file);
  }
  t.false(isInstalledLibrary('libtorch_python.so', 'cuda'));
  t.true(isInstalledDependency('libcudart.so.13', 'cpu'));
  t.false(isInstalledDependency('libcublas.so.13', 'cpu'));
  t.false(isInstalledDependency('__init__.py', 'cuda'));
});

test('RECORD may have names in quotation marks and files without a sum', (t) => {
  t.deepEqual(parseRecord('a.h,sha256=x-_Y,12\r\n"b ""c"", d.h",sha256=z=,0\nRECORD,,\n'), [
    { name: 'a.h', sha256: 'x-_Y', bytes: 12 },
    { name: 'b "c", d.h', sha256: 'z', bytes: 0 },
    { name: 'RECORD', sha256: undefined, bytes: 0 },
  ]);
});

test('a wheel of the release is compared with its sum', async (t) => {
  const path = join(await folder(t), 'a.whl');
  await writeFile(path, 'content');
  const sha256 = createHash('sha256').update('content').digest('hex');
  const pin = {
    file: 'a.whl',
    project: 'a',
    version: '1',
    platforms: [],
    bytes: 7,
    unpacked: { cpu: 1, cuda: 1 },
  };
  await t.notThrowsAsync(checkPinned(path, { ...pin, sha256 }, ''));
  await t.throwsAsync(checkPinned(path, { ...pin, sha256: 'f'.repeat(64) }, 'Copy it again.'), {
    message: `${path} is damaged: its SHA-256 is ${sha256}, expected ${'f'.repeat(64)}. Copy it again.`,
  });
});

test('too little disk space is ERR_DISK_FULL with what is needed and free', async (t) => {
  const path = await folder(t);
  await t.notThrowsAsync(checkSpace(path, 1));
  const error = await t.throwsAsync(checkSpace(path, 1e18));
  t.like(error, { code: 'ERR_DISK_FULL' });
  t.regex(error?.message ?? '', /needs 1000000000\.0 GB of free disk space to install, found \d/);
});

test('the driver of NVIDIA is read from the system and compared with the version of CUDA', async (t) => {
  const file = join(await folder(t), 'version');
  for (const [line, version] of [
    [
      'NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu Jan 23 22:50:36 UTC 2025\n',
      '570.86.15',
    ],
    ['NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build\n', '580.95.05'],
  ] as const) {
    await writeFile(file, `${line}GCC version:  gcc version 13.3.0\n`);
    t.is(nvidiaDriver(file), version);
  }
  t.regex(
    driverProblem(13, '570.86.15') ?? '',
    /CUDA 13 needs .* 580 or later; this machine has 570\.86\.15/,
  );
  t.is(driverProblem(13, '580.65.06'), undefined);
  t.is(driverProblem(12, '570.86.15'), undefined);
  t.regex(driverProblem(13, undefined) ?? '', /this machine has none/);
});

test('a lock of a process that ended is taken over; only one of several holds it', async (t) => {
  const path = join(await folder(t), 'lock');
  // The number of a process cannot be this large.
  await writeFile(path, JSON.stringify({ host: hostname(), pid: 2 ** 30, since: '' }));
  let holders = 0;
  const work = async () => {
    holders += 1;
    t.is(holders, 1);
    await sleep(20);
    holders -= 1;
    return 'done';
  };
  const all = Array.from({ length: 5 }, () => withLock(path, work, () => {}));
  t.deepEqual(await Promise.all(all), Array(5).fill('done'));
  await t.throwsAsync(readFile(path));
});

test('a lock of another machine is respected, and waiting can be cancelled', async (t) => {
  const path = join(await folder(t), 'lock');
  const owner = { host: 'another-machine', pid: process.pid, since: '2026-01-01T00:00:00.000Z' };
  await writeFile(path, JSON.stringify(owner));
  // Its clock may differ.
  await utimes(path, new Date(0), new Date(0));
  const abort = new AbortController();
  const waits = withLock(
    path,
    async () => t.fail(),
    (found) => {
      t.deepEqual(found, owner);
      abort.abort();
    },
    abort.signal,
  );
  await t.throwsAsync(waits, { code: 'ERR_CANCELLED' });
  t.deepEqual(JSON.parse(await readFile(path, 'utf8')), owner);
});
