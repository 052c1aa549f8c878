import type { PlanOptions, PreprocessOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Crops every case to its non-zero region, computes the fingerprint of the data set and plans the experiment.
 * Source: `ImageCropper`, `DatasetAnalyzer`, `ExperimentPlanner3D_v21` and `ExperimentPlanner2D_v21`.
 */
export function planExperiment(options: PlanOptions): RunOf<'plan'> {
  return startCore('plan', options);
}

/**
 * Plans the experiment and preprocesses every case into nnU-Net v1's folders. Finished cases are skipped, so an
 * interrupted run can be continued. `progress` events count `cases cropped`, then `cases preprocessed`.
 * Source: `nnUNet_plan_and_preprocess`.
 */
export function planAndPreprocess(options: PreprocessOptions): RunOf<'preprocess'> {
  return startCore('preprocess', options);
}
