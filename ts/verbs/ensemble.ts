import type { EnsembleOptions, FindBestConfigurationOptions } from '../generated/options.js';
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

/**
 * Compares the configurations of a task, and the ensembles of two, by their cross-validation, and gives the commands that
 * predict with the best. Writes `prediction_commands.txt`, `summary.csv` and `best_configuration.json`.
 * Source: `nnunet.evaluation.model_selection.figure_out_what_to_submit`.
 *
 * ```ts
 * const { best, commands } = await findBestConfiguration({ task: '501', configurations: ['2d', '3d_fullres'] }).result;
 * ```
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_ENSEMBLE_MISMATCH`,
 * `ERR_MISSING_PREDICTION`, `ERR_CASES_FAILED`, `ERR_CANCELLED`, `ERR_DISK_FULL`
 */
export function findBestConfiguration(options: FindBestConfigurationOptions): RunOf<'findBestConfiguration'> {
  return startCore('findBestConfiguration', options);
}
