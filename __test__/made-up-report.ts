import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Layer, Model, Report, Section, ViewCase } from '../ts/generated/report.js';
import { packageRoot } from '../ts/version.js';

/** Shape of a made-up case (z, y, x). */
export const SHAPE = [6, 20, 30] as const;

/** Image: every voxel differs from its neighbours. */
export const grey = (z: number, y: number, x: number) => 20 + 30 * z + 2 * y + x;
/** A second channel, as bytes, with other values. */
export const second = (z: number, y: number, x: number) => 250 - 11 * z - 3 * y - 4 * x;
const reference = (z: number, y: number, x: number) =>
  y < 3 ? 255 : Number(x >= 5 && x < 15 && y > 5 && y < 15 && z > 0) * (x < 10 ? 1 : 2);
const prediction = (z: number, y: number, x: number) =>
  Number(x >= 7 && x < 17 && y > 5 && y < 15 && z > 0) * (x < 10 ? 1 : 2);
/** Weights: they rise with x. */
export const weight = (_z: number, _y: number, x: number) => Math.round((255 * x) / (SHAPE[2] - 1));

function bytes(value: (z: number, y: number, x: number) => number): Buffer {
  const [depth, height, width] = SHAPE;
  return Buffer.from(
    Array.from({ length: depth * height * width }, (_, at) =>
      value(Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width),
    ),
  );
}

const layer = (role: Layer['role'], blob: number): Layer => ({
  role,
  name: role,
  blob,
  type: 'uint8',
  slope: 1,
  intercept: 0,
  window: [0, 255],
  ct: role === 'image',
  unlabelled: role === 'reference' ? 255 : null,
});

/** A case to look at. */
export const view = (name: string, score: number): ViewCase => ({
  name,
  shape: SHAPE,
  offset: [1, 2, 3],
  full: [10, 30, 40],
  spacing: [3, 1, 1],
  step: [1, 1, 1],
  affine: [1, 0, 0, -10, 0, 1, 0, 5, 0, 0, 3, 7, 0, 0, 0, 1],
  labels: [0, 1, 2].map((value) => ({
    value,
    name: ['background', 'grey matter', 'white matter'][value] ?? '',
  })),
  layers: [
    layer('image', 0),
    // Its values are twice the bytes, from 100 on; it is no CT.
    { ...layer('image', 4), name: 'T2', slope: 2, intercept: 100, window: [100, 610], ct: false },
    layer('reference', 1),
    layer('prediction', 2),
    layer('weightmap', 3),
  ],
  leftOut: [],
  score,
  largestError: [2, 10, 6],
  bytes: 3000,
});

/** Curves of a run that learns at a rate. */
export const run = (
  name: string,
  rate: number,
  epochs = Array.from({ length: 40 }, (_, epoch) => epoch),
) => ({
  name,
  epochs,
  resumptions: [12],
  state: 'finished' as const,
  series: [
    {
      name: 'Training loss',
      group: 'loss' as const,
      class: null,
      unit: '',
      values: epochs.map((e) => 1 / (1 + e * rate)),
    },
    ...['grey matter', 'white matter'].map((name, at) => ({
      name: 'Online Dice',
      group: 'dice' as const,
      class: name,
      unit: '',
      values: epochs.map((e) => 1 - 1 / (1 + e * rate * (1 + at))),
    })),
  ],
});

/** Data of a report with every kind of section. */
export const REPORT: Report = {
  version: 1,
  title: 'Task900_MadeUp',
  made: '2026-01-01T00:00:00Z',
  program: 'nnunet-diag',
  casesLeftOut: 0,
  sections: [
    {
      kind: 'model',
      name: 'nnUNetTrainerV2',
      path: '/results/fold_0',
      facts: [{ name: 'Task', value: 'Task900_MadeUp' }],
      recipe: 'Dense sampling with Dice and cross-entropy.',
      command: 'nnunet-diag train 900 -c 3d_fullres -f 0',
      runs: [run('fold_0', 0.2), run('fold_1', 0.1)],
      scores: {
        classes: [
          { label: 1, name: 'grey matter' },
          { label: 2, name: 'white matter' },
        ],
        metrics: [{ key: 'dice', name: 'Dice', unit: '', higherIsBetter: true }],
        cases: ['worst', 'middle', 'best'].map((name, at) => ({
          name,
          values: [[0.4 + at / 4], [0.5 + at / 5]],
        })),
        summary: [
          { class: 0, metric: 'dice', n: 3, mean: 0.65, sd: 0.25, median: 0.65, low: 0.4, high: 0.9 },
          { class: 1, metric: 'dice', n: 3, mean: 0.7, sd: 0.2, median: 0.7, low: 0.5, high: 0.9 },
        ],
      },
      cases: [view('worst', 0.4), view('best', 0.9)],
    },
    {
      kind: 'task',
      name: 'Task900_MadeUp raw',
      path: '/raw/Task900_MadeUp',
      facts: [],
      findings: [{ severity: 'warning', code: 'spacing', case: 'worst', message: 'spacing differs' }],
      histograms: [{ name: 'Spacing z', unit: 'mm', edges: [1, 2, 3, 4], counts: [1, 4, 2] }],
      table: {
        columns: [{ name: 'annotated', unit: '%' }],
        rows: [
          { case: 'worst', values: [8] },
          { case: 'best', values: [70] },
        ],
      },
      patches: [
        { configuration: '3d_fullres', patch: [6, 16, 16], spacing: [3, 1, 1], axes: [0, 1, 2], batch: 2 },
      ],
      sizes: [{ case: 'worst', size: [18, 20, 30] }],
      cases: [],
    },
    {
      kind: 'comparison',
      first: '2d',
      second: '3d',
      rows: [
        {
          class: 'grey matter',
          metric: 'dice',
          n: 3,
          first: 0.6,
          second: 0.7,
          difference: 0.1,
          low: 0.05,
          high: 0.15,
          p: 0.25,
          adjusted: 0.5,
          effect: 1,
        },
      ],
      pairs: [{ class: 'grey matter', metric: 'dice', case: 'worst', first: 0.4, second: 0.5 }],
    },
  ],
};

/** The same report with other cases or runs in its model. */
export function changed(model: Partial<Model>): Report {
  const [first, ...rest] = REPORT.sections as [Model, ...Section[]];
  return { ...REPORT, sections: [{ ...first, ...model }, ...rest] };
}

/** Bytes of the layers of a case, compressed. */
export const BLOBS: readonly Buffer[] = [grey, reference, prediction, weight, second].map((value) =>
  gzipSync(bytes(value)),
);

/** The page with the data and arrays filled in, as the verb fills them in. */
export async function madeUpPage(report: Report = REPORT): Promise<string> {
  const template = await readFile(join(packageRoot, 'crates/report/page.html'), 'utf8');
  const blobs = BLOBS.map(
    (packed, at) => `<script type="text/plain" id="blob-${at}">${packed.toString('base64')}</script>`,
  );
  const data = '<script type="application/json" id="report">';
  return template
    .replace(data, () => data + JSON.stringify(report).replaceAll('<', '\\u003c'))
    .replace('<!--blobs-->', () => blobs.join('\n'));
}
