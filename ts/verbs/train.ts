import { z } from 'zod';
import type { Run } from '../run.js';
import { common, compute, field, folders, foldersOf, type OptionsOf, parseOptions, verb } from '../schema.js';
import { runTorch } from './native.js';
import { recipe } from './recipe.js';

/** The trainers of nnU-Net and DIAG's fork that are presets here. */
export const TRAINERS = [
  'nnUNetTrainerV2',
  'nnUNetTrainerV2Sparse',
  'nnUNetTrainerV2SparseNormalSampling',
  'nnUNetTrainerV2Weighted',
  'nnUNetTrainer_V2_Loss_CEandDice_Weighted',
] as const;

export const trainSpec = verb({
  name: 'train',
  summary: 'train one fold of a configuration',
  positional: ['task'],
  options: z.object({
    task: field(z.string().min(1), 'task number, TaskXXX_NAME, or its preprocessed folder'),
    configuration: field(
      z.enum(['2d', '3d_fullres', '3d_lowres', '3d_cascade_fullres']),
      'configuration to train',
      'c',
    ),
    fold: field(
      z.union([z.int().min(0), z.string().regex(/^(\d+|all)$/, 'a fold number or all')]).default('0'),
      '0 to 4, more for random splits, or all',
      'f',
    ),
    trainer: field(
      z.enum(TRAINERS).default('nnUNetTrainerV2'),
      'preset of sampling, ignore label, weights and loss',
    ),
    recipe: field(
      recipe.optional(),
      'recipe as JSON instead of the preset’s, such as {"ignoreLabel":-1,"voxelWeights":true}',
    ),
    classWeights: field(
      z.array(z.number().min(0)).optional(),
      'weight of each class, background first, for the class-weighted trainer',
    ),
    skipUnannotated: field(z.boolean().default(false), 'leave out cases without any annotated voxel'),
    epochs: field(z.int().positive().default(1000), 'length of the schedule'),
    iterations: field(z.int().positive().default(250), 'training iterations in an epoch'),
    validationIterations: field(z.int().positive().default(50), 'validation iterations in an epoch'),
    batchSize: field(z.int().positive().optional(), 'instead of the planned batch size'),
    patchSize: field(z.array(z.int().positive()).optional(), 'instead of the planned patch size, voxels'),
    initialLr: field(z.number().positive().default(0.01), 'learning rate at the start of the poly schedule'),
    seed: field(z.int().min(0).default(0), 'same inputs, options and seed give the same model'),
    continue: field(z.boolean().default(false), 'go on from the last checkpoint of this fold'),
    saveEvery: field(z.int().positive().default(50), 'epochs between writings of model_latest'),
    outputFolder: field(
      z.string().min(1).optional(),
      'folder of the model, which holds the folds (default: in nnU-Net’s layout below the results folder)',
      'o',
    ),
    previousStage: field(
      z.string().min(1).optional(),
      'folder with <case>_segFromPrevStage.npz, for 3d_cascade_fullres',
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
export type Trainer = (typeof TRAINERS)[number];

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
