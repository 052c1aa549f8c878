/** Parts of documents with slices: pictures with marks, scale bars, legends. */

import { colourOf } from './colours.js';
import type { Marks } from './orientation.js';
import type { Size } from './slice.js';
import { picture, shorten, text, widthOf } from './svg.js';

/** Room beside a picture for the marks at its edges. */
export const MARK = { side: 26, above: 15, below: 15 } as const;
const LINE = 22;

/** A picture with the letters of the patient's sides around it. `left` and `top` are those of the pixels. */
export function framed(
  left: number,
  top: number,
  { width, height }: Size,
  png: Uint8Array,
  marks?: Marks,
): string[] {
  const body = [picture(left, top, width, height, png)];
  if (marks === undefined) return body;
  const style = { size: 11, bold: true, serif: true } as const;
  const [middle, centre] = [top + height / 2 + 4, left + width / 2];
  return [
    ...body,
    text(left - 4, middle, marks.left, { ...style, anchor: 'end' }),
    text(left + width + 4, middle, marks.right, style),
    text(centre, top - 4, marks.top, { ...style, anchor: 'middle' }),
    text(centre, top + height + 12, marks.bottom, { ...style, anchor: 'middle' }),
  ];
}

/** The largest of 1, 2 and 5 times a power of ten that is at most `most`. */
export function niceLength(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  const factor = [5, 2, 1].find((f) => f * power <= most * (1 + 1e-9)) ?? 1;
  return Number((factor * power).toPrecision(1));
}

/** A bar of a round length of at most `most` pixels, with the length. `scale` is in pixels a millimetre. */
export function scaleBar(left: number, top: number, most: number, scale: number): string[] {
  const length = niceLength(most / scale);
  const end = Number((left + length * scale).toFixed(2));
  const y = top + 6;
  return [
    `<path d="M${left} ${y - 4}V${y + 4}M${left} ${y}H${end}M${end} ${y - 4}V${y + 4}" stroke="#000" fill="none"/>`,
    text(end + 6, y + 4, lengthText(length), { size: 11 }),
  ];
}

function lengthText(millimetres: number): string {
  if (millimetres >= 1000) return `${millimetres / 1000} m`;
  return millimetres >= 1e-2 ? `${millimetres} mm` : `${Number((millimetres * 1000).toPrecision(1))} µm`;
}

/** An entry of a legend: its width in pixels, and how it is drawn at the start of a line of text. */
export interface Entry {
  readonly width: number;
  draw(x: number, y: number): string[];
}

/** A square of a colour with a name. */
export function swatch(fill: string, name: string, most = 300): Entry {
  const shown = shorten(name, most);
  return {
    width: 18 + widthOf(shown),
    draw: (x, y) => [
      `<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${fill}" stroke="#333" stroke-width="0.5"/>`,
      text(x + 18, y, shown),
    ],
  };
}

/** Squares of classes 1, 2, …, and of further labels up to `highest`. */
export function classSwatches(classes: readonly string[], highest = 0): Entry[] {
  const count = Math.max(classes.length, highest);
  return Array.from({ length: count }, (_, i) => swatch(colourOf(i + 1), classes[i] ?? `class ${i + 1}`));
}

/** A hatched square for unlabelled voxels. */
export function unlabelledSwatch(): Entry {
  const { width, draw } = swatch('url(#hatch)', 'unlabelled (-1)');
  const pattern =
    '<defs><pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
    '<rect width="4" height="4" fill="#3c4260"/><rect width="1.2" height="4" fill="#9eb0d6"/></pattern></defs>';
  return { width, draw: (x, y) => [pattern, ...draw(x, y)] };
}

/** Places entries side by side, in as many lines as the width needs. `bottom` is the lower edge. */
export function legend(
  entries: readonly Entry[],
  left: number,
  top: number,
  width: number,
): { body: string[]; bottom: number } {
  const body: string[] = [];
  let [x, y] = [left, top + 12];
  for (const entry of entries) {
    if (x > left && x + entry.width > left + width) [x, y] = [left, y + LINE];
    body.push(...entry.draw(Number(x.toFixed(1)), y));
    x += entry.width + 16;
  }
  return { body, bottom: entries.length > 0 ? y + 6 : top };
}
