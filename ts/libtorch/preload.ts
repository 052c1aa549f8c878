import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fromNative, NnunetError } from '../errors.js';
import { core } from '../native/core.js';
import { type Libtorch, libraryFile } from './find.js';
import { REQUIRED_VERSION } from './version.js';

/**
 * Opens libc10, libtorch_cpu and, where present, libtorch_cuda with global visibility, so that the `torch` addon
 * finds its symbols and CUDA registers itself.
 *
 * @throws NnunetError `ERR_LIBTORCH_MISSING` with the loader's own words: what does not load is not there;
 * `ERR_ADDON_MISSING` and `ERR_ADDON_BROKEN` of the `core` addon, which opens them
 */
export function preloadLibtorch(libtorch: Libtorch): void {
  // The wheel keeps its OpenMP runtime beside it; opened by path it serves libtorch_cpu under its own name.
  const names = ['c10', 'torch_cpu', ...(libtorch.cuda ? ['torch_cuda'] : [])].map(libraryFile);
  const paths = names.map((name) => join(libtorch.lib, name)).filter((path) => existsSync(path));
  const addon = core();
  try {
    addon.preload(paths);
  } catch (thrown) {
    throw unusable('ERR_LIBTORCH_MISSING', libtorch, fromNative(thrown));
  }
}

/** The error for a libtorch that was found but does not load, or does not serve the addon. */
export function unusable(
  code: 'ERR_LIBTORCH_MISSING' | 'ERR_LIBTORCH_VERSION',
  libtorch: Libtorch,
  error: NnunetError,
): NnunetError {
  const { root, source, version } = libtorch;
  const needed = `${REQUIRED_VERSION}.x`;
  const problem =
    code === 'ERR_LIBTORCH_VERSION'
      ? `lacks what the addon was built with: ${error.details.loader}`
      : `does not load: ${error.message}`;
  return new NnunetError(
    code,
    `the libtorch found ${problem}. It is ${source}: ${root}, version ${version} (needed ${needed}), damaged or ` +
      'incomplete. Run `nnunet-diag libtorch install --force`, or point ' +
      'NNUNET_DIAG_LIBTORCH to a whole one.',
    { ...error.details, tried: [{ source, path: root, version }], needed },
    error,
  );
}
