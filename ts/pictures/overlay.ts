import { optionError } from '../errors.js';
import type { DisplayConvention } from '../generated/options.js';
import type { Volume } from '../volume.js';
import { DIFFERENCES } from './colours.js';
import { checkGrid, diceLines, diceOf, largestError, meanText } from './compare.js';
import { axesOf, type Plane, type View, viewOf } from './orientation.js';
import {
  classSwatches,
  type Entry,
  framed,
  legend,
  MARK,
  scaleBar,
  swatch,
  unlabelledSwatch,
} from './parts.js';
import {
  cut,
  differenceLayer,
  differences,
  labelLayer,
  paint,
  type Size,
  type Slice,
  scaleOf,
  sizeOf,
} from './slice.js';
import { document, shorten, text, widthOf, wrap } from './svg.js';
import { count, percent, rangeOf } from './values.js';

/** One panel of an overlay. */
export interface Panel {
  /** Caption above the panel. */
  readonly title: string;
  /** Labels drawn over the image, on the image's grid; without them the panel shows the image only. */
  readonly labels?: Volume;
}

/** A slice: its index in the array, the middle one, or the one where most voxels differ from the reference. */
export type SliceChoice = number | 'middle' | 'largestError';

/** Options of {@link drawOverlay}. */
export interface OverlayOptions {
  /** Plane of the slices: that of the patient's which is nearest to slices of the array. The default is axial. */
  readonly plane?: Plane;
  /** Side of the picture for the patient's left. The default is radiological: the patient's left is on the right. */
  readonly convention?: DisplayConvention;
  /** Reference on the image's grid. Other labels get their Dice, and a panel with their differences from it. */
  readonly reference?: Volume;
}

const MARGIN = 12;
const HEAD = 24;
const LINE = 16;
const SIZE = 12;
/** Least width of a panel, so that captions can be read. */
const LEAST = 200;
/** Classes without a name are in the legend up to this label. */
const MOST_CLASSES = 64;
/** Longer titles do not widen the document. */
const TITLE = 480;
/** Where the slices are, and what is drawn of each. */
interface Drawn {
  readonly view: View;
  readonly scale: number;
  readonly size: Size;
  readonly panels: readonly Measured[];
  readonly classes: readonly string[];
}

/** A panel with labels as whole numbers, and Dice where there is a reference. */
interface Measured extends Panel {
  readonly compared: boolean;
  /** Dice of each class in the volume. */
  readonly dice: readonly number[];
}

interface Cell {
  readonly captions: readonly string[];
  readonly png: Uint8Array;
}

/**
 * Draws slices of an image, one row of panels a slice: the image in grey with labels over it. Pixels have the aspect of
 * the voxels. Slices are turned as the direction of the image says, with letters of the patient's sides at the edges.
 * Each row has the number of its slice, counted from 1, and a scale bar.
 *
 * With `reference`, labels other than it have their Dice, as `evaluate` with `ignoreLabel: -1` computes it, and beside
 * them the voxels that differ. The second Dice of a panel is that of the slice.
 *
 * @param image the window is the slice's 0.5th to 99.5th percentile
 * @param slices one or more; an index counts from 0 along the array's axis across the plane, which is z of most files
 * @param classes names of classes 1, 2, …
 * @returns an SVG document with the pixels embedded as PNG
 * @throws NnunetError `ERR_OPTIONS` if a slice is outside the image, or labels are not on its grid
 */
export function drawOverlay(
  image: Volume,
  slices: SliceChoice | readonly SliceChoice[],
  panels: readonly Panel[],
  classes: readonly string[],
  options: OverlayOptions = {},
): string {
  const { plane = 'axial', convention = 'radiological', reference } = options;
  oneOf('plane', plane, ['axial', 'coronal', 'sagittal']);
  oneOf('convention', convention, ['radiological', 'neurological']);
  const axes = axesOf(image.direction);
  const view = viewOf(axes, plane, convention);
  for (const { labels, title } of panels) if (labels) checkGrid(image, labels, `labels of "${title}"`);
  if (reference) checkGrid(image, reference, 'reference');
  const measured = panels.map((panel) => measure(panel, reference, classes.length));
  const chosen = choose(
    Array.isArray(slices) ? slices : [slices as SliceChoice],
    image,
    view,
    measured,
    reference,
  );
  const name = view.plane ? `${view.plane} slice` : 'no direction in the header: slice';
  const first = cut(image, view, 0);
  const scale = scaleOf(first);
  const drawn = { view, scale, size: sizeOf(first, scale), panels: measured, classes };
  return layOut(
    drawn,
    chosen.map(({ index, note }, i) => ({
      title: `${name} ${index + 1} of ${image.shape[view.normal]}${note}`,
      cells: cellsOf(drawn, image, reference, index, i === 0),
    })),
    entriesOf(classes, panels, reference),
  );
}

/** Refuses other values, for callers without types. */
function oneOf(option: string, value: string, values: readonly string[]): void {
  if (!values.includes(value)) throw optionError(option, `expected ${values.join(' or ')}, got ${value}`);
}

function measure(panel: Panel, reference: Volume | undefined, classes: number): Measured {
  const { labels } = panel;
  if (labels === undefined || reference === undefined || labels === reference) {
    return { ...panel, compared: false, dice: [] };
  }
  return { ...panel, compared: true, dice: diceOf(reference.data, labels.data, labels.shape, classes) };
}

