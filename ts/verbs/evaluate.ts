import type { CompareOptions, EvaluateOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Compares every segmentation in `predictionDir` with the file of the same name in `referenceDir` and writes
 * `summary.json`. Source: `nnunet.evaluation.evaluator.evaluate_folder`.
 *
 * With `metrics`, it also measures surfaces, volumes, lesions or calibration, and writes `summary_metrics.json`, `.csv` and
 * `.md` beside `summary.json`, with confidence intervals:
 *
 * ```ts
 * const { report } = await evaluate({ referenceDir, predictionDir, labels: [1, 2], metrics: ['surface', 'lesions'] }).result;
 * console.table(report?.statistics);
 * ```
 */
export function evaluate(options: EvaluateOptions): RunOf<'evaluate'> {
  return startCore('evaluate', options);
}

/**
 * Compares two folders of predictions of the same cases: the metrics of `evaluate`, differences with confidence intervals,
 * Wilcoxon's signed-rank test and its effect size. Writes `comparison.json`, `.csv` and `.md`.
 *
 * ```ts
 * const { tests } = await compare({ referenceDir, firstDir, secondDir, labels: [1, 2], metrics: ['surface'] }).result;
 * for (const { region, metric, difference, adjustedP } of tests) console.log(region, metric, difference, adjustedP);
 * ```
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_NO_CASES`, `ERR_CASES_FAILED`,
 * `ERR_LABELS_ABSENT`, `ERR_CANCELLED`, `ERR_DISK_FULL`
 */
export function compare(options: CompareOptions): RunOf<'compare'> {
  return startCore('compare', options);
}
