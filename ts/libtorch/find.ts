import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NnunetError } from '../errors.js';
import { INSTALLED_RELEASE, minorOf, REQUIRED_VERSION } from './version.js';

/** A libtorch on this machine. */
export interface Libtorch {
  /** Folder with `lib/`; it also has `include/` if programs can be built with it. */
  readonly root: string;
  /** Folder of the shared libraries. */
  readonly lib: string;
  /** Its version, such as `2.11.0+cpu`. */
  readonly version: string;
  /** Where it was found. */
  readonly source: LibtorchSource;
  /** Whether it contains CUDA libraries. */
  readonly cuda: boolean;
}

/** Where a libtorch comes from: an environment variable, the cache of this package, or a Python package. */
export type LibtorchSource = 'NNUNET_DIAG_LIBTORCH' | 'LIBTORCH' | 'cache' | 'python';

/** A location that was searched for libtorch. */
export interface LibtorchPlace {
  /** Kind of the location. */
  readonly source: LibtorchSource;
  /** Folder that was searched. */
  readonly path: string;
  /** `usable`, or why the location is not. */
  readonly found: string;
  /** Version found; `null` if there is none. */
  readonly version: string | null;
  /** The libtorch; `null` unless usable. */
  readonly libtorch: Libtorch | null;
}

/** Folder of downloads: `NNUNET_DIAG_CACHE`, else `nnunet-diag` in the user's cache folder. */
export function cacheFolder(): string {
  const own = process.env.NNUNET_DIAG_CACHE;
  if (own) return own;
  const base =
    process.env.XDG_CACHE_HOME ||
    (process.platform === 'win32' && process.env.LOCALAPPDATA) ||
    join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache');
  return join(base, 'nnunet-diag');
}

/** Folder into which `nnunet-diag libtorch install` installs a flavour. */
export function installFolder(flavour: 'cpu' | 'cuda'): string {
  return join(cacheFolder(), 'libtorch', `${INSTALLED_RELEASE}-${flavour}`);
}

/** File name of a shared library on this platform. */
export function libraryFile(name: string): string {
  if (process.platform === 'win32') return `${name}.dll`;
  return process.platform === 'darwin' ? `lib${name}.dylib` : `lib${name}.so`;
}

/** Searches every location in order of precedence: environment, cache, installed Python torch. */
export function libtorchPlaces(): LibtorchPlace[] {
  const places: LibtorchPlace[] = [];
  for (const variable of ['NNUNET_DIAG_LIBTORCH', 'LIBTORCH'] as const) {
    const path = process.env[variable];
    if (path) places.push(inspectFolder(variable, path));
  }
  places.push(inspectFolder('cache', installFolder('cuda')), inspectFolder('cache', installFolder('cpu')));
  // Starts a process, so Python is asked last.
  if (!places.some((place) => place.libtorch !== null)) {
    const python = pythonTorch();
    places.push(
      python === undefined
        ? { source: 'python', path: 'python3', found: 'no torch installed', version: null, libtorch: null }
        : inspectFolder('python', python),
    );
  }
  return places;
}

/**
 * The libtorch to use. If an environment variable is set, no other location is tried.
 *
 * @throws NnunetError `ERR_LIBTORCH_MISSING` or `ERR_LIBTORCH_VERSION`, with the locations tried
 */
export function findLibtorch(): Libtorch {
  const places = libtorchPlaces();
  const named = places.find((p) => p.source === 'NNUNET_DIAG_LIBTORCH' || p.source === 'LIBTORCH');
  const chosen = named ?? places.find((p) => p.libtorch !== null);
  if (chosen?.libtorch) return chosen.libtorch;
  const wrong = named ? named.version !== null : places.some((p) => p.version !== null);
  const tried = places.map(({ source, path, found, version }) => ({ source, path, found, version }));
  const list = tried.map((t) => `${t.source}: ${t.path} (${t.found})`).join('; ');
  throw new NnunetError(
    wrong ? 'ERR_LIBTORCH_VERSION' : 'ERR_LIBTORCH_MISSING',
    `${wrong ? 'no libtorch of the right version' : 'libtorch not found'}: needed ${REQUIRED_VERSION}.x. Tried ${list}. ` +
      (named === undefined
        ? 'Run `nnunet-diag libtorch install`, or set NNUNET_DIAG_LIBTORCH to the folder that contains lib/.'
        : `${named.source} is set, so no other location is used: let it name the folder that contains lib/, or unset ` +
          'it and run `nnunet-diag libtorch install`.'),
    { needed: `${REQUIRED_VERSION}.x`, tried },
  );
}

/** Whether a folder is a libtorch of the right version. */
export function inspectFolder(source: LibtorchSource, root: string): LibtorchPlace {
  const lib = join(root, 'lib');
  const refuse = (found: string, version: string | null = null): LibtorchPlace => ({
    source,
    path: root,
    found,
    version,
    libtorch: null,
  });
  if (!existsSync(root)) return refuse('no such folder');
  const missing = ['torch_cpu', 'c10'].map(libraryFile).find((file) => !existsSync(join(lib, file)));
  if (missing !== undefined) return refuse(`no lib/${missing}`);
  const version = versionOf(root);
  if (version === undefined) return refuse('version unknown: neither version.py nor build-version');
  if (minorOf(version) !== REQUIRED_VERSION) return refuse(`version ${version}`, version);
  const cuda = existsSync(join(lib, libraryFile('torch_cuda')));
  return {
    source,
    path: root,
    found: 'usable',
    version,
    libtorch: { root, lib, version, source, cuda },
  };
}

/** Python wheels contain version.py, libtorch archives build-version. */
function versionOf(root: string): string | undefined {
  const wheel = join(root, 'version.py');
  if (existsSync(wheel)) return /__version__ = ['"]([^'"]+)['"]/.exec(readFileSync(wheel, 'utf8'))?.[1];
  const archive = join(root, 'build-version');
  return existsSync(archive) ? readFileSync(archive, 'utf8').trim() : undefined;
}

/** Folder of an installed Python torch, located without importing it. */
function pythonTorch(): string | undefined {
  const code =
    "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')";
  for (const python of ['python3', 'python']) {
    const answer = spawnSync(python, ['-c', code], { encoding: 'utf8', timeout: 10_000 });
    if (answer.status === 0) return answer.stdout.trim() || undefined;
  }
  return undefined;
}
