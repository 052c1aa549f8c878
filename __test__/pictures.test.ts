import test from 'ava';
import { decode } from 'fast-png';
import type { PreviewBatch } from '../ts/batch.js';
import type { EpochEvent } from '../ts/generated/events.js';
import { colourOf } from '../ts/pictures/colours.js';
import { drawCurves } from '../ts/pictures/curves.js';
import { toPng } from '../ts/pictures/png.js';
import { drawContactSheet } from '../ts/pictures/sheet.js';
import { embedded, overlaps, texts } from './drawn.js';

const epoch = (n: number, validationLoss: number | null, dice: (number | null)[]): EpochEvent => ({
  type: 'epoch',
  epoch: n,
  epochs: 3,
  trainLoss: 1 / (n + 1),
  validationLoss,
  dice,
  best: false,
  learningRate: 0.01,
  seconds: 1,
  secondsLeft: 0,
  waitShare: 0,
  iterationsPerSecond: 1,
  gradientNorm: null,
  hostMemory: null,
  deviceMemory: null,
});

test('curves have no point for a null value', (t) => {
  const svg = drawCurves('a < b', [epoch(0, null, [null]), epoch(1, 0.5, [0.25]), epoch(2, 0.4, [1])], ['X']);
  t.true(svg.startsWith('<svg '));
  t.true(svg.includes('a &lt; b') && svg.includes('Dice X'));
  const lines = [...svg.matchAll(/stroke="(#[0-9a-f]{6})"[^>]* points="([^"]*)"/g)];
  const pointsOf = (colour: string) =>
    lines.filter((line) => line[1] === colour).map((line) => line[2]?.split(' ').length);
  // Each line, and its sample of two points in the legend.
  t.deepEqual(pointsOf('#0072b2'), [3, 2], 'training loss');
  t.deepEqual(pointsOf('#d55e00'), [2, 2], 'validation loss');
  t.deepEqual(pointsOf('#e69f00'), [2, 2], 'Dice');
  t.regex(colourOf(1), /#e69f00/, 'the colour of the class over images');
});

test('curves of something else than epochs are refused', (t) => {
  const wrong = [{ type: 'epoch', epoch: 0 }] as unknown as EpochEvent[];
  t.throws(() => drawCurves('x', wrong, []), { code: 'ERR_OPTIONS', message: /epoch events of a training/ });
});

test('curves without epochs are an empty frame without NaN', (t) => {
  t.false(drawCurves('none', [], ['X']).includes('NaN'));
});

/** A batch of one sample, 2 × 2 × 3 voxels, with labels and one unlabelled voxel in the second slice. */
function batch(changes: Partial<PreviewBatch> = {}): PreviewBatch {
  const labels = [0, 0, 0, 0, 0, 0, 0, 1, 2, -1, 0, 0];
  return {
    task: 'Task001_X',
    cases: ['a<b'],
    epoch: 3,
    iteration: 4,
    patchSize: [2, 2, 3],
    spacing: [1, 1, 1],
    augmented: true,
    directions: [[1, 0, 0, 0, 1, 0, 0, 0, 1]],
    channels: 1,
    modalities: ['T1'],
    classes: ['CSF', 'GM'],
    data: { data: Float32Array.from(labels, (_, i) => i), shape: [1, 1, 2, 2, 3] },
    targets: [{ data: Float32Array.from(labels), shape: [1, 1, 2, 2, 3] }],
    weights: null,
    ...changes,
  };
}

test('a contact sheet has a panel for each channel, for labels, and for weights if the recipe has them', (t) => {
  const plain = drawContactSheet([batch()], ['title']);
  t.is(embedded(plain).length, 2);
  t.false(plain.includes('weights'));
  for (const words of [
    'a&lt;b',
    'epoch 3',
    'iteration 4',
    'slice 2 of 2',
    'CSF',
    'unlabelled',
    'T1: 0.00 to 11.0',
    'labels: 92 % annotated',
    '17 % foreground',
    'slice: 83 % annotated',
    '33 % foreground',
  ]) {
    t.true(plain.includes(words), words);
  }
  const weights = [{ data: Float32Array.from({ length: 12 }, (_, i) => i / 4), shape: [1, 1, 2, 2, 3] }];
  const two = { data: new Float32Array(24), shape: [1, 2, 2, 2, 3] };
  const full = drawContactSheet([batch({ weights, data: two, channels: 2, modalities: ['T1', 'T2'] })], []);
  t.is(embedded(full).length, 4);
  t.true(full.includes('weights: 0.00 to 2.75'));
  const cascade = drawContactSheet([batch({ data: { ...two, shape: [1, 2, 2, 2, 3] } })], []);
  t.true(cascade.includes('previous stage'));
  t.is(embedded(cascade).length, 3);
});

test('background stays grey, classes are tinted and outlined, unlabelled voxels are dimmed and hatched', (t) => {
  const [image, labels] = embedded(drawContactSheet([batch()], []));
  if (image === undefined || labels === undefined) return t.fail();
  const zoom = image.width / 3;
  t.deepEqual([image.width, image.height], [240, 160]);
  const middle = (column: number, row: number) => [(column + 0.5) * zoom, (row + 0.5) * zoom] as const;
  // Second slice: the rows are 0 1 2 and -1 0 0.
  t.deepEqual(labels.at(...middle(0, 0)), image.at(...middle(0, 0)));
  t.notDeepEqual(labels.at(...middle(1, 0)), image.at(...middle(1, 0)));
  t.deepEqual(labels.at(zoom, 5), [230, 159, 0], 'the border of class 1 in its own colour');
  t.notDeepEqual(labels.at(...middle(1, 0)), labels.at(...middle(2, 0)));
  const unlabelled = new Set(Array.from({ length: 20 }, (_, i) => labels.at(10 + i, 120).join()));
  t.is(unlabelled.size, 2, 'dimmed, and lines');
  t.false(unlabelled.has(image.at(10, 120).join()));
});

test('a patch without annotation and an empty list of batches give a contact sheet', (t) => {
  const nothing = { data: new Float32Array(12).fill(-1), shape: [1, 1, 2, 2, 3] };
  t.true(drawContactSheet([batch({ targets: [nothing] })], []).includes('0 % annotated'));
  t.false(drawContactSheet([], ['none']).includes('NaN'));
});

test('samples of a 2D batch are side by side', (t) => {
  const flat = batch({
    cases: Array.from({ length: 8 }, (_, i) => `case_${i}`),
    patchSize: [2, 3],
    spacing: [1, 1],
    data: { data: new Float32Array(48), shape: [8, 1, 2, 3] },
    targets: [{ data: new Float32Array(48), shape: [8, 1, 2, 3] }],
  });
  const svg = drawContactSheet([flat], []);
  t.is(embedded(svg).length, 16);
  t.notRegex(svg, /slice \d/);
  const [width, height] =
    [...svg.matchAll(/^<svg .*width="(\d+)" height="(\d+)"/g)][0]?.slice(1).map(Number) ?? [];
  t.true((width ?? 0) > 600 && (height ?? 0) < 2 * (width ?? 0));
});

test('a document becomes a PNG of its size with text, or ERR_NO_FONT without a font', async (t) => {
  const svg = drawContactSheet([batch()], ['some title']);
  const made = await toPng(svg).catch((error: unknown) => error);
  if (!(made instanceof Uint8Array)) return t.like(made, { code: 'ERR_NO_FONT' });
  const { width, height, data } = decode(made);
  t.true(svg.includes(`width="${width}" height="${height}"`));
  const title = data.subarray(0, width * 36 * 4);
  t.true(
    title.some((value) => value < 100),
    'letters above the pictures',
  );
});

test('patches have the aspect of the spacing and the direction of the case; letters only without augmentation', (t) => {
  const direction = [-1, 0, 0, 0, -1, 0, 0, 0, 1];
  const changes = { spacing: [5, 1, 3], directions: [direction], augmented: false };
  // The labels of the slice are 0 1 2 above -1 0 0; RAS is turned by half a turn.
  const svg = drawContactSheet([batch(changes)], []);
  const [image, labels] = embedded(svg);
  if (image === undefined || labels === undefined) return t.fail();
  t.true(Math.abs(image.width / image.height - (3 * 3) / (2 * 1)) < 0.05);
  const middle = (row: number, column: number) =>
    labels.at(((column + 0.5) / 3) * labels.width, ((row + 0.5) / 2) * labels.height);
  t.deepEqual(middle(0, 0), image.at(image.width / 6, image.height / 4), 'background');
  t.notDeepEqual(middle(1, 1), middle(1, 0), 'class 1 and 2 in the lower row, mirrored');
  t.notDeepEqual(middle(0, 2), image.at((5 * image.width) / 6, image.height / 4), 'unlabelled at the right');
  const words = (document: string) => texts(document).map((line) => line.words);
  t.deepEqual(
    words(svg).filter((word) => /^[LRAPSI]$/.test(word)),
    ['R', 'L', 'A', 'P', 'R', 'L', 'A', 'P'],
  );
  t.true(words(svg).some((word) => word.includes('axial slice 2 of 2')));
  const other = drawContactSheet([batch(changes)], [], { convention: 'neurological' });
  t.deepEqual(
    words(other).filter((word) => /^[LR]$/.test(word)),
    ['L', 'R', 'L', 'R'],
  );
  const augmented = words(drawContactSheet([batch({ ...changes, augmented: true })], []));
  t.false(augmented.some((word) => /^[LRAPSI]$/.test(word)));
  t.true(augmented.some((word) => word.includes('mirrored')));
  const unknown = drawContactSheet([batch({ ...changes, directions: [null] })], []);
  t.false(words(unknown).some((word) => /^[LRAPSI]$/.test(word)));
  t.true(words(unknown).some((word) => word.includes('Without a direction')));
});

test('texts of a contact sheet do not overlap for 1, 3 and 14 classes and any names', (t) => {
  for (const count of [1, 3, 14]) {
    for (const spacing of [
      [1, 1, 1],
      [3, 0.2, 4],
      [3, 4, 0.2],
    ]) {
      const classes = Array.from({ length: count }, (_, i) =>
        i % 2 ? `<b>"&${'W'.repeat(50)}${i}` : `organ ${i}`,
      );
      const weights = [{ data: Float32Array.from({ length: 12 }, (_, i) => i / 4), shape: [1, 1, 2, 2, 3] }];
      const changes = { classes, spacing, weights, cases: ['腫'.repeat(80)], modalities: ['m'.repeat(99)] };
      for (const augmented of [false, true]) {
        const svg = drawContactSheet(
          [batch({ ...changes, augmented })],
          Array.from({ length: 9 }, () => 'a fact'),
        );
        t.deepEqual(overlaps(svg), []);
      }
    }
  }
});
