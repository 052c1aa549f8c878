import type { TrainOptions } from '../generated/options.js';
import { type RunOf, startTorch } from './start.js';

/**
 * Trains one fold. Writes nnU-Net v1's own checkpoints; cancelling leaves `model_latest`, from which
 * `continue: true` continues, on CPU to the same bits as an uninterrupted run.
 *
 * @throws (through `result`) NnunetError `ERR_LIBTORCH_*`, `ERR_OPTIONS`, `ERR_CANCELLED`, and the errors of data
 */
export function train(options: TrainOptions): RunOf<'train'> {
  return startTorch('train', options);
}
