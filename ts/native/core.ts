import type * as Binding from './generated/core.js';
import { loadAddon } from './load.js';

let loaded: typeof Binding | undefined;

/** The addon that needs no libtorch, loaded on first use. */
export function core(): typeof Binding {
  loaded ??= loadAddon<typeof Binding>('core');
  return loaded;
}
