import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { compare, evaluate } from '../ts/index.js';
import { cli, type Shape, workspace, writeNifti } from './made-up.js';

const SHAPE: Shape = [4, 6, 8];

/** References of a bar at x < 3, and two folders of predictions that are 0 to 3 voxels wider. */
async function folders(t: ExecutionContext) {
  const { root } = await workspace(t);
  const [referenceDir, firstDir, secondDir] = ['labels', 'first', 'second'].map((name) => join(root, name));
  for (const index of [0, 1, 2]) {
    const bar = (width: number) => (at: number) => Number(at % SHAPE[2] < width);
    const write = (folder = '', width = 0) =>
      writeNifti(join(folder, `case${index}.nii`), SHAPE, bar(width), { spacing: [2, 1, 1] });
    await write(referenceDir, 3);
    await write(firstDir, 3 + index);
    await write(secondDir, 4 + index);
  }
  return { referenceDir: referenceDir ?? '', firstDir: firstDir ?? '', secondDir: secondDir ?? '' };
}

test('evaluate with metrics returns a report and writes JSON, CSV and Markdown', async (t) => {
  const { referenceDir, secondDir: predictionDir } = await folders(t);
  const plain = await evaluate({ referenceDir, predictionDir, labels: [1] }).result;
  t.is(plain.report, null);
  const before = await readFile(plain.output, 'utf8');
  const metrics = ['surface', 'volume', 'lesions'] as const;
  const { report, output } = await evaluate({ referenceDir, predictionDir, labels: [1], metrics }).result;
  const timeless = (text: string) => text.replace(/"timestamp": .*/, '');
  t.is(timeless(await readFile(output, 'utf8')), timeless(before));
  const [first] = report?.cases ?? [];
  const bar = first?.regions['1'];
  t.like(bar, { hd95: 1, surfaceDice: 1, volumeError: 48, referenceLesions: 1, lesionF1: 1 });
  t.is(bar?.lesionsBySize?.length, 3);
  const hd95 = report?.statistics.find(({ metric }) => metric === 'hd95');
  t.like(hd95, { region: '1', cases: 3, undefined: 0, mean: 2, median: 2, standardDeviation: 1 });
  t.true(hd95 !== undefined && Number(hd95.low) < 2 && Number(hd95.high) > 2);
  const [json = '', csv = '', markdown = ''] = report?.files ?? [];
  t.is(JSON.parse(await readFile(json, 'utf8')).cases.length, 3);
  t.is((await readFile(csv, 'utf8')).trim().split('\n').length, 4);
  t.regex(await readFile(markdown, 'utf8'), /\| 1 \| HD95 \(mm\) \| 3 \| 2\.000 ± 1\.000 \|/);
});

test('compare tests the differences of two folders', async (t) => {
  const given = await folders(t);
  const { tests, cases, failures } = await compare({ ...given, labels: [1], metrics: ['surface'] }).result;
  t.deepEqual([cases, failures], [3, []]);
  t.deepEqual(
    tests.map(({ metric }) => metric),
    ['dice', 'hd95', 'assd', 'surfaceDice'],
  );
  // The first case of the first folder is perfect: its distance is 0.
  t.like(tests[1], {
    firstMean: 1,
    secondMean: 2,
    difference: 1,
    larger: 3,
    p: 0.25,
    rankBiserial: 1,
    exact: true,
  });
});

test('the command lines show means and tests, and name options that are wrong', async (t) => {
  const { referenceDir, firstDir, secondDir } = await folders(t);
  const shown = await cli(['evaluate', referenceDir, firstDir, '-l', '1', '--metrics', 'surface', 'volume']);
  t.is(shown.code, 0, shown.err);
  t.regex(shown.out, /1 +surfaceDice +3 +/);
  const compared = await cli([
    'compare',
    referenceDir,
    firstDir,
    secondDir,
    '-l',
    '1',
    '--metrics',
    'volume',
  ]);
  t.is(compared.code, 0, compared.err);
  t.regex(compared.out, /region +metric +cases +first +second +difference +p +p \(Holm\) +effect/);
  t.regex(compared.out, /absoluteRelativeVolumeError +3 +/);
  const wrong = await cli(['evaluate', referenceDir, firstDir, '--lesion-sizes', '10', '5']);
  t.is(wrong.code, 2);
  t.regex(wrong.err, /ascending sizes above 0/);
});
