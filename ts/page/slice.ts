import type { Layer, ViewCase } from '../generated/report.js';
import { colourOf, DIFFERENCES, heat, parseColour, type Rgb } from '../pictures/colours.js';
import type { Plane } from './geometry.js';

/** Colours of voxels that the prediction misses, adds, or has in another class. */
const DIFFERENT = DIFFERENCES.map((different) => parseColour(different.colour));

/** A layer with its voxels. */
export interface Loaded {
  layer: Layer;
  bytes: Uint8Array;
}

/** What of a case is drawn. */
export interface Look {
  /** Name of the channel that is drawn; the first one if there is none of this name. */
  channel: string | undefined;
  /** Values that channels draw black and white, by name, where they are not those of the layer. */
  windows: Map<string, [number, number]>;
  opacity: number;
  shown: Set<Layer['role'] | 'difference'>;
  /** Label values that are not drawn. */
  hidden: Set<number>;
}

/** The channel that is drawn. */
export function channelOf(layers: readonly Loaded[], look: Look): Loaded | undefined {
  const channels = layers.filter(({ layer }) => layer.role === 'image');
  return channels.find(({ layer }) => layer.name === look.channel) ?? channels[0];
}

/** Values that a channel draws black and white. */
export function windowOf(channel: Layer, look: Look): [number, number] {
  const [low, high] = look.windows.get(channel.name) ?? channel.window;
  return [low, high];
}

/** Index of a voxel in the arrays. */
export function indexOf(view: ViewCase, [z, y, x]: readonly [number, number, number]): number {
  return (z * view.shape[1] + y) * view.shape[2] + x;
}

/** Value of a voxel of a layer; null where it is unlabelled. */
export function valueAt({ layer, bytes }: Loaded, index: number): number | null {
  const byte = bytes[index] ?? 0;
  return byte === layer.unlabelled ? null : layer.slope * byte + layer.intercept;
}

/** The voxel (z, y, x) at a column and row of the screen. */
export function voxelAt(
  view: ViewCase,
  plane: Plane,
  slice: number,
  column: number,
  row: number,
): [number, number, number] {
  const voxel: [number, number, number] = [0, 0, 0];
  voxel[plane.through] = slice;
  for (const [side, at] of [
    [plane.across, column],
    [plane.down, row],
  ] as const) {
    voxel[side.axis] = side.flipped ? (view.shape[side.axis] ?? 1) - 1 - at : at;
  }
  return voxel;
}

/** Colours of a slice, one pixel a voxel, and a mask of its unlabelled voxels. */
export function paint(view: ViewCase, layers: readonly Loaded[], plane: Plane, slice: number, look: Look) {
  const width = view.shape[plane.across.axis] ?? 1;
  const height = view.shape[plane.down.axis] ?? 1;
  const [pixels, mask] = [new ImageData(width, height), new ImageData(width, height)];
  const of = (role: Layer['role']) => layers.find(({ layer }) => layer.role === role);
  const image = channelOf(layers, look);
  const [reference, prediction, weights] = [of('reference'), of('prediction'), of('weightmap')];
  const [low, high] = image === undefined ? [0, 1] : windowOf(image.layer, look);
  const colours = new Map(view.labels.map(({ value }) => [value, parseColour(colourOf(value))]));
  const labelColour = (value: number): Rgb => colours.get(value) ?? parseColour(colourOf(value));
  const label = (loaded: Loaded | undefined, index: number) => {
    const value = loaded === undefined ? 0 : (valueAt(loaded, index) ?? 0);
    return look.hidden.has(value) ? 0 : value;
  };
  const heats = weights === undefined ? [] : heatsOf(weights.layer);
  const indices = new Int32Array(width * height);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      indices[row * width + column] = indexOf(view, voxelAt(view, plane, slice, column, row));
    }
  }
  for (let at = 0; at < indices.length; at += 1) {
    const index = indices[at] ?? 0;
    const value = image && look.shown.has('image') ? (valueAt(image, index) ?? low) : low;
    const grey = Math.max(0, Math.min(255, (255 * (value - low)) / (high - low || 1)));
    let colour: [number, number, number] = [grey, grey, grey];
    const blend = (over: readonly number[], share: number) => {
      colour = colour.map((part, c) => part + ((over[c] ?? 0) - part) * share) as [number, number, number];
    };
    if (weights && look.shown.has('weightmap')) {
      blend(heats[weights.bytes[index] ?? 0] ?? [], look.opacity);
    }
    const [truth, guess] = [label(reference, index), label(prediction, index)];
    if (truth > 0 && look.shown.has('reference')) blend(labelColour(truth), look.opacity);
    if (guess > 0 && look.shown.has('prediction')) {
      // An outline, so that the reference below stays visible.
      const edge = neighbours(at, width, height).some(
        (near) => near < 0 || label(prediction, indices[near] ?? 0) !== guess,
      );
      const filled = !reference || !look.shown.has('reference');
      if (edge || filled) blend(labelColour(guess), edge ? 1 : look.opacity);
    }
    const unlabelled = reference !== undefined && valueAt(reference, index) === null;
    if (reference && prediction && !unlabelled && truth !== guess && look.shown.has('difference')) {
      blend(DIFFERENT[guess === 0 ? 0 : truth === 0 ? 1 : 2] ?? [], 0.85);
    }
    pixels.data.set([...colour, 255], 4 * at);
    if (unlabelled && look.shown.has('reference')) mask.data.set([255, 255, 255, 255], 4 * at);
  }
  return { pixels, mask };
}

/** Colours of the 256 weights of a layer. */
function heatsOf({ slope, intercept, window: [from, to] }: Layer): Rgb[] {
  return Array.from({ length: 256 }, (_, byte) => heat((slope * byte + intercept - from) / (to - from || 1)));
}

/** The four neighbours of a pixel; -1 outside of the slice. */
function neighbours(at: number, width: number, height: number): number[] {
  const column = at % width;
  return [
    column > 0 ? at - 1 : -1,
    column < width - 1 ? at + 1 : -1,
    at - width,
    at + width < width * height ? at + width : -1,
  ];
}
