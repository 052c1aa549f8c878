/** How the axes of an array lie in the patient, and how a slice is turned for a picture. */
import type { DisplayConvention } from '../generated/options.js';

/** A plane of the patient. */
export type Plane = 'axial' | 'coronal' | 'sagittal';

/** A direction in LPS: x to the patient's left, y to the back, z to the head. */
type Direction = readonly [x: number, y: number, z: number];

/** Directions of an array's axes, in the order of its shape. */
export type Axes = readonly [Direction, Direction, Direction];

/** Letters at the edges of a picture, such as `L`, or `LP` for an oblique axis. */
export interface Marks {
  readonly left: string;
  readonly right: string;
  readonly top: string;
  readonly bottom: string;
}

/** Axes of an array as rows and columns of a picture. */
export interface View {
  /** The plane that is nearest to the slices; `undefined` if the array has no direction. */
  readonly plane: Plane | undefined;
  /** Axis across the slices. */
  readonly normal: number;
  /** Axis down the picture, and whether its first voxel is at the bottom. */
  readonly rows: number;
  readonly upwards: boolean;
  /** Axis along a row, and whether its first voxel is on the right. */
  readonly columns: number;
  readonly leftwards: boolean;
  /** `undefined` if the array has no direction. */
  readonly marks: Marks | undefined;
}

const LETTERS = [
  ['L', 'R'],
  ['P', 'A'],
  ['S', 'I'],
] as const;
/** Axes of the patient across each plane. */
const ACROSS = { sagittal: 0, coronal: 1, axial: 2 } as const;
const PLANES = ['sagittal', 'coronal', 'axial'] as const;
/** A direction has a further letter from about 11 degrees on. */
const OBLIQUE = 0.2;
const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/**
 * Directions of the axes `(z, y, x)` of an array.
 *
 * @param direction row-major matrix whose columns are the directions of x, y and z
 * @returns `undefined` if the matrix is not that of three axes
 */
export function axesOf(direction: readonly number[]): Axes | undefined {
  const column = (c: number): Direction => {
    const [x = Number.NaN, y = Number.NaN, z = Number.NaN] = [0, 3, 6].map((row) => direction[row + c]);
    const length = Math.hypot(x, y, z);
    return [x / length, y / length, z / length];
  };
  const axes: Axes = [column(2), column(1), column(0)];
  const [[a, b, c], [d, e, f], [g, h, i]] = axes;
  const volume = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return Math.abs(volume) > 1e-3 ? axes : undefined;
}

/** For each axis of the patient, the axis of the array nearest to it. */
function nearest(axes: Axes): readonly number[] {
  const agreement = (order: readonly number[]): number =>
    order.reduce((sum, axis, patient) => sum + Math.abs(axes[axis]?.[patient] ?? 0), 0);
  return ORDERS.reduce<readonly number[]>(
    (best, order) => (agreement(order) > agreement(best) + 1e-9 ? order : best),
    [0, 1, 2],
  );
}

/** Letters of a direction, the largest part first. */
function lettersOf(direction: Direction, sign: number): string {
  const parts = direction.map((part, axis) => ({ part: sign * part, letters: LETTERS[axis] ?? LETTERS[0] }));
  parts.sort((a, b) => Math.abs(b.part) - Math.abs(a.part));
  return parts
    .filter(({ part }, i) => i === 0 || Math.abs(part) >= OBLIQUE)
    .map(({ part, letters }) => letters[part > 0 ? 0 : 1])
    .join('');
}

/**
 * The view of a plane: axial and coronal slices have the patient's left on the right (radiological) or on the left
 * (neurological), sagittal ones the front on the left. The front of axial slices and the head of the others is at the
 * top.
 *
 * @param slices the plane, or the axis of the array across the slices
 */
export function viewOf(
  axes: Axes | undefined,
  slices: Plane | number,
  convention: DisplayConvention = 'radiological',
): View {
  if (axes === undefined) return unturned(slices);
  const found = nearest(axes);
  const across = typeof slices === 'number' ? found.indexOf(slices) : ACROSS[slices];
  const plane = PLANES[across] ?? 'axial';
  // Axes of the patient to the right and down, and the sign of the wanted direction.
  const right = plane === 'sagittal' ? [1, 1] : [0, convention === 'radiological' ? 1 : -1];
  const down = plane === 'axial' ? [1, 1] : [2, -1];
  const place = ([patient = 0, wanted = 1]: readonly number[]) => {
    const axis = found[patient] ?? 0;
    const direction = axes[axis] ?? [0, 0, 0];
    const turned = (direction[patient] ?? 0) * wanted < 0;
    const sign = turned ? -1 : 1;
    const letters = (side: number) => lettersOf(direction, side);
    return { axis, turned, end: letters(sign), start: letters(-sign) };
  };
  const [columns, rows] = [place(right), place(down)];
  return {
    plane,
    normal: found[across] ?? 0,
    rows: rows.axis,
    upwards: rows.turned,
    columns: columns.axis,
    leftwards: columns.turned,
    marks: { left: columns.start, right: columns.end, top: rows.start, bottom: rows.end },
  };
}

/** Rows and columns as in the array. */
function unturned(slices: Plane | number): View {
  const normal = typeof slices === 'number' ? slices : 2 - ACROSS[slices];
  const [rows = 1, columns = 2] = [0, 1, 2].filter((axis) => axis !== normal);
  return { plane: undefined, normal, rows, upwards: false, columns, leftwards: false, marks: undefined };
}
