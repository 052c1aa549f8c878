import type { FloatArray, PreviewBatch } from '../batch.js';
import type { DisplayConvention } from '../generated/options.js';
import { heat } from './colours.js';
import { axesOf, type Marks, type View, viewOf } from './orientation.js';
import { classSwatches, type Entry, framed, legend, MARK, scaleBar, unlabelledSwatch } from './parts.js';
import {
  cut,
  type Layer,
  labelLayer,
  paint,
  type Size,
  type Slice,
  scaleOf,
  sizeOf,
  weightLayer,
} from './slice.js';
import { document, shorten, text, wrap } from './svg.js';
import { count, percent, type Range, rangeOf } from './values.js';

const MARGIN = 16;
const HEAD = 36;
const LINE = 15;
const CELL_GAP = 18;
/** Least width of a panel, so that captions can be read. */
const LEAST = 264;
/** Height of a scale bar with its text. */
const BAR = 22;

/** A drawn sample of a batch. */
interface Sample {
  readonly name: string;
  readonly place: string;
  readonly size: Size;
  readonly scale: number;
  readonly marks: Marks | undefined;
  readonly panels: readonly Panel[];
}

interface Panel {
  /** Lines above the picture. */
  readonly captions: readonly string[];
  readonly png: Uint8Array;
}

/** Settings shared by all samples of a sheet. */
interface Style {
  readonly convention: DisplayConvention;
  /** Lowest and highest weight of all samples; `undefined` without weights. */
  readonly weights: Range | undefined;
}

/** Options of {@link drawContactSheet}. */
export interface ContactSheetOptions {
  /** Side of the picture for the patient's left. The default is radiological: the patient's left is on the right. */
  readonly convention?: DisplayConvention;
}

/**
 * Draws batches as a contact sheet. Each sample is a row of panels: every channel of the image, the labels over the
 * first channel, the segmentation of the previous stage (cascade only), and the weightmap (if the recipe has one).
 *
 * In 3D the sheet shows the slice along the first axis with most foreground voxels; without foreground, the slice with
 * most annotated voxels. Of equal slices the one nearest to the middle is shown. Pixels have the aspect of the voxels;
 * slices are turned as the direction of the case says. Letters name the sides of the patient if the batch is not
 * augmented: augmentation mirrors, rotates and scales patches at random.
 *
 * @param title facts above the samples, wrapped to the width of the sheet
 * @returns an SVG document with the pixels embedded as PNG
 */
export function drawContactSheet(
  batches: readonly PreviewBatch[],
  title: readonly string[],
  options: ContactSheetOptions = {},
): string {
  const { convention = 'radiological' } = options;
  const style = { convention, weights: weightRange(batches) };
  const samples = batches.flatMap((batch) => batch.cases.map((_, i) => drawSample(batch, i, style)));
  const panelWidth = Math.max(LEAST, ...samples.map(({ size }) => size.width + 2 * MARK.side));
  const lines = Math.max(
    1,
    ...samples.flatMap(({ panels }) => panels.map(({ captions }) => captions.length)),
  );
  const most = Math.max(1, ...samples.map((sample) => sample.panels.length));
  const above = HEAD + LINE * lines + MARK.above;
  const height = Math.max(0, ...samples.map(({ size }) => size.height));
  const cell = { width: most * panelWidth, height: above + height + MARK.below + BAR };
  const across = columnsOf(samples.length, cell);
  const down = Math.ceil(samples.length / across);
  const inner = Math.max(640, across * (cell.width + CELL_GAP) - CELL_GAP);
  const heading = wrap(title, ' · ', inner, 15);
  const begin = MARGIN + heading.length * 22 + 6;
  const body = samples.flatMap((sample, i) => {
    const left = MARGIN + (i % across) * (cell.width + CELL_GAP);
    const top = begin + Math.floor(i / across) * (cell.height + CELL_GAP);
    const { size } = sample;
    const inset = (panelWidth - size.width) / 2;
    return [
      text(left, top + 14, shorten(sample.name, cell.width, 13, true), { size: 13, bold: true }),
      text(left, top + 30, shorten(sample.place, cell.width, 11), { size: 11 }),
      ...sample.panels.flatMap(({ captions, png }, j) => {
        const x = left + j * panelWidth;
        return [
          ...captions.map((line, k) =>
            text(x, top + HEAD + LINE * k + 11, shorten(line, panelWidth - 8, 11), { size: 11 }),
          ),
          ...framed(x + inset, top + above, size, png, sample.marks),
        ];
      }),
      ...scaleBar(
        left + inset,
        top + above + size.height + MARK.below,
        Math.max(24, size.width / 3),
        sample.scale,
      ),
    ];
  });
  const end = drawLegend(batches, style, begin + down * (cell.height + CELL_GAP), inner);
  return document(Math.ceil(inner) + 2 * MARGIN, Math.ceil(end.bottom) + MARGIN, [
    ...heading.map((line, i) => text(MARGIN, MARGIN + 14 + 22 * i, line, { size: 15 })),
    ...body,
    ...end.body,
  ]);
}

