import { z } from 'zod';
import type { CaseFailure } from '../events.js';
import type { Run } from '../run.js';
import { common, compute, field, fold, type OptionsOf, parseOptions, verb } from '../schema.js';
import { runTorch } from './native.js';

export const predictSpec = verb({
  name: 'predict',
  summary: 'segment every case of a folder with a trained model',
  positional: [],
  options: z.object({
    input: field(z.string().min(1), 'folder of images, <case>_0000.nii.gz and so on', 'i'),
    output: field(z.string().min(1), 'folder for the segmentations', 'o'),
    model: field(z.string().min(1), 'folder <trainer>__<plans> that holds the folds', 'm'),
    folds: field(
      z.array(fold).min(1).optional(),
      'folds to average, numbers or all (default: all that are trained)',
      'f',
    ),
    checkpoint: field(z.string().min(1).default('model_final_checkpoint'), 'checkpoint to use of each fold'),
    saveSoftmax: field(z.boolean().default(false), 'also write the softmax, for ensembling'),
    export: field(
      z.enum(['default', 'alt', 'streamed']).default('streamed'),
      'resampling of the softmax: streamed and default give the same, alt is DIAG’s',
    ),
    stepSize: field(z.number().gt(0).max(1).default(0.5), 'distance of tiles as a share of the patch'),
    mirroring: field(z.boolean().default(true), 'do not average over mirrored copies'),
    overwrite: field(z.boolean().default(false), 'predict cases again that are there already'),
    ...compute,
    ...common,
  }),
  examples: [
    'predict -i imagesTs -o predictions -m RESULTS/nnUNet/3d_fullres/Task501_X/nnUNetTrainerV2__nnUNetPlansv2.1',
    'predict -i imagesTs -o predictions -m MODEL -f 0 1 --step-size 0.75 --no-mirroring',
  ],
});

export type PredictOptions = OptionsOf<typeof predictSpec>;

export interface PredictSummary {
  /** Cases segmented in this run. */
  readonly written: number;
  /** Cases whose segmentation was there already. */
  readonly skipped: number;
  readonly failures: readonly CaseFailure[];
  readonly output: string;
  readonly device: string;
  readonly precision: string;
  readonly seconds: number;
}

/**
 * Segments every case of a folder: sliding window with Gaussian weighting, mirroring, folds averaged, resampled back
 * to the image's own grid. Source: `nnunet.inference.predict.predict_from_folder`.
 */
export function predict(options: PredictOptions): Run<PredictSummary> {
  const { workers, folds, ...rest } = parseOptions(predictSpec, options);
  return runTorch('predict', { ...rest, folds: folds?.map(String) }, workers, options.signal);
}
