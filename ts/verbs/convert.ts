import type { ConvertOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Converts a data set of nnU-Net v2 or of the Medical Decathlon to a raw task. The `ignore` label of nnU-Net v2 becomes -1.
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_TASK_EXISTS`, `ERR_CANCELLED`, `ERR_DISK_FULL`
 */
export function convertDataset(options: ConvertOptions): RunOf<'convert'> {
  return startCore('convert', options);
}