/** Number of samples side by side; the sheet is about as high as wide. */
function columnsOf(samples: number, cell: { width: number; height: number }): number {
  if (samples <= 3) return 1;
  return Math.max(1, Math.round(Math.sqrt((1.2 * samples * cell.height) / cell.width)));
}

function drawSample(batch: PreviewBatch, index: number, style: Style): Sample {
  const flat = batch.patchSize.length === 2;
  // A 2D patch is one slice.
  const [shape, spacing] = flat
    ? [
        [1, ...batch.patchSize],
        [1, ...batch.spacing],
      ]
    : [batch.patchSize, batch.spacing];
  const axes = axesOf(batch.directions[index] ?? []);
  const view: View = viewOf(axes, 0, style.convention);
  const labels = channel(batch.targets[0], index, 0);
  const z = flat ? 0 : sliceToShow(labels, shape);
  const slice = (data: Float32Array): Slice => cut({ data, shape, spacing }, view, z);
  const first = slice(labels);
  const scale = scaleOf(first);
  const size = sizeOf(first, scale);
  const over = (layer?: Layer, number = 0): Uint8Array =>
    paint(slice(channel(batch.data, index, number)), size, layer);
  const panels: Panel[] = batch.modalities.map((name, c) => ({
    captions: [`${name}: ${span(rangeOf(channel(batch.data, index, c)))}`],
    png: over(undefined, c),
  }));
  panels.push({ captions: describe(labels, flat ? undefined : first.values), png: over(labelLayer(first)) });
  const previous = previousStage(batch, index);
  if (previous) panels.push({ captions: ['previous stage'], png: over(labelLayer(slice(previous))) });
  if (batch.weights && style.weights) {
    const weights = channel(batch.weights[0], index, 0);
    const layer = weightLayer(slice(weights), style.weights);
    panels.push({ captions: [`weights: ${span(rangeOf(weights))}`], png: over(layer) });
  }
  const facts = [`epoch ${batch.epoch}`, `iteration ${batch.iteration}`, `sample ${index + 1}`];
  if (!flat) facts.push(`${view.plane ? `${view.plane} ` : ''}slice ${z + 1} of ${batch.patchSize[0]}`);
  else if (view.plane) facts.push(view.plane);
  const marks = batch.augmented ? undefined : view.marks;
  return { name: batch.cases[index] ?? '', place: facts.join(', '), size, scale, marks, panels };
}

/** One channel of one sample, as a view. */
function channel(array: FloatArray | undefined, sample: number, number: number): Float32Array {
  if (array === undefined) return new Float32Array();
  const [, channels = 1, ...axes] = array.shape;
  const size = axes.reduce((product, n) => product * n, 1);
  const start = (sample * channels + number) * size;
  return array.data.subarray(start, start + size);
}

/** Slice with most foreground voxels, else with most annotated voxels; of equal ones the one nearest to the middle. */
function sliceToShow(labels: Float32Array, patchSize: readonly number[]): number {
  const [depth = 1] = patchSize;
  const area = labels.length / depth;
  const middle = Math.floor(depth / 2);
  const slices = Array.from({ length: depth }, (_, z) => z);
  slices.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
  const most = (counts: (label: number) => boolean): number | undefined => {
    const found = slices.map((z) => count(labels.subarray(z * area, (z + 1) * area), counts));
    const highest = Math.max(...found);
    return highest > 0 ? slices[found.indexOf(highest)] : undefined;
  };
  return most((label) => label > 0) ?? most((label) => label >= 0) ?? middle;
}

