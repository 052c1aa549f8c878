import type { EnsembleOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Averages the softmax of several models, which `predict` with `saveSoftmax` or nnU-Net v1 wrote, and writes the
 * segmentations. Source: `nnunet.inference.ensemble_predictions.merge`.
 *
 * ```ts
 * const { written } = await ensemble({ folders: ['predictions_2d', 'predictions_3d'], output: 'ensemble' }).result;
 * ```
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_NO_CASES`, `ERR_POSTPROCESSING_FILE`,
 * `ERR_CANCELLED`, `ERR_DISK_FULL`
 */
export function ensemble(options: EnsembleOptions): RunOf<'ensemble'> {
  return startCore('ensemble', options);
}
