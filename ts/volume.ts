import { fromNative } from './errors.js';
import { core } from './native/core.js';

/** A scalar volume with its geometry. */
export interface Volume {
  /** Values in C order `(z, y, x)`. */
  readonly data: Float32Array;
  readonly shape: readonly [z: number, y: number, x: number];
  /** Millimetres along `(z, y, x)`. */
  readonly spacing: readonly [z: number, y: number, x: number];
  /** Position of the first voxel in millimetres, `(x, y, z)`, LPS as ITK has it. */
  readonly origin: readonly [x: number, y: number, z: number];
  /** Row-major 3×3 direction cosines, LPS as ITK has it. */
  readonly direction: readonly number[];
}

/**
 * Reads one channel of a NIfTI file (`.nii`, `.nii.gz`; NIfTI-1 and -2; any numeric type, scaled as its header says).
 *
 * @throws NnunetError `ERR_NIFTI_*`, `ERR_NOT_FOUND` and `ERR_VOLUME_IO`, with the file
 */
export async function readVolume(path: string, channel = 0): Promise<Volume> {
  try {
    const { data, shape, spacing, origin, direction } = await core().readVolume(path, channel);
    return {
      data,
      shape: shape as [number, number, number],
      spacing: spacing as [number, number, number],
      origin: origin as [number, number, number],
      direction,
    };
  } catch (thrown) {
    throw fromNative(thrown);
  }
}
