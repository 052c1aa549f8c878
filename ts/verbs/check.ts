import type { CheckOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Checks a raw task in `nnUNet_raw_data`: every case's channels and label agree in size, spacing, origin and
 * direction; labels are listed ones (or -1, unlabelled); no NaN or infinity; no missing channel; no label without
 * image. Source: nnU-Net's `verify_dataset_integrity`, which stops at the first problem.
 */
export function checkDataset(options: CheckOptions): RunOf<'check'> {
  return startCore('check', options);
}
