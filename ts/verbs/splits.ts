import type { SplitsOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Writes `splits_final.pkl`, from which `train` takes its folds, into the task's preprocessed folder.
 *
 * The cases are the preprocessed ones; before preprocessing, those of `dataset.json`. The default folds are nnU-Net v1's:
 * scikit-learn's `KFold(5, shuffle=True, random_state=12345)` over the sorted cases. `groupPattern` and `groups` apply the
 * same rule to the sorted patients.
 *
 * @throws (through `result`) NnunetError `ERR_SPLITS_EXIST` unless `overwrite`; `ERR_TOO_FEW_CASES` below five cases
 * or patients; `ERR_SPLITS` naming the cases that a file lacks, invents, or both trains and validates on
 */
export function makeSplits(options: SplitsOptions): RunOf<'splits'> {
  return startCore('splits', options);
}
