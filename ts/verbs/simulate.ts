import type { SimulateSparseOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Makes a task with sparse labels from one with dense labels, to learn how much annotation a task needs. All voxels but
 * some slices, scribbles or single voxels become -1, unlabelled. The result depends on options, seed and case names only.
 *
 * ```ts
 * const run = simulateSparse({ task: '501', name: 'Task602_IcbmSlices', pattern: 'slices', slices: 3 });
 * console.log((await run.result).share);
 * ```
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_TASK_EXISTS`, `ERR_TASK_NUMBER_TAKEN`,
 * `ERR_CANCELLED`, `ERR_DISK_FULL`
 */
export function simulateSparse(options: SimulateSparseOptions): RunOf<'simulateSparse'> {
  return startCore('simulateSparse', options);
}
