import { NnunetError } from '../errors.js';
import { findLibtorch } from '../libtorch/find.js';
import { preloadLibtorch, unusable } from '../libtorch/preload.js';
import type * as Binding from './generated/torch.js';
import { findAddon, loadAddon } from './load.js';

let loaded: typeof Binding | undefined;

/**
 * The addon that trains and predicts. The first call finds and opens libtorch, then loads the addon.
 *
 * @throws NnunetError `ERR_ADDON_MISSING`, `ERR_ADDON_BROKEN`, `ERR_LIBTORCH_MISSING`, `ERR_LIBTORCH_VERSION`
 */
export function torch(): typeof Binding {
  if (loaded !== undefined) return loaded;
  // Searched first: without the addon, advice about libtorch would mislead.
  findAddon('torch');
  const libtorch = findLibtorch();
  preloadLibtorch(libtorch);
  try {
    loaded = loadAddon<typeof Binding>('torch');
  } catch (error) {
    throw lacksLibtorch(error) ? unusable('ERR_LIBTORCH_VERSION', libtorch, error) : error;
  }
  return loaded;
}

/** Whether the loader did not find a library or symbol of libtorch: the libtorch is another build. */
function lacksLibtorch(error: unknown): error is NnunetError {
  if (!(error instanceof NnunetError) || error.code !== 'ERR_ADDON_BROKEN') return false;
  const words = String(error.details.loader);
  if (/\b(napi|node_api)_/.test(words)) return false;
  const symbol = /undefined symbol|symbol not found|procedure could not be found/i;
  const library = /\b(lib(torch\w*|c10)\.(so|dylib)|(torch\w*|c10)\.dll)\b/;
  return symbol.test(words) || library.test(words);
}
