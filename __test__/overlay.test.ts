import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  drawOverlay,
  evaluate,
  NnunetError,
  type OverlayOptions,
  readVolume,
  toPng,
  type Volume,
} from '../ts/index.js';
import type { Plane } from '../ts/pictures/orientation.js';
import { niceLength } from '../ts/pictures/parts.js';
import { escapeXml, shorten, widthOf } from '../ts/pictures/svg.js';
import { packageRoot } from '../ts/version.js';
import { type Drawn, embedded, overlaps, texts } from './drawn.js';
import { type Shape, writeNifti } from './made-up.js';
import { random } from './random.js';

const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];

function volume(shape: Shape, value: (index: number) => number, changes: Partial<Volume> = {}): Volume {
  return {
    data: Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => value(i)),
    shape,
    spacing: [1, 1, 1],
    origin: [0, 0, 0],
    direction: IDENTITY,
    ...changes,
  };
}

/** The brightest place of a picture, as parts of its width and height. */
function brightest({ width, height, at }: Drawn): readonly [x: number, y: number] {
  let [sumX, sumY, count] = [0, 0, 0];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if ((at(x, y)[0] ?? 0) < 128) continue;
      [sumX, sumY, count] = [sumX + x + 0.5, sumY + y + 0.5, count + 1];
    }
  }
  return [sumX / count / width, sumY / count / height];
}

