/** Slices as pixels: window, grey values, and coloured layers over them. */
import { encode } from 'fast-png';
import { colourOf, DIFFERENCES, heat, parseColour, type Rgb } from './colours.js';
import type { View } from './orientation.js';

/** One slice of a volume or patch as it is drawn: the first value is at the top left. */
export interface Slice {
  readonly rows: number;
  readonly columns: number;
  /** Distance of rows and of columns in millimetres. */
  readonly spacing: readonly [down: number, across: number];
  readonly values: Float32Array;
}

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A colour and its opacity, 0 to 1. */
export interface Tint {
  readonly colour: Rgb;
  readonly share: number;
}

/** A pixel of a drawn slice: its voxel, its position in the picture, and its position in the rectangle of the voxel. */
export interface Pixel {
  readonly row: number;
  readonly column: number;
  readonly x: number;
  readonly y: number;
  /** Whether the pixel lies on this side of the voxel's rectangle. */
  readonly left: boolean;
  readonly right: boolean;
  readonly top: boolean;
  readonly bottom: boolean;
}

/** Colour over the image at a pixel. */
export type Layer = (pixel: Pixel) => Tint | undefined;

/** The longer side of a picture has at least these pixels. */
const LEAST = 240;
/** Anisotropic voxels are not enlarged beyond this side. */
const MOST = 1024;

/** An array of three axes with the size of its voxels. */
export interface Grid {
  readonly data: Float32Array;
  readonly shape: readonly number[];
  readonly spacing: readonly number[];
}

/** Cuts slice `index` along the normal of a view, and turns it as the view says. */
export function cut({ data, shape, spacing }: Grid, view: View, index: number): Slice {
  const length = (axis: number): number => shape[axis] ?? 1;
  const strides = [length(1) * length(2), length(2), 1];
  const step = (axis: number): number => strides[axis] ?? 0;
  const [rows, columns] = [length(view.rows), length(view.columns)];
  const values = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r += 1) {
    const row = (view.upwards ? rows - 1 - r : r) * step(view.rows) + index * step(view.normal);
    for (let c = 0; c < columns; c += 1) {
      const column = view.leftwards ? columns - 1 - c : c;
      values[r * columns + c] = data[row + column * step(view.columns)] ?? 0;
    }
  }
  const millimetres = (axis: number): number => {
    const found = spacing[axis] ?? 1;
    return found > 0 && found < Infinity ? found : 1;
  };
  return { rows, columns, spacing: [millimetres(view.rows), millimetres(view.columns)], values };
}

/**
 * Pixels of a millimetre. The shorter side of a voxel has at least one pixel, unless that made the picture larger than
 * 1024 pixels and than one pixel a voxel. Small slices are enlarged to a longer side of 240 to 480 pixels.
 */
export function scaleOf({ rows, columns, spacing: [down, across] }: Slice): number {
  const longer = Math.max(rows * down, columns * across);
  const scale = Math.min(1 / Math.min(down, across), Math.max(MOST, rows, columns) / longer);
  const side = longer * scale;
  return side < LEAST ? scale * Math.ceil(LEAST / side) : scale;
}

/** Size of a slice as drawn, in whole pixels. */
export function sizeOf({ rows, columns, spacing: [down, across] }: Slice, scale: number): Size {
  const pixels = (length: number): number => Math.max(1, Math.round(length * scale));
  return { width: pixels(columns * across), height: pixels(rows * down) };
}

/** The 0.5th and the 99.5th percentile of the finite values. */
function windowOf(values: Float32Array): readonly [low: number, high: number] {
  const sorted = values.filter(Number.isFinite).sort();
  const at = (q: number): number => sorted[Math.round(q * (sorted.length - 1))] ?? 0;
  return [at(0.005), at(0.995)];
}

/** Grey values 0 to 255; those of values that are not numbers are black. */
function greyOf({ values }: Slice): Uint8Array {
  const [low, high] = windowOf(values);
  return Uint8Array.from(values, (v) => {
    const unit = (v - low) / (high - low || 1);
    return Number.isNaN(unit) ? 0 : Math.round(255 * Math.min(1, Math.max(0, unit)));
  });
}

