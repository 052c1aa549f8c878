import type { ReportOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Writes one HTML file that shows trained models, folds, tasks or predictions, and needs no network: curves, scores and the
 * images of the worst cases. What a path is, is found by what it holds.
 *
 * ```ts
 * const { output, bytes } = await report({ paths: ['predictions'], reference: 'labelsTs', images: 'imagesTs' }).result;
 * ```
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_REPORT_PATH`, `ERR_SUMMARY_FILE`,
 * `ERR_CASES_FAILED`, `ERR_CANCELLED`, `ERR_DISK_FULL`
 */
export function report(options: ReportOptions): RunOf<'report'> {
  return startCore('report', options);
}
