/** Headers of every kind of direction, and what the planes of a viewer show of them. */
import type { Shape } from './made-up.js';

/** Rows of a matrix from voxels (x, y, z) to millimetres in LPS. */
export type Rows = readonly (readonly number[])[];

/** Headers by name. */
export const HEADERS: Readonly<Record<string, Rows>> = {
  LPS: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 3],
  ],
  RAS: [
    [-1, 0, 0],
    [0, -1, 0],
    [0, 0, 3],
  ],
  'head first': [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, -3],
  ],
  'coronal slices': [
    [1, 0, 0],
    [0, 0, 3],
    [0, -1, 0],
  ],
  'sagittal slices, from left to right': [
    [0, 0, -3],
    [1, 0, 0],
    [0, -1, 0],
  ],
  // 20 degrees about the axis from right to left.
  oblique: [
    [1, 0, 0],
    [0, Math.cos(0.35), 3 * Math.sin(0.35)],
    [0, -Math.sin(0.35), 3 * Math.cos(0.35)],
  ],
};

/** Directions on the screen in LPS, to the right and down, and the letters at the edges of an untilted case. */
export const SCREEN = [
  { plane: 'axial', right: [1, 0, 0], down: [0, 1, 0], letters: 'left R, right L, top A, bottom P' },
  { plane: 'coronal', right: [1, 0, 0], down: [0, 0, -1], letters: 'left R, right L, top S, bottom I' },
  { plane: 'sagittal', right: [0, 1, 0], down: [0, 0, -1], letters: 'left A, right P, top S, bottom I' },
] as const;
/**
 * The axis of an array (z, y, x) that is nearest to a direction of the patient in LPS, its length, and whether it points
 * along it.
 */
export function axisOf(rows: Rows, shape: Shape, direction: readonly number[]) {
  const along = [2, 1, 0].map((column) => {
    const vector = rows.map((row) => row[column] ?? 0);
    const dot = vector.reduce((sum, part, at) => sum + part * (direction[at] ?? 0), 0);
    return dot / Math.hypot(...vector);
  });
  const axis = along.reduce(
    (best, value, at) => (Math.abs(value) > Math.abs(along[best] ?? 0) ? at : best),
    0,
  );
  return { axis, forward: (along[axis] ?? 0) > 0, length: shape[axis] ?? 1 };
}
