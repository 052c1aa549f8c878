import type { TrainOptions } from '../generated/options.js';
import { type RunOf, startTorch } from './start.js';

/**
 * Trains one fold and writes nnU-Net v1's own checkpoints. A cancelled training writes `model_latest`. `continue: true`
 * continues from it; on CPU the final model is bit-identical to that of an uninterrupted training.
 *
 * @throws (through `result`) NnunetError `ERR_LIBTORCH_*`, `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_CANCELLED`, and errors of
 * the data
 */
export function train(options: TrainOptions): RunOf<'train'> {
  return startTorch('train', options);
}