/** The slices as indices, each once, with what they are. */
function choose(
  slices: readonly SliceChoice[],
  image: Volume,
  view: View,
  panels: readonly Measured[],
  reference: Volume | undefined,
): readonly { readonly index: number; readonly note: string }[] {
  const depth = image.shape[view.normal] ?? 1;
  const middle = Math.floor(depth / 2);
  const found = new Map<number, string[]>();
  for (const slice of slices) {
    let [index, note] = [middle, 'middle'];
    if (slice === 'largestError') {
      if (reference === undefined) throw optionError('slices', 'largestError needs the option reference');
      const compared = panels.flatMap((panel) => (panel.compared && panel.labels ? [panel.labels] : []));
      const error = largestError(reference, compared, view.normal);
      index = error.index;
      note = `largest error, ${error.voxels} ${error.voxels === 1 ? 'voxel differs' : 'voxels differ'}`;
    } else if (slice !== 'middle') {
      if (!Number.isInteger(slice) || slice < 0 || slice >= depth) {
        throw optionError('slices', `expected whole numbers from 0 to ${depth - 1}, got ${slice}`);
      }
      [index, note] = [slice, ''];
    }
    found.set(index, [...(found.get(index) ?? []), ...(note === '' ? [] : [note])]);
  }
  return [...found].map(([index, notes]) => ({
    index,
    note: notes.length > 0 ? ` (${notes.join('; ')})` : '',
  }));
}

/** The panels of a slice, each comparison followed by its differences. */
function cellsOf(
  drawn: Drawn,
  image: Volume,
  reference: Volume | undefined,
  index: number,
  first: boolean,
): Cell[] {
  const plane = cut(image, drawn.view, index);
  const truth = reference && cut(reference, drawn.view, index);
  const cell = (captions: readonly string[], layer?: ReturnType<typeof labelLayer>): Cell => ({
    captions,
    png: paint(plane, drawn.size, layer),
  });
  return drawn.panels.flatMap((panel) => {
    if (panel.labels === undefined) return [cell([panel.title])];
    const labels = cut(panel.labels, drawn.view, index);
    const over = labelLayer(labels);
    if (truth === undefined || !panel.compared) return [cell([panel.title, ...annotated(labels)], over)];
    const different = differences(truth, labels);
    const voxels = count(different.values, (value) => value > 0);
    const lines = first ? diceLines(panel.dice, drawn.classes) : [];
    const inSlice = diceOf(
      truth.values,
      labels.values,
      [1, labels.rows, labels.columns],
      drawn.classes.length,
    );
    return [
      cell([panel.title, ...lines, `slice: ${meanText(inSlice)}`], over),
      cell(
        ['difference', `${voxels} ${voxels === 1 ? 'voxel differs' : 'voxels differ'}`],
        differenceLayer(different),
      ),
    ];
  });
}

/** Share of annotated voxels, if some are not. */
function annotated({ values }: Slice): string[] {
  const known = count(values, (value) => value >= 0);
  return known === values.length ? [] : [`${percent(known / values.length)} of the slice annotated`];
}

function entriesOf(
  classes: readonly string[],
  panels: readonly Panel[],
  reference: Volume | undefined,
): Entry[] {
  const all = panels.flatMap(({ labels }) => labels ?? []);
  const ranges = all.map(({ data }) => rangeOf(data));
  const highest = Math.max(classes.length, ...ranges.map(([, high]) => high));
  const entries = all.length > 0 ? classSwatches(classes, Math.min(highest, MOST_CLASSES)) : [];
  const lowest = Math.min(0, ...ranges.map(([low]) => low), ...(reference ? rangeOf(reference.data) : []));
  if (lowest < 0) entries.push(unlabelledSwatch());
  if (reference !== undefined && all.some((labels) => labels !== reference)) {
    const possible = highest > 1 ? DIFFERENCES : DIFFERENCES.slice(0, 2);
    for (const { name, colour } of possible) entries.push(swatch(colour, name));
  }
  return entries;
}

interface Row {
  readonly title: string;
  readonly cells: readonly Cell[];
}

function layOut({ view, scale, size }: Drawn, rows: readonly Row[], entries: readonly Entry[]): string {
  const cellWidth = Math.max(LEAST, size.width + 2 * MARK.side);
  const across = Math.max(1, ...rows.map(({ cells }) => cells.length));
  const titles = rows.map(({ title }) => Math.min(TITLE, widthOf(title, 13, true)));
  const inner = Math.max(across * cellWidth, ...titles, ...entries.map((entry) => entry.width));
  const body: string[] = [];
  let top = MARGIN;
  for (const { title, cells } of rows) {
    const captions = cells.map(({ captions: [name = '', ...lines] }) => [
      shorten(name, cellWidth - SIZE, SIZE),
      ...wrap(lines, ', ', cellWidth - SIZE, 11),
    ]);
    const pixels = top + HEAD + LINE * Math.max(1, ...captions.map((lines) => lines.length)) + MARK.above;
    body.push(text(MARGIN, top + 13, shorten(title, inner, 13, true), { size: 13, bold: true }));
    for (const [i, { png }] of cells.entries()) {
      const left = MARGIN + i * cellWidth;
      const lines = captions[i] ?? [];
      const start = pixels - MARK.above - LINE * lines.length + 12;
      body.push(...lines.map((line, j) => text(left, start + LINE * j, line, { size: j === 0 ? SIZE : 11 })));
      body.push(...framed(left + (cellWidth - size.width) / 2, pixels, size, png, view.marks));
    }
    const below = pixels + size.height + MARK.below + 4;
    const bar = Math.max(24, size.width / 3);
    body.push(...scaleBar(MARGIN + Math.max(0, (cellWidth - size.width) / 2), below, bar, scale));
    top = below + 28;
  }
  const end = legend(entries, MARGIN, top, inner);
  return document(Math.ceil(inner) + 2 * MARGIN, Math.ceil(end.bottom) + MARGIN, [...body, ...end.body]);
}
