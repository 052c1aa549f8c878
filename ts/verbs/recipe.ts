import { z } from 'zod';
import { field, fold } from '../schema.js';

/** The trainers of nnU-Net and DIAG’s fork that are presets here. */
export const TRAINERS = [
  'nnUNetTrainerV2',
  'nnUNetTrainerV2Sparse',
  'nnUNetTrainerV2SparseNormalSampling',
  'nnUNetTrainerV2Weighted',
  'nnUNetTrainer_V2_Loss_CEandDice_Weighted',
] as const;

export type Trainer = (typeof TRAINERS)[number];

/** Where training patches lie. */
const sampling = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('foreground'),
    /** Fraction of each batch forced to contain foreground; nnU-Net's is 0.33. */
    fraction: z.number().min(0).max(1).optional(),
  }),
  z.strictObject({
    kind: z.literal('annotated'),
    /** Random shift of the patch, as a fraction of what keeps the drawn voxel inside; 0 centres it. */
    offset: z.number().min(0).max(1).optional(),
    /** Draw the class first (background being one), then the voxel. */
    balance: z.boolean().optional(),
    /** Draw the spatial transform again where it would leave no annotated voxel in the patch; default true. */
    keepAnnotated: z.boolean().optional(),
    /** Leave cases without any annotated voxel out instead of failing. */
    skipUnannotated: z.boolean().optional(),
  }),
  z.strictObject({
    /** DIAG's fork, which fails on a loaded box without annotation; for comparison only. */
    kind: z.literal('fork'),
    fraction: z.number().min(0).max(1).optional(),
  }),
]);

const loss = z.strictObject({
  /** Weight of the cross-entropy; default 1. */
  crossEntropy: z.number().min(0).optional(),
  /** Weight of the soft Dice term; default 1. */
  dice: z.number().min(0).optional(),
  /** One weight a class, background first. */
  crossEntropyClassWeights: z.array(z.number().min(0)).optional(),
  diceClassWeights: z.array(z.number().min(0)).optional(),
  /** Take -log(Dice) instead of -Dice. */
  logDice: z.boolean().optional(),
  smooth: z.number().positive().optional(),
  /** Ignored voxels count as background in the cross-entropy, as in the fork's class-weighted loss. */
  ignoredIsBackground: z.boolean().optional(),
});

/**
 * A trainer as a value: independent choices. Given beside `trainer`, it replaces the preset's recipe and keeps
 * its name.
 */
const recipe = z.strictObject({
  sampling: sampling.optional(),
  /** Label left out of loss and metrics; -1, the unlabelled voxels, or `null` for none. */
  ignoreLabel: z.literal(-1).nullable().optional(),
  /** Weight the voxels of the cross-entropy with `<case>_weightmap.npy`. */
  voxelWeights: z.boolean().optional(),
  augmentation: z
    .strictObject({
      /**
       * Transform patches as nnU-Net v1 and DIAG's fork do where they are wrong, for comparison with their results:
       * unlabelled voxels outside the patch and between labels become background, the image is blanked there.
       */
      referenceRules: z.boolean().optional(),
    })
    .optional(),
  loss: loss.optional(),
});

export type Recipe = z.input<typeof recipe>;

/** The options of a training that decide what its network sees; `train` and `preview` share them. */
export const trainingData = {
  task: field(z.string().min(1), 'task number, TaskXXX_NAME, or its preprocessed folder'),
  configuration: field(
    z.enum(['2d', '3d_fullres', '3d_lowres', '3d_cascade_fullres']),
    'configuration to train',
    'c',
  ),
  fold: field(fold.default('0'), '0 to 4, more for random splits, or all', 'f'),
  trainer: field(
    z.enum(TRAINERS).default('nnUNetTrainerV2'),
    'preset of sampling, ignore label, weights and loss',
  ),
  recipe: field(
    recipe.optional(),
    'recipe as JSON instead of the preset’s, such as {"ignoreLabel":-1,"voxelWeights":true}',
  ),
  skipUnannotated: field(z.boolean().default(false), 'leave out cases without any annotated voxel'),
  seed: field(
    z.int().min(0).default(0),
    'key of all random draws: with the same inputs and options, the same result',
  ),
  batchSize: field(z.int().positive().optional(), 'instead of the planned batch size'),
  patchSize: field(z.array(z.int().positive()).optional(), 'instead of the planned patch size, voxels'),
  previousStage: field(
    z.string().min(1).optional(),
    'folder with <case>_segFromPrevStage.npz, for 3d_cascade_fullres',
  ),
};
