import type { FloatArray, PreviewBatch } from '../batch.js';
import { heat, type Layer, labelLayer, paint, sliceOf, weightLayer, zoomOf } from './slice.js';
import { colourOf, document, picture, shorten, text, widthOf, wrap } from './svg.js';

const MARGIN = 16;
const GAP = 8;
const HEAD = 36;
const CAPTION = 18;
const CELL_GAP = 18;
const LINE = 18;
const FAINT = '#666';

/** A drawn sample of a batch. */
interface Sample {
  readonly name: string;
  readonly place: string;
  readonly panels: readonly Panel[];
}

interface Panel {
  readonly caption: string;
  readonly png: Uint8Array;
}

/** Settings shared by all samples of a sheet. */
interface Style {
  readonly zoom: number;
  /** Lowest and highest weight of all samples; `undefined` without weights. */
  readonly weights: Range | undefined;
}

type Range = readonly [low: number, high: number];

/**
 * Draws batches as a contact sheet. Each sample is a row of panels: every channel of the image, the labels over the
 * first channel, the segmentation of the previous stage (cascade only), and the weightmap (if the recipe has one).
 *
 * In 3D the sheet shows the axial slice with most foreground voxels; without foreground, the slice with most annotated
 * voxels. Of equal slices the one nearest to the middle is shown. The first row of the array is at the top. A voxel is
 * a square.
 *
 * @param title facts above the samples, wrapped to the width of the sheet
 * @returns an SVG document with the pixels embedded as PNG
 */
export function drawContactSheet(batches: readonly PreviewBatch[], title: readonly string[]): string {
  const [first] = batches;
  const [rows = 1, columns = 1] = first?.patchSize.slice(-2) ?? [];
  const style = { zoom: zoomOf(rows, columns), weights: weightRange(batches) };
  const samples = batches.flatMap((batch) => batch.cases.map((_, i) => drawSample(batch, i, style)));
  const [width, height] = [columns * style.zoom, rows * style.zoom];
  const most = Math.max(1, ...samples.map((sample) => sample.panels.length));
  const cell = { width: most * (width + GAP) - GAP, height: HEAD + CAPTION + height };
  const across = columnsOf(samples.length, cell);
  const down = Math.ceil(samples.length / across);
  const inner = Math.max(640, across * (cell.width + CELL_GAP) - CELL_GAP);
  const heading = wrap(title, ' · ', inner, 15);
  const begin = MARGIN + heading.length * 22 + 6;
  const body = samples.flatMap((sample, i) => {
    const left = MARGIN + (i % across) * (cell.width + CELL_GAP);
    const top = begin + Math.floor(i / across) * (cell.height + CELL_GAP);
    return [
      text(left, top + 14, shorten(sample.name, cell.width, 14), { size: 13, bold: true }),
      text(left, top + 30, shorten(sample.place, cell.width, 11), { size: 11 }),
      ...sample.panels.flatMap((panel, j) => {
        const x = left + j * (width + GAP);
        return [
          text(x, top + HEAD + CAPTION - 5, shorten(panel.caption, width, 11), { size: 11, colour: FAINT }),
          picture(x, top + HEAD + CAPTION, width, height, panel.png),
        ];
      }),
    ];
  });
  const legend = drawLegend(batches, style, begin + down * (cell.height + CELL_GAP), inner);
  return document(inner + 2 * MARGIN, legend.bottom + MARGIN, [
    ...heading.map((line, i) => text(MARGIN, MARGIN + 14 + 22 * i, line, { size: 15 })),
    ...body,
    ...legend.body,
  ]);
}

/** Number of samples side by side; the sheet is about as high as wide. */
function columnsOf(samples: number, cell: { width: number; height: number }): number {
  if (samples <= 3) return 1;
  return Math.max(1, Math.round(Math.sqrt((1.2 * samples * cell.height) / cell.width)));
}

