import { z } from 'zod';
import type { Run } from '../run.js';
import { common, compute, field, folders, foldersOf, type OptionsOf, parseOptions, verb } from '../schema.js';
import { runTorch } from './native.js';
import { trainingData } from './recipe.js';

export const trainSpec = verb({
  name: 'train',
  summary: 'train one fold of a configuration',
  positional: ['task'],
  options: z.object({
    ...trainingData,
    classWeights: field(
      z.array(z.number().min(0)).optional(),
      'weight of each class, background first, for the class-weighted trainer',
    ),
    epochs: field(z.int().positive().default(1000), 'length of the schedule'),
    iterations: field(z.int().positive().default(250), 'training iterations in an epoch'),
    validationIterations: field(z.int().positive().default(50), 'validation iterations in an epoch'),
    initialLr: field(z.number().positive().default(0.01), 'learning rate at the start of the poly schedule'),
    continue: field(z.boolean().default(false), 'go on from the last checkpoint of this fold'),
    saveEvery: field(z.int().positive().default(50), 'epochs between writings of model_latest'),
    outputFolder: field(
      z.string().min(1).optional(),
      'folder of the model, which holds the folds (default: in nnU-Net’s layout below the results folder)',
      'o',
    ),
    unpack: field(
      z.boolean().default(true),
      'read patches from the compressed cases, without <case>.npy files',
    ),
    loaderThreads: field(z.int().min(0).default(0), 'threads that make batches; 0 takes all workers'),
    deterministic: field(z.boolean().default(false), 'choose CUDA algorithms once instead of by measuring'),
    ...compute,
    ...folders,
    ...common,
  }),
  examples: [
    'train 501 -c 3d_fullres -f 0',
    'train 502 -c 3d_fullres -f all --trainer nnUNetTrainerV2Sparse --epochs 200 --seed 1',
    'train 501 -c 2d -f 3 --continue',
  ],
});

export type TrainOptions = OptionsOf<typeof trainSpec>;

export interface TrainSummary {
  /** The fold's folder in nnU-Net's results layout. */
  readonly folder: string;
  /** `model_final_checkpoint.model`. */
  readonly checkpoint: string;
  /** Finished epochs, former runs included. */
  readonly epochs: number;
  readonly trainLoss: number;
  /** `null` where no validation patch had an annotated voxel. */
  readonly validationLoss: number | null;
  /** Online Dice of each foreground class in the last epoch. */
  readonly dice: readonly (number | null)[];
  readonly device: string;
  readonly precision: string;
  readonly seconds: number;
}

/**
 * Trains one fold. Writes nnU-Net v1's own checkpoints; cancelling leaves `model_latest`, from which
 * `continue: true` goes on, on CPU to the same bits as an uninterrupted run.
 *
 * @throws (through `result`) NnunetError `ERR_LIBTORCH_*`, `ERR_OPTIONS`, `ERR_CANCELLED`, and the errors of data
 */
export function train(options: TrainOptions): Run<TrainSummary> {
  const { workers, fold, rawDataBase, preprocessed, results, ...rest } = parseOptions(trainSpec, options);
  const native = { ...rest, fold: String(fold), ...foldersOf({ rawDataBase, preprocessed, results }) };
  return runTorch('train', native, workers, options.signal);
}
