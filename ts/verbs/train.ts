import type { TrainOptions } from '../generated/options.js';
import { isRank } from '../ranks/environment.js';
import { launchRanks } from '../ranks/launch.js';
import { Run } from '../run.js';
import { checked, type RunOf, signalOf, startTorch } from './start.js';

/**
 * Trains one fold and writes nnU-Net v1's own checkpoints. A cancelled training writes `model_latest`. `continue: true`
 * continues from it; on CPU the final model is bit-identical to that of an uninterrupted training.
 *
 * With `gpus`, several processes train together. In the environment of `torchrun`, this process is one of them.
 *
 * @throws (through `result`) NnunetError `ERR_LIBTORCH_*`, `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_CANCELLED`, and errors of
 * the data
 */
export function train(options: TrainOptions): RunOf<'train'> {
  const gpus = typeof options === 'object' ? (options?.gpus ?? 1) : 1;
  // Within the ranks of another starter, the addon refuses the option.
  if (gpus === 1 || isRank()) return startTorch('train', options);
  return new Run(() => launchRanks(checked('train', options), gpus), signalOf(options));
}
