import { NnunetError } from '../errors.js';
import { findLibtorch } from '../libtorch/find.js';
import { preloadLibtorch, unusable } from '../libtorch/preload.js';
import type * as Binding from './generated/torch.js';
import { loadAddon } from './load.js';

let loaded: typeof Binding | undefined;

/**
 * The addon that trains and predicts: finds libtorch, opens it, then loads the addon.
 *
 * @throws NnunetError `ERR_LIBTORCH_MISSING`, `ERR_LIBTORCH_VERSION`, `ERR_ADDON_MISSING`
 */
export function torch(): typeof Binding {
  if (loaded !== undefined) return loaded;
  const libtorch = findLibtorch();
  preloadLibtorch(libtorch);
  try {
    loaded = loadAddon<typeof Binding>('torch');
  } catch (error) {
    // Its libraries opened, but lack a symbol that the addon was built with: another build of libtorch.
    if (error instanceof NnunetError && error.code === 'ERR_ADDON_BROKEN') {
      throw unusable('ERR_LIBTORCH_VERSION', libtorch, error);
    }
    throw error;
  }
  return loaded;
}
