import { z } from 'zod';

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
 * A trainer as a value: four independent choices. Given beside `trainer`, it replaces the preset's recipe and keeps
 * its name.
 */
export const recipe = z.strictObject({
  sampling: sampling.optional(),
  /** Label left out of loss and metrics; -1, the unlabelled voxels, or `null` for none. */
  ignoreLabel: z.literal(-1).nullable().optional(),
  /** Weight the voxels of the cross-entropy with `<case>_weightmap.npy`. */
  voxelWeights: z.boolean().optional(),
  loss: loss.optional(),
});

export type Recipe = z.input<typeof recipe>;
