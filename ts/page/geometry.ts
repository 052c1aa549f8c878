import type { ViewCase } from '../generated/report.js';

/** An in-plane direction of the screen. */
export interface Side {
  /** Axis of the array: 0 is z, 1 is y, 2 is x. */
  axis: number;
  /** Whether the index falls along the screen. */
  flipped: boolean;
  /** Letters of the patient's direction at the start and at the end of the screen. */
  marks: [string, string];
}

/** One of the three planes. */
export interface Plane {
  name: 'axial' | 'coronal' | 'sagittal';
  /** Axis of the array that the slices follow. */
  through: number;
  across: Side;
  down: Side;
}

/** Column of the affine of an axis of the array, in mm (x, y, z; LPS). */
function column(view: ViewCase, axis: number): [number, number, number] {
  const at = 2 - axis;
  return [view.affine[at] ?? 0, view.affine[4 + at] ?? 0, view.affine[8 + at] ?? 0];
}

/** The axis of the array that is nearest to each axis of the patient (x, y, z). */
export function nearestAxes(view: ViewCase): [number, number, number] {
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as [number, number, number][];
  const share = (axis: number, world: number) => {
    const direction = column(view, axis);
    return Math.abs(direction[world] ?? 0) / (Math.hypot(...direction) || 1);
  };
  const closeness = (order: number[]) => order.reduce((sum, axis, world) => sum + share(axis, world), 0);
  return orders.reduce((best, order) => (closeness(order) > closeness(best) ? order : best));
}

/** Letters of a direction, the largest part first; a second one where the direction is oblique. */
export function letters(direction: readonly number[]): string {
  const length = Math.hypot(...direction) || 1;
  return direction
    .map((part, world) => ({
      size: Math.abs(part) / length,
      letter: (part > 0 ? 'LPS' : 'RAI')[world] ?? '',
    }))
    .filter(({ size }) => size > 0.3)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join('');
}

/** The planes of a case. The right of the patient is left on the screen, unless `neurological`. */
export function planes(view: ViewCase, neurological: boolean): Plane[] {
  const [x, y, z] = nearestAxes(view);
  const side = (axis: number, world: number, sign: number): Side => {
    const direction = column(view, axis);
    const flipped = (direction[world] ?? 0) * sign < 0;
    const along = flipped ? direction.map((part) => -part) : direction;
    return { axis, flipped, marks: [letters(along.map((part) => -part)), letters(along)] };
  };
  const leftward = side(x, 0, neurological ? -1 : 1);
  return [
    { name: 'axial', through: z, across: leftward, down: side(y, 1, 1) },
    { name: 'coronal', through: y, across: leftward, down: side(z, 2, -1) },
    { name: 'sagittal', through: x, across: side(y, 1, 1), down: side(z, 2, -1) },
  ];
}

/** Position of a drawn voxel (z, y, x) in mm (x, y, z; LPS). */
export function position(view: ViewCase, [z, y, x]: readonly [number, number, number]): number[] {
  return [0, 1, 2].map((row) => {
    const [a = 0, b = 0, c = 0, d = 0] = view.affine.slice(4 * row, 4 * row + 4);
    return a * x + b * y + c * z + d;
  });
}
