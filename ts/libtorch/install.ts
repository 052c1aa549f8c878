import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromNative, NnunetError } from '../errors.js';
import { core } from '../native/core.js';
import { cacheFolder, installFolder, libtorchPlaces } from './find.js';
import { INSTALLED_RELEASE } from './version.js';

/** Options of {@link installLibtorch}. */
export interface LibtorchInstallOptions {
  /** Keeps the CUDA libraries and downloads their dependencies (several gigabytes). */
  readonly cuda?: boolean;
  /** Installs again if libtorch is installed already. */
  readonly force?: boolean;
  /** Receives a description of each step. */
  readonly onStep?: (step: string) => void;
  /** Cancels the installation; an earlier installation stays as it was. */
  readonly signal?: AbortSignal | undefined;
}

/** Result of {@link installLibtorch}. */
export interface LibtorchInstallResult {
  /** Folder of the libtorch. */
  readonly root: string;
  /** Its version. */
  readonly version: string;
  /** False if it was installed already. */
  readonly installed: boolean;
}

/** Python version of the wheels; it need not be that of pip. */
const WHEEL_PYTHON = '3.12';
/** Members of the torch wheel that CPU use needs, by the start of their names. */
const CPU_MEMBERS = [
  'torch/include/',
  'torch/version.py',
  'torch/lib/libc10.',
  'torch/lib/libtorch_cpu.',
  'torch/lib/libtorch.',
  'torch/lib/libgomp',
  'torch/lib/libomp',
  'torch/lib/libshm',
  'torch/lib/c10.',
  'torch/lib/torch_cpu.',
  'torch/lib/torch.',
];
/** Shared libraries that libtorch_cpu of the Linux wheel needs, with or without a GPU. */
const CPU_DEPENDENCIES = ['nvidia/cu13/lib/libcudart.', 'nvidia/cu13/lib/libcupti.'];

/**
 * Installs libtorch into the cache of this package: downloads the PyPI wheels with pip and unpacks them. An
 * interrupted installation leaves nothing behind.
 *
 * @throws NnunetError `ERR_LIBTORCH_INSTALL` with the last lines of pip, `ERR_CANCELLED`
 */
