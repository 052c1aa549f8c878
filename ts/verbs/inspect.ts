import type { InspectOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Reads a file of nnU-Net without executing anything in it. The result of a pickle or checkpoint is its content, with long
 * arrays and tensors as shapes and types. The result of an archive, array or NIfTI file is its headers; that of the folder of
 * a model of nnU-Net v2 says what the model is.
 */
export function inspect(options: InspectOptions): RunOf<'inspect'> {
  return startCore('inspect', options);
}
