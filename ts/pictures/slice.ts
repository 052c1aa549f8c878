/** Slices as pixels: window, grey values, and coloured layers over them. */
import { encode } from 'fast-png';
import { colourOf } from './svg.js';

/** One slice of a volume or patch, row by row. */
export interface Slice {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

export type Rgb = readonly [red: number, green: number, blue: number];

/** A colour and its opacity, 0 to 1. */
export interface Tint {
  readonly colour: Rgb;
  readonly share: number;
}

/** A pixel of a drawn slice: its voxel, its position in the picture, and its position in the square of the voxel. */
export interface Pixel {
  readonly row: number;
  readonly column: number;
  readonly x: number;
  readonly y: number;
  /** Whether the pixel lies on this side of the voxel's square. */
  readonly left: boolean;
  readonly right: boolean;
  readonly top: boolean;
  readonly bottom: boolean;
}

/** Colour over the image at a pixel. */
export type Layer = (pixel: Pixel) => Tint | undefined;

/** Pixels per voxel: the longer side of a slice below 240 voxels becomes 240 to 480 pixels. */
export function zoomOf(rows: number, columns: number): number {
  return Math.max(1, Math.ceil(240 / Math.max(rows, columns)));
}

/** Slice `z` of an array of shape `(…, z, y, x)`; slice 0 of a plane is the plane. */
export function sliceOf(data: Float32Array, shape: readonly number[], z: number): Slice {
  const [rows = 1, columns = 1] = shape.slice(-2);
  const area = rows * columns;
  return { rows, columns, values: data.subarray(z * area, (z + 1) * area) };
}

/** Grey values 0 to 255 for the window from the slice's 0.5th to its 99.5th percentile. */
function greyOf(slice: Slice): Uint8Array {
  const sorted = Float32Array.from(slice.values).sort();
  const at = (q: number): number => sorted[Math.round(q * (sorted.length - 1))] ?? 0;
  const [low, high] = [at(0.005), at(0.995)];
  return Uint8Array.from(slice.values, (v) => {
    const unit = (v - low) / (high - low || 1);
    return Math.round(255 * Math.min(1, Math.max(0, unit)));
  });
}

const INSIDE = 0.4;
const UNLABELLED: Tint = { colour: [20, 26, 60], share: 0.5 };
const HATCH: Tint = { colour: [158, 176, 214], share: 0.75 };
/** Pixels between two lines of the hatching. */
const HATCH_STEP = 7;

/**
 * Layer of labels. Classes are tinted and outlined in their colours; unlabelled voxels (-1) are dimmed and hatched;
 * background keeps its grey value.
 */
export function labelLayer(labels: Slice): Layer {
  const { rows, columns, values } = labels;
  const at = (row: number, column: number): number | undefined =>
    row < 0 || column < 0 || row >= rows || column >= columns ? undefined : values[row * columns + column];
  const colours = new Map<number, Rgb>();
  const colour = (label: number): Rgb => {
    const known = colours.get(label) ?? parseColour(colourOf(label));
    colours.set(label, known);
    return known;
  };
  return ({ row, column, x, y, left, right, top, bottom }) => {
    const label = at(row, column) ?? 0;
    if (label < 0) return (x + y) % HATCH_STEP === 0 ? HATCH : UNLABELLED;
    if (label === 0) return undefined;
    const border =
      (left && at(row, column - 1) !== label) ||
      (right && at(row, column + 1) !== label) ||
      (top && at(row - 1, column) !== label) ||
      (bottom && at(row + 1, column) !== label);
    // A square of one pixel is all border.
    return { colour: colour(label), share: border && !(left && right) ? 1 : INSIDE };
  };
}

/** Layer of weights: `low` has the first colour of {@link heat}, `high` the last. */
export function weightLayer(weights: Slice, [low, high]: readonly [number, number]): Layer {
  const { columns, values } = weights;
  return ({ row, column }) => {
    const unit = ((values[row * columns + column] ?? low) - low) / (high - low || 1);
    return { colour: heat(unit), share: 0.65 };
  };
}

/** The colour map viridis at equal steps. */
const VIRIDIS = [
  '#440154',
  '#482878',
  '#3e4989',
  '#31688e',
  '#26828e',
  '#1f9e89',
  '#35b779',
  '#6ece58',
  '#b5de2b',
  '#fde725',
];

/** Colour of a value from 0 to 1. */
export function heat(unit: number): Rgb {
  const place = Math.min(1, Math.max(0, unit)) * (VIRIDIS.length - 1);
  const step = Math.min(Math.floor(place), VIRIDIS.length - 2);
  const [from, to] = [parseColour(VIRIDIS[step] ?? ''), parseColour(VIRIDIS[step + 1] ?? '')];
  const mix = (c: 0 | 1 | 2): number => Math.round(from[c] + (place - step) * (to[c] - from[c]));
  return [mix(0), mix(1), mix(2)];
}

/** `#e69f00` → `[230, 159, 0]`. */
function parseColour(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/**
 * Draws a slice in grey with a layer over it, `zoom` × `zoom` pixels a voxel.
 *
 * @param flip draws the first row at the bottom
 * @returns a PNG
 */
export function paint(slice: Slice, zoom: number, layer?: Layer, flip = false): Uint8Array {
  const { rows, columns } = slice;
  const grey = greyOf(slice);
  const [width, height] = [columns * zoom, rows * zoom];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    const drawn = Math.floor(y / zoom);
    const row = flip ? rows - 1 - drawn : drawn;
    const [first, last] = [y % zoom === 0, y % zoom === zoom - 1];
    for (let x = 0; x < width; x += 1) {
      const column = Math.floor(x / zoom);
      const value = grey[row * columns + column] ?? 0;
      const tint = layer?.({
        ...{ row, column, x, y, left: x % zoom === 0, right: x % zoom === zoom - 1 },
        ...(flip ? { top: last, bottom: first } : { top: first, bottom: last }),
      });
      const { colour, share } = tint ?? { colour: [0, 0, 0], share: 0 };
      for (let c = 0; c < 3; c += 1) {
        data[3 * (y * width + x) + c] = Math.round(share * (colour[c] ?? 0) + (1 - share) * value);
      }
    }
  }
  return encode({ width, height, data, channels: 3 });
}
