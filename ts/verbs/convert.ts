import type { ConvertOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Converts a data set of nnU-Net v2 or of the Medical Decathlon to a raw task. The `ignore` label of nnU-Net v2 becomes -1.
 *
 * With `to: 'v2'`, converts a raw task to a data set of nnU-Net v2, or a trained model to one of its model folders.
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_TASK_EXISTS`, `ERR_MODEL_UNSUPPORTED`,
 * `ERR_CHECKPOINT`, `ERR_CANCELLED`, `ERR_DISK_FULL`
 */
export function convertDataset(options: ConvertOptions): RunOf<'convert'> {
  return startCore('convert', options);
}
