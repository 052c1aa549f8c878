import type { Volume } from './volume.js';

/** A float32 array in C order. */
export interface FloatArray {
  /** Values, the last axis fastest. */
  readonly data: Float32Array;
  /** Length of each axis. */
  readonly shape: readonly number[];
}

/** A batch as the network sees it. Axes are `(sample, channel, z, y, x)`, in 2D `(sample, channel, y, x)`. */
export interface PreviewBatch {
  /** Name of the task, `TaskXXX_NAME`. */
  readonly task: string;
  /** Case of each sample. */
  readonly cases: readonly string[];
  /** Epoch, counted from 0. */
  readonly epoch: number;
  /** Iteration within the epoch, counted from 0. */
  readonly iteration: number;
  /** Patch size in voxels, `(z, y, x)` or `(y, x)`. */
  readonly patchSize: readonly number[];
  /** Voxel size along the axes of `patchSize` in millimetres, before augmentation. */
  readonly spacing: readonly number[];
  /** Whether this is a batch of training, which is rotated, scaled and mirrored at random. */
  readonly augmented: boolean;
  /**
   * Direction of each sample's case before augmentation, as that of a {@link Volume}: the columns are the last, the middle
   * and the first axis of the preprocessed array. `null` if the record of the case has none.
   */
  readonly directions: readonly (readonly number[] | null)[];
  /** Number of image channels. In `3d_cascade_fullres`, `data` has one more channel for each class of the first stage. */
  readonly channels: number;
  /** Names of the image channels. */
  readonly modalities: readonly string[];
  /** Names of classes 1, 2, …; without `dataset.json` they are `class 1` and so on. */
  readonly classes: readonly string[];
  /** Input of the network: normalised intensities. */
  readonly data: FloatArray;
  /** Labels at each deep-supervision scale, finest first, one channel. -1 is unlabelled if the recipe ignores -1. */
  readonly targets: readonly FloatArray[];
  /** Voxel weights at each of these scales, one channel, at least 0; `null` unless the recipe has voxel weights. */
  readonly weights: readonly FloatArray[] | null;
}