/** The one-hot channels of a cascade's first stage as labels. */
function previousStage(batch: PreviewBatch, index: number): Float32Array | undefined {
  const extra = (batch.data.shape[1] ?? 0) - batch.channels;
  if (extra <= 0) return undefined;
  const labels = new Float32Array(channel(batch.data, index, 0).length);
  for (let k = 0; k < extra; k += 1) {
    channel(batch.data, index, batch.channels + k).forEach((on, i) => {
      if (on > 0.5) labels[i] = k + 1;
    });
  }
  return labels;
}

/** Shares of annotated and of foreground voxels in the patch, and in the slice shown, as lines. */
function describe(patch: Float32Array, slice: Float32Array | undefined): string[] {
  const partial = patch.some((label) => label < 0);
  const lines = (name: string, values: Float32Array): string[] => {
    const share = (counts: (label: number) => boolean): string =>
      percent(count(values, counts) / values.length);
    const annotated = `${share((label) => label >= 0)} annotated`;
    const foreground = `${share((label) => label > 0)} foreground`;
    const [first, ...others] = partial ? [annotated, foreground] : [foreground];
    return wrap([`${name}: ${first}`, ...others], ', ', LEAST - 8, 11);
  };
  return [...lines('labels', patch), ...(slice === undefined ? [] : lines('slice', slice))];
}

function weightRange(batches: readonly PreviewBatch[]): Range | undefined {
  const finest = batches.flatMap((batch) => batch.weights?.slice(0, 1) ?? []);
  return finest
    .map((array): Range => rangeOf(array.data))
    .reduce<Range | undefined>(
      (all, [low, high]) => (all ? [Math.min(all[0], low), Math.max(all[1], high)] : [low, high]),
      undefined,
    );
}

function span([low, high]: Range): string {
  return `${number(low)} to ${number(high)}`;
}

function number(value: number): string {
  return (Math.abs(value) < 1000 ? value.toPrecision(3) : value.toFixed(0)).replace('-', '−');
}

/** Colours of classes, unlabelled voxels and weights, wrapped to the width of the sheet, and notes on the pictures. */
function drawLegend(
  batches: readonly PreviewBatch[],
  { weights }: Style,
  top: number,
  width: number,
): { body: string[]; bottom: number } {
  const [first] = batches;
  const entries: Entry[] = classSwatches(first?.classes ?? []);
  if (batches.some((batch) => batch.targets[0]?.data.some((label) => label < 0)))
    entries.push(unlabelledSwatch());
  if (weights) entries.push({ width: 330, draw: (left, line) => drawScale(left, line, weights) });
  const placed = legend(entries, MARGIN, top, width);
  const notes = first?.patchSize.length === 3 ? ['Each picture is the slice with most foreground.'] : [];
  if (first?.augmented) {
    notes.push(
      'Patches are mirrored, rotated and scaled at random, so the sides have no letters,',
      'and scale bars are those before scaling.',
    );
  }
  if (first?.directions.some((direction) => axesOf(direction ?? []) === undefined)) {
    notes.push('Without a direction in the record of a case, rows and columns have the order of the array.');
  }
  notes.push(
    'Ranges are those of the whole patch;',
    'grey values span the slice’s 0.5th to 99.5th percentile.',
  );
  const lines = wrap(notes, ' ', width, 11);
  return {
    body: [
      ...placed.body,
      ...lines.map((line, i) => text(MARGIN, placed.bottom + 16 + LINE * i, line, { size: 11 })),
    ],
    bottom: placed.bottom + 16 + LINE * (lines.length - 1),
  };
}

/** Colour scale of weights, with the lowest and the highest weight. */
function drawScale(left: number, line: number, [low, high]: Range): string[] {
  const stops = [0, 0.25, 0.5, 0.75, 1].map(
    (t) => `<stop offset="${t}" stop-color="rgb(${heat(t).join(',')})"/>`,
  );
  return [
    `<defs><linearGradient id="weights">${stops.join('')}</linearGradient></defs>`,
    text(left + 100, line, `weight ${number(low)}`, { anchor: 'end' }),
    `<rect x="${left + 108}" y="${line - 10}" width="140" height="12" fill="url(#weights)"/>`,
    text(left + 256, line, number(high)),
  ];
}
