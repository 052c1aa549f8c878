import type { PredictOptions } from '../generated/options.js';
import { type RunOf, startTorch } from './start.js';

/**
 * Segments every case of a folder: sliding window with Gaussian weighting, mean over mirrors and folds, resampling to the
 * grid of the image. Source: `nnunet.inference.predict.predict_from_folder`.
 */
export function predict(options: PredictOptions): RunOf<'predict'> {
  return startTorch('predict', options);
}
