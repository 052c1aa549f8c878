import type { InspectOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Reads a file of nnU-Net without executing anything in it: pickles and checkpoints become JSON (tensors and arrays
 * as their shapes and types), archives, arrays and NIfTI files their headers.
 */
export function inspect(options: InspectOptions): RunOf<'inspect'> {
  return startCore('inspect', options);
}
