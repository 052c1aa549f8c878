import type { SplitsOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Writes `splits_final.pkl`, from which `train` takes its folds, into the task's preprocessed folder.
 *
 * The cases are the preprocessed cases; before preprocessing, those of `dataset.json`. The default folds are those of
 * nnU-Net v1: scikit-learn's `KFold(5, shuffle=True, random_state=12345)` over the sorted cases. `groupPattern` and `groups`
 * apply the same rule to the sorted patients.
 *
 * @throws (through `result`) NnunetError `ERR_SPLITS_EXIST` unless `overwrite`; `ERR_TOO_FEW_CASES` for fewer than five
 * cases or patients; `ERR_SPLITS` with the cases of a file that are missing, unknown, or in both parts of a fold
 */
export function makeSplits(options: SplitsOptions): RunOf<'splits'> {
  return startCore('splits', options);
}
