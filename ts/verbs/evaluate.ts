import type { EvaluateOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Compares every segmentation in `predictionDir` with the file of the same name in `referenceDir` and writes
 * `summary.json`. Source: `nnunet.evaluation.evaluator.evaluate_folder`.
 */
export function evaluate(options: EvaluateOptions): RunOf<'evaluate'> {
  return startCore('evaluate', options);
}