/** Whether a number was not computed; pixels aside, which may spell anything. */
function wrong(svg: string): boolean {
  return /NaN|Infinity|undefined/.test(svg.replace(/base64,[^"]*/g, ''));
}

function only<T>(all: readonly T[]): T {
  const [one] = all;
  if (one === undefined || all.length > 1) throw new Error(`${all.length} instead of 1`);
  return one;
}

/** A rotation about x, y and z in degrees, as a matrix. */
function rotation(angles: readonly [number, number, number]): number[] {
  const [a = 0, b = 0, c = 0] = angles.map((angle) => (angle * Math.PI) / 180);
  const product = (m: readonly number[], n: readonly number[]): number[] =>
    IDENTITY.map((_, i) =>
      [0, 1, 2].reduce((sum, k) => sum + (m[3 * Math.floor(i / 3) + k] ?? 0) * (n[3 * k + (i % 3)] ?? 0), 0),
    );
  const x = [1, 0, 0, 0, Math.cos(a), -Math.sin(a), 0, Math.sin(a), Math.cos(a)];
  const y = [Math.cos(b), 0, Math.sin(b), 0, 1, 0, -Math.sin(b), 0, Math.cos(b)];
  const z = [Math.cos(c), -Math.sin(c), 0, Math.sin(c), Math.cos(c), 0, 0, 0, 1];
  return product(z, product(y, x));
}

/** Matrices whose columns are the directions of x, y and z in LPS. */
const HEADERS: Record<string, readonly number[]> = {
  LPS: IDENTITY,
  RAS: [-1, 0, 0, 0, -1, 0, 0, 0, 1],
  LAS: [1, 0, 0, 0, -1, 0, 0, 0, 1],
  'flipped z': [1, 0, 0, 0, 1, 0, 0, 0, -1],
  'sagittal slices': [0, 0, 1, 1, 0, 0, 0, -1, 0],
  'coronal slices, mirrored': [-1, 0, 0, 0, 0, 1, 0, -1, 0],
  oblique: rotation([14, -11, 17]),
  'oblique and flipped': rotation([-12, 15, -10]).map((v, i) => (i % 3 === 1 ? -v : v)),
};

const SHAPE: Shape = [5, 6, 7];
const SPACING: Shape = [3, 1, 2];

/** The voxel that lies furthest along a direction of the patient, found in millimetres. */
function furthest(
  direction: readonly number[],
  towards: readonly number[],
): readonly [index: number, voxel: number[]] {
  let [best, found, voxel] = [-Infinity, 0, [0, 0, 0]];
  for (let i = 0; i < SHAPE[0] * SHAPE[1] * SHAPE[2]; i += 1) {
    const [x, y, z] = [
      i % SHAPE[2],
      Math.floor(i / SHAPE[2]) % SHAPE[1],
      Math.floor(i / SHAPE[2] / SHAPE[1]),
    ];
    const steps = [x * SPACING[2], y * SPACING[1], z * SPACING[0]];
    const along = towards.reduce(
      (sum, part, row) => sum + part * steps.reduce((s, mm, c) => s + mm * (direction[3 * row + c] ?? 0), 0),
      0,
    );
    if (along > best) [best, found, voxel] = [along, i, [z, y, x]];
  }
  return [found, voxel];
}

/** The slice of each plane through a voxel, found from the file's matrix: the axis with the largest part. */
function sliceThrough(direction: readonly number[], voxel: readonly number[], plane: Plane): number {
  const row = { sagittal: 0, coronal: 1, axial: 2 }[plane];
  const parts = [0, 1, 2].map((column) => Math.abs(direction[3 * row + column] ?? 0));
  const column = parts.indexOf(Math.max(...parts));
  return voxel[2 - column] ?? 0;
}

for (const [name, direction] of Object.entries(HEADERS)) {
  test(`a voxel at the patient's left, front and head is drawn there in all planes: ${name}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'nnunet-overlay-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const [bright, voxel] = furthest(direction, [1, -1, 1]);
    // NIfTI's matrix is in RAS.
    const affine = [0, 1, 2].map((row) => [
      ...[0, 1, 2].map(
        (column) => (row < 2 ? -1 : 1) * (direction[3 * row + column] ?? 0) * (SPACING[2 - column] ?? 1),
      ),
      [-20, 30, -40][row] ?? 0,
    ]);
    const file = join(folder, 'x.nii');
    await writeNifti(file, SHAPE, (i) => (i === bright ? 1000 : 0), { spacing: SPACING, affine });
    const image = await readVolume(file);
    for (const plane of ['axial', 'coronal', 'sagittal'] as const) {
      for (const convention of ['radiological', 'neurological'] as const) {
        const index = sliceThrough(direction, voxel, plane);
        const svg = drawOverlay(image, index, [{ title: 'image' }], [], { plane, convention });
        const drawn = only(embedded(svg));
        const [x, y] = brightest(drawn);
        const words = texts(svg).map((line) => line.words);
        t.true(words.some((line) => line.startsWith(`${plane} slice ${index + 1} of `)));
        const left = convention === 'radiological' ? x > 0.5 : x < 0.5;
        t.true(plane === 'sagittal' ? x < 0.5 : left, `${plane} ${convention}: ${x}`);
        t.true(y < 0.5, `${plane}: ${y}`);
        // The letters at the edges are those of the sides.
        const middle = drawn.left + drawn.width / 2;
        const marks = texts(svg).filter(({ words }) => /^[LRAPSI]{1,3}$/.test(words));
        t.is(marks.length, 4);
        const right = marks.find((mark) => mark.x > drawn.left + drawn.width);
        const top = marks.find((mark) => Math.abs(mark.x - middle) < 1 && mark.y < drawn.top);
        t.is(right?.words[0], plane === 'sagittal' ? 'P' : convention === 'radiological' ? 'L' : 'R');
        t.is(top?.words[0], plane === 'axial' ? 'A' : 'S');
        if (name.startsWith('oblique')) t.true(marks.some((mark) => mark.words.length > 1));
        else t.true(marks.every((mark) => mark.words.length === 1));
      }
    }
  });
}

test('every voxel of an axial LPS slice is drawn in its own row and column', (t) => {
  const spacing: Shape = [3, 1, 2];
  for (const [row, column] of [
    [0, 0],
    [1, 5],
    [4, 2],
  ] as const) {
    const image = volume(SHAPE, (i) => (i === 2 * 42 + row * 7 + column ? 1 : 0), { spacing });
    const [x, y] = brightest(only(embedded(drawOverlay(image, 2, [{ title: 'x' }], []))));
    t.true(Math.abs(x - (column + 0.5) / 7) < 0.01 && Math.abs(y - (row + 0.5) / 6) < 0.01, `${x} ${y}`);
  }
});

test('random directions: a step along an axis of the array is drawn towards the side of its largest part', (t) => {
  const next = random(3);
  for (let round = 0; round < 60; round += 1) {
    const angle = () => Math.round(360 * next());
    const flips = [next() < 0.5 ? -1 : 1, 1, 1];
    const direction = rotation([angle(), angle(), angle()]).map((v, i) => v * (flips[i % 3] ?? 1));
    const image = volume(SHAPE, () => 0, { direction });
    const svg = drawOverlay(image, 0, [{ title: 'x' }], [], {
      plane: (['axial', 'coronal', 'sagittal'] as const)[round % 3] ?? 'axial',
    });
    const { width } = only(embedded(svg));
    t.true(width > 0);
    // Opposite sides have opposite letters.
    const opposite = (letters: string) =>
      letters.replace(/[LRAPSI]/g, (c) => 'RLPAIS'['LRAPSI'.indexOf(c)] ?? c);
    const marks = texts(svg)
      .map((line) => line.words)
      .filter((words) => /^[LRAPSI]{1,3}$/.test(words));
    t.is(marks.length, 4);
    t.is(marks[1], opposite(marks[0] ?? ''));
    t.is(marks[3], opposite(marks[2] ?? ''));
  }
});

test('pixels have the aspect of the spacing, in every plane', (t) => {
  const image = volume([4, 20, 30], () => 0, { spacing: [5, 1, 3] });
  const ratio = (plane: Plane) => {
    const { width, height } = only(embedded(drawOverlay(image, 0, [{ title: 'x' }], [], { plane })));
    return width / height;
  };
  t.true(Math.abs(ratio('axial') - 90 / 20) < 0.05, `${ratio('axial')}`);
  t.true(Math.abs(ratio('coronal') - 90 / 20) < 0.05);
  t.true(Math.abs(ratio('sagittal') - 20 / 20) < 0.02);
  for (const spacing of [
    [1, Number.NaN, 1],
    [0, -1, Infinity],
    [1e-3, 1e-3, 1e-3],
    [1, 1000, 1],
  ] as const) {
    const odd = volume([3, 4, 5], (i) => i, { spacing });
    const { width, height } = only(embedded(drawOverlay(odd, 'middle', [{ title: 'x' }], [])));
    t.true(width >= 1 && height >= 1 && width * height < 4e6, `${spacing}: ${width} × ${height}`);
  }
});

test('a scale bar has a round length that fits its pixels', (t) => {
  const image = volume([2, 100, 100], () => 0, { spacing: [1, 0.7, 0.7] });
  const svg = drawOverlay(image, 0, [{ title: 'x' }], []);
  const { width } = only(embedded(svg));
  const bar = /<path d="M([\d.]+) [\d.]+V[\d.]+M[\d.]+ [\d.]+H([\d.]+)/.exec(svg)?.slice(1).map(Number) ?? [];
  const text = texts(svg).find(({ words }) => words.endsWith(' mm'))?.words ?? '';
  t.is(text, '20 mm');
  t.true(Math.abs((bar[1] ?? 0) - (bar[0] ?? 0) - 20 * (width / 70)) < 0.5, `${bar}`);
  for (const [most, length] of [
    [1, 1],
    [0.9, 0.5],
    [49, 20],
    [50, 50],
    [1e-4, 1e-4],
    [777, 500],
  ] as const) {
    t.is(niceLength(most), length);
  }
});

const CLASSES = ['CSF', 'GM', 'WM'];

test('the Dice of a panel is that of evaluate, unlabelled voxels excluded', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'nnunet-overlay-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const next = random(5);
  const shape: Shape = [4, 9, 8];
  const label = () => Math.floor(next() * 4);
  const truth = Array.from({ length: 288 }, () => (next() < 0.2 ? -1 : label()));
  const found = truth.map((value) => (next() < 0.5 && value >= 0 ? value : label()));
  const [reference, prediction] = ['reference', 'prediction'].map((name) => join(folder, name));
  if (reference === undefined || prediction === undefined) return t.fail();
  await mkdir(reference);
  await mkdir(prediction);
  await writeNifti(join(reference, 'a.nii'), shape, (i) => truth[i] ?? 0);
  await writeNifti(join(prediction, 'a.nii'), shape, (i) => found[i] ?? 0);
  const summary = await evaluate({
    referenceDir: reference,
    predictionDir: prediction,
    labels: [1, 2, 3],
    ignoreLabel: -1,
  }).result;
  const image = await readVolume(join(reference, 'a.nii'));
  const labels = await readVolume(join(prediction, 'a.nii'));
  const svg = drawOverlay(image, 'middle', [{ title: 'model', labels }], CLASSES, { reference: image });
  const words = texts(svg)
    .map((line) => line.words)
    .join(', ');
  const dice = [1, 2, 3].map((c) => summary.results.mean[c]?.Dice ?? Number.NaN);
  for (const [i, name] of CLASSES.entries()) t.true(words.includes(`${name} ${dice[i]?.toFixed(3)}`), words);
  const mean = dice.reduce((sum, value) => sum + value, 0) / 3;
  t.true(words.includes(`mean Dice ${mean.toFixed(3)}`), words);
});

test('a comparison has a panel of differences, and the slice with the largest error', (t) => {
  const shape: Shape = [5, 8, 8];
  const truth = volume(shape, (i) => (i % 8 < 4 ? 1 : 0));
  const labels = volume(shape, (i) => {
    const z = Math.floor(i / 64);
    if (z === 3 && i % 64 < 24) return i % 8 === 0 ? 2 : i % 8 < 4 ? 0 : 1;
    return z === 1 && i % 64 === 0 ? 0 : (truth.data[i] ?? 0);
  });
  const image = volume(shape, () => 0);
  const panels = [
    { title: 'reference', labels: truth },
    { title: 'model', labels },
  ];
  const svg = drawOverlay(image, ['middle', 'largestError'], panels, CLASSES, { reference: truth });
  const words = texts(svg).map((line) => line.words);
  t.true(words.includes('axial slice 3 of 5 (middle)'));
  t.true(words.includes('axial slice 4 of 5 (largest error, 24 voxels differ)'), words.join('\n'));
  const drawn = embedded(svg);
  t.is(drawn.length, 6, 'reference, model, differences of two slices');
  const last = drawn[5];
  if (last === undefined) return t.fail();
  const voxel = (row: number, column: number) =>
    last.at(((column + 0.5) / 8) * last.width, ((row + 0.5) / 8) * last.height);
  t.deepEqual(voxel(6, 6), [0, 0, 0], 'equal');
  const [missed, added, other] = [voxel(1, 2), voxel(1, 6), voxel(1, 0)];
  t.true((missed[2] ?? 0) > (missed[0] ?? 0), 'missed is blue');
  t.true((added[0] ?? 0) > 2 * (added[1] ?? 0), 'added is vermillion');
  t.true((other[1] ?? 0) > 2 * (other[2] ?? 0), 'another class is yellow');
  for (const name of ['missed', 'added', 'other class', 'CSF']) t.true(words.includes(name), name);
  // The same slice is drawn once.
  const equal = drawOverlay(image, ['middle', 'largestError'], [{ title: 'model', labels: truth }], CLASSES, {
    reference: volume(shape, (i) => (i % 8 < 4 ? 1 : 0)),
  });
  t.is(embedded(equal).length, 2);
  t.true(
    texts(equal).some((line) => line.words === 'axial slice 3 of 5 (middle; largest error, 0 voxels differ)'),
  );
});

test('texts do not overlap for 1, 3 and 14 classes, long and hostile names, thin and anisotropic images', async (t) => {
  const hostile = '<b onload="x">&\'\u0000\u001b\ufffe\ud800 ]]>';
  const shapes: readonly (readonly [Shape, Shape])[] = [
    [
      [3, 20, 30],
      [1, 1, 1],
    ],
    [
      [3, 2, 300],
      [5, 0.5, 0.5],
    ],
    [
      [3, 300, 2],
      [5, 0.5, 0.5],
    ],
    [
      [1, 1, 1],
      [1, 1, 1],
    ],
    [
      [3, 40, 40],
      [1, 3, 1],
    ],
  ];
  for (const [shape, spacing] of shapes) {
    for (const count of [1, 3, 14]) {
      const names = Array.from({ length: count }, (_, i) =>
        i % 3 === 2
          ? `${hostile}${i}`
          : i % 3 === 1
            ? `WWWWWWWW 脳の腫瘍 ${'m'.repeat(60)} ${i}`
            : `organ ${i}`,
      );
      const image = volume(shape, (i) => i, { spacing });
      const truth = volume(shape, (i) => (i % (count + 2)) - 1, { spacing });
      const labels = volume(shape, (i) => i % (count + 1), { spacing });
      const panels = [
        { title: `${hostile}${'t'.repeat(99)}` },
        { title: 'reference', labels: truth },
        { title: 'model', labels },
      ];
      for (const plane of ['axial', 'coronal', 'sagittal'] as const) {
        const svg = drawOverlay(image, ['middle', 'largestError'], panels, names, {
          reference: truth,
          plane,
        });
        t.deepEqual(overlaps(svg), [], `${shape} ${plane} ${count}`);
        t.false(wrong(svg));
        // Slow, and the other documents are made alike.
        if (plane !== 'axial' || count < 14) continue;
        const png = await toPng(svg).catch((error: unknown) => error);
        if (!(png instanceof Uint8Array)) t.like(png, { code: 'ERR_NO_FONT' });
      }
    }
  }
});

test('values that are not finite, and a direction that is none, are drawn without letters', (t) => {
  const odd = [Number.NaN, Infinity, -Infinity, 1, 2, 3];
  const image = volume([2, 3, 4], (i) => odd[i % 6] ?? 0, { direction: [1, 0, 0, 1, 0, 0, 0, 0, 1] });
  const labels = volume([2, 3, 4], (i) => odd[i % 6] ?? 0, { direction: image.direction });
  const reference = volume([2, 3, 4], () => 1, { direction: image.direction });
  const svg = drawOverlay(image, 'middle', [{ title: 'x', labels }], ['a'], { reference });
  t.false(wrong(svg));
  t.is(texts(svg).filter(({ words }) => /^[LRAPSI]+$/.test(words)).length, 0);
  const [first] = embedded(drawOverlay(image, 0, [{ title: 'x' }], []));
  t.deepEqual(first?.at(5, 5), [0, 0, 0], 'not a number is black');
});

test('slices outside, other grids and a missing reference are refused', (t) => {
  const image = volume([4, 3, 3], () => 0);
  const draw = (slice: number | 'largestError', changes: Partial<Volume> = {}, shape: Shape = [4, 3, 3]) =>
    drawOverlay(image, slice, [{ title: 'x', labels: volume(shape, () => 0, changes) }], ['a']);
  const refused = (work: () => string, message: RegExp) => {
    const error = t.throws(work, { instanceOf: NnunetError, message });
    t.is((error as NnunetError | undefined)?.code, 'ERR_OPTIONS');
  };
  for (const slice of [-1, 4, 0.5, Number.NaN]) refused(() => draw(slice), /from 0 to 3/);
  refused(() => draw('largestError'), /reference/);
  const odd = { plane: 'oblique' } as unknown as OverlayOptions;
  refused(() => drawOverlay(image, 0, [], [], odd), /plane: expected axial or/);
  refused(() => draw(0, {}, [4, 3, 2]), /4 × 3 × 3/);
  refused(() => draw(0, { direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1] }), /direction/);
  refused(() => draw(0, { origin: [0, 0, 1] }), /deviation of 1\.0/);
  t.notThrows(() => draw(0, { origin: [0, 0, 1e-4] }));
});

test('text is escaped, and shortened to its width', (t) => {
  t.is(escapeXml('a<b>&"\u0000\ud83d\u{1f9e0}\n'), 'a&lt;b&gt;&amp;&quot;\u{1f9e0}\n');
  for (const words of ['W'.repeat(99), 'i'.repeat(99), '腫'.repeat(99), 'a b c']) {
    for (const width of [20, 77, 300]) {
      const short = shorten(words, width);
      t.true(widthOf(short) <= Math.max(width, widthOf('腫…')), `${short} ${width}`);
    }
  }
  t.is(shorten('short', 300), 'short');
});

/** The same image with its array's axes in another order, some of them reversed. */
function stored(
  image: Volume,
  order: readonly [number, number, number],
  reversed: readonly boolean[],
): Volume {
  const strides = [image.shape[1] * image.shape[2], image.shape[2], 1];
  const shape = order.map((axis) => image.shape[axis] ?? 1) as unknown as Shape;
  const direction = [...IDENTITY];
  for (const [axis, old] of order.entries()) {
    for (const row of [0, 1, 2]) {
      const cosine = image.direction[3 * row + 2 - old] ?? 0;
      direction[3 * row + 2 - axis] = reversed[axis] ? -cosine : cosine;
    }
  }
  const value = (index: number): number => {
    const place = [
      Math.floor(index / shape[2] / shape[1]),
      Math.floor(index / shape[2]) % shape[1],
      index % shape[2],
    ];
    const offsets = order.map((old, axis) => {
      const at = place[axis] ?? 0;
      return (reversed[axis] ? (shape[axis] ?? 1) - 1 - at : at) * (strides[old] ?? 0);
    });
    return image.data[offsets.reduce((sum, offset) => sum + offset, 0)] ?? 0;
  };
  const spacing = order.map((axis) => image.spacing[axis] ?? 1) as unknown as Shape;
  return volume(shape, value, { spacing, direction });
}

test('a brain looks the same however its file stores it, and the left side of its head is on the right', async (t) => {
  const data = join(packageRoot, 'examples', 'data', 'Task501_IcbmTissue', 'imagesTs');
  const image = { ...(await readVolume(join(data, 'icbm_003_0000.nii.gz'))), spacing: [1.5, 1, 2] as const };
  // An odd number of slices, so that the middle one is the same from both ends.
  const odd = image.shape.map((n) => n - 1 + (n % 2)) as unknown as Shape;
  const cropped = volume(
    odd,
    (i) => {
      const [z, y, x] = [Math.floor(i / odd[2] / odd[1]), Math.floor(i / odd[2]) % odd[1], i % odd[2]];
      return image.data[(z * image.shape[1] + y) * image.shape[2] + x] ?? 0;
    },
    { spacing: image.spacing, direction: image.direction },
  );
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const;
  for (const plane of ['axial', 'coronal', 'sagittal'] as const) {
    const expected = drawOverlay(cropped, 'middle', [{ title: 'x' }], [], { plane });
    for (const order of orders) {
      for (let flips = 0; flips < 8; flips += 1) {
        const other = stored(
          cropped,
          order,
          [0, 1, 2].map((axis) => (flips >> axis) % 2 === 1),
        );
        t.is(
          drawOverlay(other, 'middle', [{ title: 'x' }], [], { plane }),
          expected,
          `${plane} ${order} ${flips}`,
        );
      }
    }
  }
  // The crop is of the left half of the head: air is at its left and front.
  const { width, height, at } = only(embedded(drawOverlay(cropped, 'middle', [{ title: 'x' }], [])));
  t.deepEqual(at(width - 2, 2), [0, 0, 0]);
  t.true((at(2, height - 3)[0] ?? 0) > 100);
});
