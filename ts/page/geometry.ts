import type { ViewCase } from '../generated/report.js';
import { axesOf, type Plane as PlaneName, viewOf } from '../pictures/orientation.js';

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
  name: PlaneName;
  /** Axis of the array that the slices follow. */
  through: number;
  across: Side;
  down: Side;
}

/** The planes of a case. The right of the patient is left on the screen, unless `neurological`. */
export function planes(view: ViewCase, neurological: boolean): Plane[] {
  const axes = axesOf([0, 4, 8].flatMap((row) => view.affine.slice(row, row + 3)));
  const convention = neurological ? 'neurological' : 'radiological';
  return (['axial', 'coronal', 'sagittal'] as const).map((name) => {
    const { normal, columns, leftwards, rows, upwards, marks } = viewOf(axes, name, convention);
    const { left = '', right = '', top = '', bottom = '' } = marks ?? {};
    return {
      name,
      through: normal,
      across: { axis: columns, flipped: leftwards, marks: [left, right] },
      down: { axis: rows, flipped: upwards, marks: [top, bottom] },
    };
  });
}

/** Position of a drawn voxel (z, y, x) in mm (x, y, z; LPS). */
export function position(view: ViewCase, [z, y, x]: readonly [number, number, number]): number[] {
  return [0, 1, 2].map((row) => {
    const [a = 0, b = 0, c = 0, d = 0] = view.affine.slice(4 * row, 4 * row + 4);
    return a * x + b * y + c * z + d;
  });
}