export async function installLibtorch(options: LibtorchInstallOptions = {}): Promise<LibtorchInstallResult> {
  const flavour = options.cuda ? 'cuda' : 'cpu';
  const root = installFolder(flavour);
  const step = options.onStep ?? (() => {});
  const present = libtorchPlaces().find((place) => place.path === root)?.libtorch;
  if (present && !options.force) return { root, version: present.version, installed: false };
  const base = join(cacheFolder(), 'libtorch');
  await mkdir(base, { recursive: true });
  const work = await mkdtemp(join(base, 'incomplete-'));
  try {
    const wheels = join(work, 'wheels');
    step(`downloading torch ${INSTALLED_RELEASE} with pip`);
    const args = ['download', '-d', wheels, ...selectors(flavour), ...requirements(flavour)];
    await pip(args, step, options.signal);
    step('unpacking');
    await unpack(wheels, work, flavour, options.signal);
    await writeFile(join(work, 'torch', 'NOTICE-nnunet-diag'), NOTICE);
    await rm(root, { recursive: true, force: true });
    await rename(join(work, 'torch'), root);
  } catch (thrown) {
    throw fromNative(thrown);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return { root, version: INSTALLED_RELEASE, installed: true };
}

const NOTICE = `From the PyPI wheel torch ${INSTALLED_RELEASE} (BSD-3-Clause) and NVIDIA's CUDA runtime wheels.\n`;

function requirements(flavour: 'cpu' | 'cuda'): string[] {
  const torch = `torch==${INSTALLED_RELEASE}`;
  if (flavour === 'cuda') return [torch];
  const linux = process.platform === 'linux';
  return ['--no-deps', torch, ...(linux ? ['nvidia-cuda-runtime==13.0.*', 'nvidia-cuda-cupti==13.0.*'] : [])];
}

/** Names the platform, so that a Python that is too old or too new for torch can download it. */
function selectors(flavour: 'cpu' | 'cuda'): string[] {
  const tags = platformTags();
  // With --platform, pip accepts wheels only. Some dependencies of the CUDA flavour are pure Python: `any`.
  return [
    '--only-binary=:all:',
    '--python-version',
    WHEEL_PYTHON,
    '--implementation',
    'cp',
    ...tags.flatMap((tag) => ['--platform', tag]),
    ...(flavour === 'cuda' ? ['--platform', 'any'] : []),
  ];
}

function platformTags(): string[] {
  const machine = process.arch === 'x64' ? 'x86_64' : process.platform === 'darwin' ? 'arm64' : 'aarch64';
  if (process.platform === 'darwin') return [14, 13, 12, 11].map((major) => `macosx_${major}_0_${machine}`);
  if (process.platform === 'win32') return ['win_amd64'];
  // pip does not accept older manylinux tags by itself.
  const glibc = Array.from({ length: 23 }, (_, i) => `manylinux_2_${39 - i}_${machine}`);
  return [...glibc, `manylinux2014_${machine}`];
}

async function unpack(
  wheels: string,
  work: string,
  flavour: 'cpu' | 'cuda',
  signal?: AbortSignal,
): Promise<void> {
  for (const wheel of await readdir(wheels)) {
    refuseAborted(signal);
    const path = join(wheels, wheel);
    if (wheel.startsWith('torch-')) {
      await core().extractWheel(path, work, flavour === 'cuda' ? ['torch/'] : CPU_MEMBERS);
    } else if (wheel.startsWith('nvidia')) {
      // libtorch searches its own folder and ../../nvidia/*/lib for its dependencies.
      await core().extractWheel(path, work, flavour === 'cuda' ? ['nvidia/'] : CPU_DEPENDENCIES);
    }
    await rm(path);
  }
  await gather(join(work, 'nvidia'), join(work, 'torch', 'lib'));
}

/** Moves every shared library below `from` into `lib`, the only folder that the loader then searches. */
async function gather(from: string, lib: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true }).catch(() => [])) {
    const path = join(from, entry.name);
    if (entry.isDirectory()) await gather(path, lib);
    else if (/\.so(\.|$)/.test(entry.name)) await rename(path, join(lib, entry.name));
  }
}

/** Runs the pip of the first Python that has one. */
async function pip(args: string[], step: (step: string) => void, signal?: AbortSignal): Promise<void> {
  const all = ['-m', 'pip', '--disable-pip-version-check', ...args];
  let last = 'no Python with pip was found';
  for (const python of ['python3', 'python']) {
    const { code, output } = await execute(python, all, step, signal);
    refuseAborted(signal);
    if (code === 0) return;
    if (output) last = output;
    if (code !== null) break;
  }
  throw new NnunetError(
    'ERR_LIBTORCH_INSTALL',
    `pip could not download libtorch: ${last}. Python 3 with pip and access to a package index are needed. Without ` +
      'them, copy libtorch from another machine and set NNUNET_DIAG_LIBTORCH to its folder.',
    { command: ['python3', ...all].join(' '), output: last },
  );
}

function refuseAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw new NnunetError('ERR_CANCELLED', 'cancelled on request');
}

function execute(
  command: string,
  args: string[],
  step: (step: string) => void,
  signal?: AbortSignal,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal && { signal }),
    });
    let output = '';
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-2000);
    };
    child.stderr.on('data', keep);
    child.stdout.on('data', (chunk: Buffer) => {
      keep(chunk);
      const wheel = /Downloading (\S+\.whl) \(([^)]+)\)/.exec(chunk.toString());
      if (wheel) step(`downloading ${wheel[1]} (${wheel[2]})`);
    });
    child.on('error', (error) => resolve({ code: null, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output: output.trim() }));
  });
}
