import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { NnunetError } from '../errors.js';
import { type Dependency, dependencies } from './dependencies.js';
import { inspectFolder, type Libtorch, libraryFile } from './find.js';
import { selectors } from './pip.js';
import { INSTALLED_RELEASE, minorOf, REQUIRED_VERSION } from './version.js';
import { isInstalledDependency, isInstalledLibrary } from './wheel.js';
import { parseWheelName, runsHere } from './wheel-name.js';
import { type Flavour, pinnedWheels } from './wheels.js';

/** What `from` names: an unpacked libtorch, or the torch wheel of a folder of wheels. */
export type Source =
  | { readonly kind: 'folder'; readonly libtorch: Libtorch }
  | { readonly kind: 'wheels'; readonly folder: string; readonly torch: string };

/** The command that downloads the wheels of this platform, for a machine with network access. */
export function downloadCommand(flavour: Flavour): string {
  const wheels = pinnedWheels(flavour);
  const tags = [...new Set(wheels.flatMap((wheel) => wheel.platforms))];
  const names = wheels.map(({ project, version }) => `${project}==${version}`);
  return ['pip download -d wheels', ...selectors(tags), ...names].join(' ');
}

/**
 * Finds out what `from` is: a folder of wheels, a torch wheel, or an unpacked libtorch or Python torch.
 *
 * @throws NnunetError `ERR_NOT_FOUND`, `ERR_LIBTORCH_VERSION`, `ERR_LIBTORCH_INSTALL`
 */
export async function openSource(from: string, flavour: Flavour): Promise<Source> {
  const path = resolve(from);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new NnunetError('ERR_NOT_FOUND', `${path}: no such file or folder (--from)`, { path });
  }
  if (!found.isDirectory()) return { kind: 'wheels', folder: dirname(path), torch: oneWheel(path, flavour) };
  for (const root of [path, join(path, 'torch')]) {
    if (existsSync(join(root, 'lib', libraryFile('torch_cpu')))) return unpacked(root, flavour);
  }
  const files = (await readdir(path)).filter((file) => parseWheelName(file)?.project === 'torch').sort();
  const pinned = pinnedWheels(flavour)[0]?.file;
  const torch = files
    .filter(fits)
    .sort((a, b) => Number(a === pinned) - Number(b === pinned))
    .at(-1);
  if (torch !== undefined) return { kind: 'wheels', folder: path, torch: join(path, torch) };
  throw unsuitable(
    path,
    files.length === 0 ? 'neither a wheel of torch nor lib/' : files.join(', '),
    flavour,
  );
}

function oneWheel(path: string, flavour: Flavour): string {
  const file = basename(path);
  if (parseWheelName(file)?.project !== 'torch' || !fits(file)) throw unsuitable(path, file, flavour);
  return path;
}

function fits(file: string): boolean {
  const name = parseWheelName(file);
  return name !== undefined && minorOf(name.version) === REQUIRED_VERSION && runsHere(name.platforms);
}

function unsuitable(path: string, found: string, flavour: Flavour): NnunetError {
  const needed = `torch ${REQUIRED_VERSION}.x for ${process.platform}-${process.arch}`;
  return new NnunetError(
    'ERR_LIBTORCH_INSTALL',
    `${path}: expected a wheel of ${needed}, a folder of wheels, or a folder with lib/${libraryFile('torch_cpu')}; ` +
      `found ${found}. To download the wheels on a machine with network access, run:\n  ${downloadCommand(flavour)}`,
    { path, found, needed },
  );
}

function unpacked(root: string, flavour: Flavour): Source {
  const { libtorch, found, version } = inspectFolder('cache', root);
  if (libtorch === null) {
    throw new NnunetError(
      version === null ? 'ERR_LIBTORCH_INSTALL' : 'ERR_LIBTORCH_VERSION',
      `${root}: found ${found}; needed libtorch ${REQUIRED_VERSION}.x, such as ${INSTALLED_RELEASE}`,
      { path: root, found, needed: `${REQUIRED_VERSION}.x` },
    );
  }
  if (flavour === 'cuda' && !libtorch.cuda) {
    throw new NnunetError(
      'ERR_LIBTORCH_INSTALL',
      `${root}: found no lib/${libraryFile('torch_cuda')}; --cuda needs a libtorch that is built with CUDA`,
      { path: root },
    );
  }
  return { kind: 'folder', libtorch };
}

