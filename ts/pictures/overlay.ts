import { encode } from 'fast-png';
import type { Volume } from '../volume.js';
import { colourOf, document, text } from './svg.js';

/** One panel of an overlay picture. */
export interface Panel {
  readonly title: string;
  /** Labels drawn over the image; absent for the image alone. Same shape as the image. */
  readonly labels?: Volume;
}

const ZOOM = 5;
const CAPTION = 24;
const GAP = 8;

/**
 * Draws one axial slice as a row of panels: the image in grey with labels over it.
 *
 * @param image shape `(z, y, x)`; windowed to its 0.5th to 99.5th percentile
 * @param slice index along z
 * @param classes names of classes 1, 2, …, for the legend
 * @returns an SVG document with the pixels embedded as PNG
 */
export function drawOverlay(
  image: Volume,
  slice: number,
  panels: readonly Panel[],
  classes: readonly string[],
): string {
  const [, rows, columns] = image.shape;
  const [width, height] = [columns * ZOOM, rows * ZOOM];
  const grey = window(image, slice);
  const body = panels.flatMap((panel, i) => {
    const left = GAP + i * (width + GAP);
    const png = Buffer.from(paint(grey, rows, columns, panel.labels, slice)).toString('base64');
    return [
      text(left, CAPTION - 8, panel.title),
      `<image x="${left}" y="${CAPTION}" width="${width}" height="${height}" style="image-rendering:pixelated" ` +
        `href="data:image/png;base64,${png}"/>`,
    ];
  });
  const legend = classes.map((name, i) =>
    text(GAP + i * 90, CAPTION + height + 18, `■ ${name}`, { colour: colourOf(i + 1) }),
  );
  return document(GAP + panels.length * (width + GAP), CAPTION + height + 28, [...body, ...legend]);
}

/** Grey values 0 to 255 of a slice, flipped so that anterior is up, as radiologists look at it. */
function window(image: Volume, slice: number): Uint8Array {
  const [, rows, columns] = image.shape;
  const plane = image.data.subarray(slice * rows * columns, (slice + 1) * rows * columns);
  const sorted = Float32Array.from(plane).sort();
  const at = (q: number): number => sorted[Math.round(q * (sorted.length - 1))] ?? 0;
  const [low, high] = [at(0.005), at(0.995)];
  return Uint8Array.from(plane, (v) => {
    const unit = (v - low) / (high - low || 1);
    return Math.round(255 * Math.min(1, Math.max(0, unit)));
  });
}

/** Share of the label's colour where a label lies over the image. */
const OPACITY = 0.55;

function paint(
  grey: Uint8Array,
  rows: number,
  columns: number,
  labels: Volume | undefined,
  slice: number,
): Uint8Array {
  const data = new Uint8Array(rows * columns * 3);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const from = row * columns + column;
      // NIfTI rows run from posterior to anterior; pictures run from top to bottom.
      const to = 3 * ((rows - 1 - row) * columns + column);
      const value = grey[from] ?? 0;
      const label = labels?.data[slice * rows * columns + from] ?? 0;
      const colour = label > 0 ? parse(colourOf(label)) : [value, value, value];
      const share = label > 0 ? OPACITY : 0;
      for (let c = 0; c < 3; c += 1) {
        data[to + c] = Math.round(share * (colour[c] ?? 0) + (1 - share) * value);
      }
    }
  }
  return encode({ width: columns, height: rows, data, channels: 3 });
}

function parse(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