const INSIDE = 0.4;
const UNLABELLED: Tint = { colour: [20, 26, 60], share: 0.5 };
const HATCH: Tint = { colour: [158, 176, 214], share: 0.75 };
/** Pixels between two lines of the hatching. */
const HATCH_STEP = 7;

const unlabelled = ({ x, y }: Pixel): Tint => ((x + y) % HATCH_STEP === 0 ? HATCH : UNLABELLED);

/**
 * Layer of labels. Classes are tinted and outlined in their colours; unlabelled voxels (-1) are dimmed and hatched;
 * background keeps its grey value.
 */
export function labelLayer(labels: Slice): Layer {
  return layerOf(labels, colourOf);
}

/**
 * Differences of a prediction from its reference: 0 equal, 1 background instead of a class, 2 a class instead of
 * background, 3 another class, -1 unlabelled.
 */
export function differences(reference: Slice, prediction: Slice): Slice {
  const values = reference.values.map((truth, i) => {
    const found = prediction.values[i] ?? 0;
    if (truth < 0) return -1;
    if (truth === found) return 0;
    if (found === 0) return 1;
    return truth === 0 ? 2 : 3;
  });
  return { ...reference, values };
}

/** Layer of {@link differences}. */
export function differenceLayer(different: Slice): Layer {
  return layerOf(different, (value) => DIFFERENCES[value - 1]?.colour ?? '#000000');
}

function layerOf(labels: Slice, colourFor: (label: number) => string): Layer {
  const { rows, columns, values } = labels;
  const at = (row: number, column: number): number | undefined =>
    row < 0 || column < 0 || row >= rows || column >= columns ? undefined : values[row * columns + column];
  const colours = new Map<number, Rgb>();
  const colour = (label: number): Rgb => {
    const known = colours.get(label) ?? parseColour(colourFor(label));
    colours.set(label, known);
    return known;
  };
  return (pixel) => {
    const { row, column, left, right, top, bottom } = pixel;
    const label = at(row, column) ?? 0;
    if (label < 0) return unlabelled(pixel);
    if (label === 0) return undefined;
    const across = (left && at(row, column - 1) !== label) || (right && at(row, column + 1) !== label);
    const down = (top && at(row - 1, column) !== label) || (bottom && at(row + 1, column) !== label);
    // A voxel of one pixel is all border.
    const border = (across && !(left && right)) || (down && !(top && bottom));
    return { colour: colour(label), share: border ? 1 : INSIDE };
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

/** For each pixel of a side, its voxel, and whether it is the voxel's first or last pixel. */
function voxelsOf(pixels: number, voxels: number) {
  const at = (pixel: number): number => Math.min(voxels - 1, Math.floor(((pixel + 0.5) * voxels) / pixels));
  return Array.from({ length: pixels }, (_, pixel) => ({
    voxel: at(pixel),
    first: pixel === 0 || at(pixel - 1) !== at(pixel),
    last: pixel === pixels - 1 || at(pixel + 1) !== at(pixel),
  }));
}

/**
 * Draws a slice in grey with a layer over it.
 *
 * @returns a PNG of the given size
 */
export function paint(slice: Slice, { width, height }: Size, layer?: Layer): Uint8Array {
  const grey = greyOf(slice);
  const data = new Uint8Array(width * height * 3);
  const across = voxelsOf(width, slice.columns);
  for (const [y, down] of voxelsOf(height, slice.rows).entries()) {
    for (const [x, { voxel: column, first: left, last: right }] of across.entries()) {
      const row = down.voxel;
      const value = grey[row * slice.columns + column] ?? 0;
      const tint = layer?.({ row, column, x, y, left, right, top: down.first, bottom: down.last });
      const { colour, share } = tint ?? { colour: [0, 0, 0], share: 0 };
      for (let c = 0; c < 3; c += 1) {
        data[3 * (y * width + x) + c] = Math.round(share * (colour[c] ?? 0) + (1 - share) * value);
      }
    }
  }
  return encode({ width, height, data, channels: 3 });
}