function drawSample(batch: PreviewBatch, index: number, style: Style): Sample {
  const flat = batch.patchSize.length === 2;
  const labels = channel(batch.targets[0], index, 0);
  const z = flat ? 0 : sliceToShow(labels, batch.patchSize);
  const over = (layer?: Layer, number = 0): Uint8Array =>
    paint(sliceOf(channel(batch.data, index, number), batch.patchSize, z), style.zoom, layer);
  const slice = (values: Float32Array) => sliceOf(values, batch.patchSize, z);
  const panels: Panel[] = batch.modalities.map((name, c) => ({
    caption: `${name}: ${span(rangeOf(channel(batch.data, index, c)))}`,
    png: over(undefined, c),
  }));
  panels.push({ caption: describe(labels), png: over(labelLayer(slice(labels))) });
  const previous = previousStage(batch, index);
  if (previous) panels.push({ caption: 'previous stage', png: over(labelLayer(slice(previous))) });
  if (batch.weights && style.weights) {
    const weights = channel(batch.weights[0], index, 0);
    const layer = weightLayer(slice(weights), style.weights);
    panels.push({ caption: `weights: ${span(rangeOf(weights))}`, png: over(layer) });
  }
  const facts = [`epoch ${batch.epoch}`, `iteration ${batch.iteration}`, `sample ${index + 1}`];
  if (!flat) facts.push(`slice ${z + 1} of ${batch.patchSize[0]}`);
  return { name: batch.cases[index] ?? '', place: facts.join(', '), panels };
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

/** Shares of annotated and foreground voxels in the whole patch. */
function describe(labels: Float32Array): string {
  const share = (counts: (label: number) => boolean): string =>
    percent(count(labels, counts) / labels.length);
  const foreground = `${share((label) => label > 0)} foreground`;
  const annotated = count(labels, (label) => label >= 0);
  return annotated === labels.length
    ? `labels, ${foreground}`
    : `${share((label) => label >= 0)} annotated, ${foreground}`;
}

function count(values: Float32Array, counts: (value: number) => boolean): number {
  return values.reduce((sum, value) => sum + (counts(value) ? 1 : 0), 0);
}

function rangeOf(values: Float32Array): Range {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function weightRange(batches: readonly PreviewBatch[]): Range | undefined {
  const finest = batches.flatMap((batch) => batch.weights?.slice(0, 1) ?? []);
  return finest
    .map((array) => rangeOf(array.data))
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

function percent(share: number): string {
  const value = 100 * share;
  if (value > 0 && value < 0.05) return '<0.1 %';
  return `${value > 0 && value < 1 ? value.toFixed(1) : value.toFixed(0)} %`;
}

/** Colours of classes, unlabelled voxels and weights, wrapped to the width of the sheet, and notes on the pictures. */
function drawLegend(
  batches: readonly PreviewBatch[],
  style: Style,
  top: number,
  width: number,
): { body: string[]; bottom: number } {
  const body: string[] = [];
  let [x, y] = [MARGIN, top + 12];
  const place = (needed: number, draw: (x: number, y: number) => string[]): void => {
    if (x > MARGIN && x + needed > MARGIN + width) [x, y] = [MARGIN, y + LINE + 4];
    body.push(...draw(x, y));
    x += needed + 16;
  };
  const swatch = (fill: string, name: string): void =>
    place(18 + widthOf(name), (left, line) => [
      `<rect x="${left}" y="${line - 10}" width="12" height="12" fill="${fill}" stroke="#333" stroke-width="0.5"/>`,
      text(left + 18, line, name),
    ]);
  for (const [i, name] of (batches[0]?.classes ?? []).entries()) swatch(colourOf(i + 1), name);
  if (batches.some((batch) => batch.targets[0]?.data.some((label) => label < 0))) {
    body.push(
      '<defs><pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
        '<rect width="4" height="4" fill="#3c4260"/><rect width="1.2" height="4" fill="#9eb0d6"/></pattern></defs>',
    );
    swatch('url(#hatch)', 'unlabelled (-1)');
  }
  const { weights } = style;
  if (weights) place(320, (left, line) => drawScale(left, line, weights));
  const note =
    batches[0]?.patchSize.length === 3
      ? 'Each picture is the axial slice with most foreground; rows and columns have the order of the arrays. '
      : 'Rows and columns have the order of the arrays. ';
  const ranges =
    'Ranges are those of the whole patch; grey values span the slice’s 0.5th to 99.5th percentile.';
  y += LINE + 6;
  for (const line of [note, ranges]) {
    body.push(text(MARGIN, y, line, { size: 11, colour: FAINT }));
    y += LINE - 3;
  }
  return { body, bottom: y - LINE + 3 };
}

/** Colour scale of weights, with the lowest and the highest weight. */
function drawScale(left: number, line: number, [low, high]: Range): string[] {
  const stops = [0, 0.25, 0.5, 0.75, 1].map(
    (t) => `<stop offset="${t}" stop-color="rgb(${heat(t).join(',')})"/>`,
  );
  return [
    `<defs><linearGradient id="weights">${stops.join('')}</linearGradient></defs>`,
    text(left + 84, line, `weight ${number(low)}`, { anchor: 'end' }),
    `<rect x="${left + 92}" y="${line - 10}" width="140" height="12" fill="url(#weights)"/>`,
    text(left + 240, line, number(high)),
  ];
}
