import { fromNative, optionError } from './errors.js';
import { core } from './native/core.js';

/** A boolean or label image. Zero is background. */
export type Mask = Uint8Array | Int16Array | Int32Array | Float32Array;

/** Options of {@link distanceTransform}. */
export interface DistanceTransformOptions {
  /** Voxel size along each axis of `shape`, 1e-12 to 1e12. The default is 1. */
  readonly spacing?: readonly number[];
  /** Larger distances may be returned as infinity, which is faster. In the unit of `spacing`. */
  readonly bound?: number;
  /** Returns squared distances. The default is false. */
  readonly squared?: boolean;
}

/**
 * Exact Euclidean distance of every voxel to the nearest zero voxel; infinity if there is no zero voxel. Equals
 * `scipy.ndimage.distance_transform_edt`. Runs on all cores and does not block the event loop. Do not change `mask`
 * until the promise settles.
 *
 * ```ts
 * const mask = Uint8Array.from([0, 1, 1, 1]);
 * await distanceTransform(mask, [4]); // Float32Array [0, 1, 2, 3]
 * ```
 *
 * @param mask voxels in C order
 * @param shape one to three axes, such as `[z, y, x]`
 * @throws NnunetError `ERR_OPTIONS` if mask or shape have another type or contradict each other; `ERR_EDT_*` for an
 * invalid spacing or bound
 */
export async function distanceTransform(
  mask: Mask,
  shape: readonly number[],
  options: DistanceTransformOptions = {},
): Promise<Float32Array> {
  const { spacing = shape.map(() => 1), bound, squared = false } = options;
  check(mask, shape);
  try {
    return await core().distanceTransform(mask, [...shape], [...spacing], bound, squared);
  } catch (thrown) {
    throw fromNative(thrown);
  }
}

/** Rejects values that the addon would convert silently, such as a length of 2.5. */
function check(mask: unknown, shape: readonly unknown[]): void {
  const kinds = [Uint8Array, Int16Array, Int32Array, Float32Array];
  if (!kinds.some((kind) => mask instanceof kind)) {
    const expected = kinds.map((kind) => kind.name).join(', ');
    const found = Object.prototype.toString.call(mask).slice(8, -1);
    throw optionError('mask', `expected one of ${expected}, got ${found}`);
  }
  if (!shape.every((n) => Number.isInteger(n) && Number(n) >= 0 && Number(n) < 2 ** 32)) {
    throw optionError('shape', `expected whole numbers, got [${shape.join(', ')}]`);
  }
}
