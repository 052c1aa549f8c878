import type { CheckOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Checks a raw task in `nnUNet_raw_data` and returns every problem. Channels and label of a case must have the same
 * size, spacing, origin and direction. Labels must be listed in `dataset.json` or be -1 (unlabelled). NaN, infinity,
 * images of one value, labels that cropping takes away, missing channels and labels without image are problems, too.
 *
 * Source: nnU-Net's `verify_dataset_integrity`, which stops at the first problem.
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_CANCELLED`, `ERR_DATASET_RECORD`
 */
export function checkDataset(options: CheckOptions): RunOf<'check'> {
  return startCore('check', options);
}
