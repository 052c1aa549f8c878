import type { EstimateMemoryOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Estimates the memory that a verb needs, before it runs, from headers and plans alone. `submit` gives it to Slurm.
 *
 * ```ts
 * const { bytes, basis } = await estimateMemory({
 *   verb: 'preprocess',
 *   options: { task: '501', configurations: ['3d_fullres'] },
 *   workers: 4,
 * }).result;
 * console.log(bytes === null ? basis : `${Math.ceil(bytes / 2 ** 30)} GiB`);
 * ```
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, also for an option of the verb; `ERR_CANCELLED`
 */
export function estimateMemory(options: EstimateMemoryOptions): RunOf<'estimateMemory'> {
  return startCore('estimateMemory', options);
}
