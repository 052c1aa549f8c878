import { fromNative } from './errors.js';
import { core } from './native/core.js';

/** A scalar volume with its geometry. */
export interface Volume {
  /** Values in C order `(z, y, x)`. */
  readonly data: Float32Array;
  /** Voxels along `(z, y, x)`. */
  readonly shape: readonly [z: number, y: number, x: number];
  /** Voxel size along `(z, y, x)` in millimetres. */
  readonly spacing: readonly [z: number, y: number, x: number];
  /** Position of the first voxel `(x, y, z)` in millimetres, in ITK's LPS coordinates. */
  readonly origin: readonly [x: number, y: number, z: number];
  /** Direction cosines as a row-major 3×3 matrix, in ITK's LPS coordinates. */
  readonly direction: readonly number[];
}

/**
 * Reads one channel of a NIfTI-1 or NIfTI-2 file (`.nii`, `.nii.gz`) of any numeric type. Slope and intercept of the
 * header are applied.
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
