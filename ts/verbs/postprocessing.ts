import type {
  ApplyPostprocessingOptions,
  ConsolidateFoldsOptions,
  DeterminePostprocessingOptions,
} from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Selects the labels that benefit from keeping only their largest component, by predictions with references, and writes
 * them as `postprocessing.json`. Source: `nnunet.postprocessing.connected_components.determine_postprocessing`.
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_NO_CASES`, `ERR_CASES_FAILED`,
 * `ERR_CANCELLED`, `ERR_DISK_FULL`
 */
export function determinePostprocessing(
  options: DeterminePostprocessingOptions,
): RunOf<'determinePostprocessing'> {
  return startCore('determinePostprocessing', options);
}

/**
 * Applies a `postprocessing.json` to every segmentation of a folder.
 * Source: `nnunet.postprocessing.connected_components.apply_postprocessing_to_folder`.
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_NO_CASES`, `ERR_POSTPROCESSING_FILE`,
 * `ERR_CANCELLED`, `ERR_DISK_FULL`
 */
export function applyPostprocessing(options: ApplyPostprocessingOptions): RunOf<'applyPostprocessing'> {
  return startCore('applyPostprocessing', options);
}

/**
 * Evaluates the validation cases of all folds of a model as one cross-validation, and writes the `postprocessing.json` of
 * the model, which `predict` applies. Source: `nnunet.postprocessing.consolidate_postprocessing.consolidate_folds`.
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_MODEL_FOLDER`, `ERR_MISSING_PREDICTION`,
 * `ERR_CASES_FAILED`, `ERR_CANCELLED`, `ERR_DISK_FULL`
 */
export function consolidateFolds(options: ConsolidateFoldsOptions): RunOf<'consolidateFolds'> {
  return startCore('consolidateFolds', options);
}
