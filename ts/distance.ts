import { fromNative, NnunetError } from './errors.js';
import { core } from './native/core.js';

/** A boolean or label image: zero is background, everything else is not. */
export type Mask = Uint8Array | Int16Array | Int32Array | Float32Array;

export interface DistanceTransformOptions {
  /** Voxel size along each axis of `shape`, 1e-12 to 1e12; default 1. */
  readonly spacing?: readonly number[];
  /** Distances above this may come out infinite, which is faster; in the unit of `spacing`. */
  readonly bound?: number;
  /** Return squared distances; default false. */
  readonly squared?: boolean;
}

/**
 * Exact Euclidean distance of every non-zero voxel to the nearest zero voxel; zero voxels get 0, and infinity stands
 * where there is no zero voxel. Equals `scipy.ndimage.distance_transform_edt`. Runs off the event loop, on all cores;
 * do not change `mask` until the promise settles.
 *
 * ```ts
 * const mask = Uint8Array.from([0, 1, 1, 1]);
 * await distanceTransform(mask, [4]); // Float32Array [0, 1, 2, 3]
 * ```
 *
 * @param mask voxels in C order
 * @param shape one to three axes, such as `[z, y, x]`
 * @throws NnunetError `ERR_OPTIONS` where mask or shape are of another type or do not fit each other, `ERR_EDT_*` for a
 * bad spacing or bound
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

/** Refuses what the addon would convert without a word, such as a length of 2.5. */
function check(mask: unknown, shape: readonly unknown[]): void {
  const kinds = [Uint8Array, Int16Array, Int32Array, Float32Array];
  if (!kinds.some((kind) => mask instanceof kind)) {
    const expected = kinds.map((kind) => kind.name).join(', ');
    const found = Object.prototype.toString.call(mask).slice(8, -1);
    throw new NnunetError('ERR_OPTIONS', `expected a mask of type ${expected}, but received ${found}`);
  }
  if (!shape.every((n) => Number.isInteger(n) && Number(n) >= 0 && Number(n) < 2 ** 32)) {
    throw new NnunetError(
      'ERR_OPTIONS',
      `expected a shape of whole numbers, but received [${shape.join(', ')}]`,
    );
  }
}
