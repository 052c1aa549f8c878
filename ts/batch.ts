/** A float32 array in C order. */
export interface FloatArray {
  readonly data: Float32Array;
  /** Length of each axis. */
  readonly shape: readonly number[];
}

/** One batch as the network sees it; axes are `(sample, channel, z, y, x)`, in 2D `(sample, channel, y, x)`. */
export interface PreviewBatch {
  /** Whole name of the task. */
  readonly task: string;
  /** The case of each sample. */
  readonly cases: readonly string[];
  /** Counted from 0. */
  readonly epoch: number;
  /** Within the epoch, counted from 0. */
  readonly iteration: number;
  /** Patch size in voxels, `(z, y, x)` or `(y, x)`. */
  readonly patchSize: readonly number[];
  /** Image channels; `data` has one more for each class in a cascade's second stage, the first one's segmentation. */
  readonly channels: number;
  /** Names of the image channels. */
  readonly modalities: readonly string[];
  /** Names of classes 1, 2, …; `class 1` and so on where the task has no `dataset.json`. */
  readonly classes: readonly string[];
  /** The network's input, normalised intensities. */
  readonly data: FloatArray;
  /** Labels at each deep-supervision scale, finest first, one channel; -1 is unlabelled, under recipes that ignore it. */
  readonly targets: readonly FloatArray[];
  /** Voxel weights at each of these scales, one channel, not negative; `null` unless the recipe has them. */
  readonly weights: readonly FloatArray[] | null;
}
