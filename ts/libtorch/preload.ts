import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fromNative, NnunetError } from '../errors.js';
import { core } from '../native/core.js';
import { type Libtorch, libraryFile } from './find.js';
import { REQUIRED_VERSION } from './version.js';

/**
 * Opens libc10, libtorch_cpu and, if present, libtorch_cuda with global visibility, so that the `torch` addon finds
 * its symbols and CUDA registers itself.
 *
 * @throws NnunetError `ERR_LIBTORCH_MISSING` with the message of the loader if a library does not load;
 * `ERR_ADDON_MISSING` and `ERR_ADDON_BROKEN` of the `core` addon, which opens the libraries
 */
export function preloadLibtorch(libtorch: Libtorch): void {
  // libtorch_cpu finds the OpenMP runtime of the wheel in its own folder.
  const names = ['c10', 'torch_cpu', ...(libtorch.cuda ? ['torch_cuda'] : [])].map(libraryFile);
  const paths = names.map((name) => join(libtorch.lib, name)).filter((path) => existsSync(path));
  const addon = core();
  try {
    addon.preload(paths);
  } catch (thrown) {
    throw unusable('ERR_LIBTORCH_MISSING', libtorch, fromNative(thrown));
  }
}

/** Error for a libtorch that was found but does not load, or that the addon cannot use. */
export function unusable(
  code: 'ERR_LIBTORCH_MISSING' | 'ERR_LIBTORCH_VERSION',
  libtorch: Libtorch,
  error: NnunetError,
): NnunetError {
  const { root, source, version } = libtorch;
  const needed = `${REQUIRED_VERSION}.x`;
  const problem =
    code === 'ERR_LIBTORCH_VERSION'
      ? `does not have what the addon was built with: ${error.details.loader}`
      : `does not load: ${error.message}`;
  return new NnunetError(
    code,
    `the libtorch found ${problem}. It is ${source}: ${root}, version ${version} (needed ${needed}), damaged or ` +
      'incomplete. Run `nnunet-diag libtorch install --force`, or set ' +
      'NNUNET_DIAG_LIBTORCH to a complete one.',
    { ...error.details, tried: [{ source, path: root, version }], needed },
    error,
  );
}