/**
 * The wheels of a folder that a torch wheel needs.
 *
 * @throws NnunetError `ERR_LIBTORCH_INSTALL` that names all missing ones
 */
export async function wheelsBeside(
  torch: string,
  requires: readonly string[],
  flavour: Flavour,
): Promise<string[]> {
  const folder = dirname(torch);
  const files = await readdir(folder);
  const missing: string[] = [];
  const found = dependencies(requires, flavour).flatMap((dependency) => {
    const others = files.filter((file) => parseWheelName(file)?.project === dependency.project);
    const file = others.find((other) => fitsDependency(other, dependency));
    if (file === undefined) missing.push(described(dependency, others));
    return file === undefined ? [] : [join(folder, file)];
  });
  if (missing.length === 0) return found;
  throw new NnunetError(
    'ERR_LIBTORCH_INSTALL',
    `${basename(torch)} needs wheels that are not in ${folder}: ${missing.join(', ')}. Download them on a machine with ` +
      `network access and put them beside it:\n  ${downloadCommand(flavour)}`,
    { path: torch, missing },
  );
}

function fitsDependency(file: string, { version }: Dependency): boolean {
  const name = parseWheelName(file);
  if (name === undefined || !runsHere(name.platforms)) return false;
  return version === undefined || name.version === version || name.version.startsWith(`${version}.`);
}

function described({ project, version }: Dependency, others: readonly string[]): string {
  const found = others.length === 0 ? '' : ` (found ${others.join(', ')})`;
  return `${project}${version === undefined ? '' : ` ${version}`}${found}`;
}

/** A file to copy, and its name below the new libtorch. */
interface Copy {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}

/**
 * The files of an unpacked libtorch that a flavour needs, with those of NVIDIA's packages beside a Python
 * torch.
 *
 * @throws NnunetError `ERR_LIBTORCH_INSTALL` if a library of CUDA is missing that libtorch_cpu is linked with
 */
export async function filesOf({ root, lib, version, cuda }: Libtorch, flavour: Flavour): Promise<Copy[]> {
  const libraries = (await list(lib, false)).filter(({ to }) => isInstalledLibrary(to, flavour));
  const beside = (await list(join(dirname(root), 'nvidia'))).filter(({ to }) =>
    isInstalledDependency(basename(to), flavour),
  );
  const files = [...libraries, ...beside].map((file) => ({ ...file, to: join('lib', basename(file.to)) }));
  for (const name of process.platform === 'linux' && cuda ? ['libcudart', 'libcupti'] : []) {
    if (files.some(({ to }) => basename(to).startsWith(name))) continue;
    throw new NnunetError(
      'ERR_LIBTORCH_INSTALL',
      `${root}: libtorch ${version} is built with CUDA and needs ${name}.so, which is neither in ${lib} nor in ` +
        `${join(dirname(root), 'nvidia')}. Install torch there with its dependencies, or name a folder of wheels.`,
      { path: root, missing: name },
    );
  }
  const headers = (await list(join(root, 'include'))).map((file) => ({
    ...file,
    to: join('include', file.to),
  }));
  const versions = (await list(root, false)).filter(({ to }) => /^(version\.py|build-version)$/.test(to));
  return [...files, ...headers, ...versions];
}

/** Copies files below `root`. */
export async function copyFiles(
  files: readonly Copy[],
  root: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  for (const { from, to, bytes } of files) {
    const path = join(root, to);
    await mkdir(dirname(path), { recursive: true });
    await copyFile(from, path);
    onBytes(bytes);
  }
}

/** Files of a folder and, unless told otherwise, of the folders in it. Links are followed to files. */
async function list(folder: string, recursive = true, below = ''): Promise<Copy[]> {
  const entries = await readdir(join(folder, below)).catch(() => []);
  const found = await Promise.all(
    entries.map(async (entry): Promise<Copy[]> => {
      const to = join(below, entry);
      const from = join(folder, to);
      const state = await stat(from).catch(() => undefined);
      if (state?.isFile()) return [{ from, to, bytes: state.size }];
      return state?.isDirectory() && recursive ? list(folder, true, to) : [];
    }),
  );
  return found.flat();
}
