import { rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { checkDataset } from '../ts/index.js';
import { cli, halves, noise, type Shape, workspace, writeNifti, writeTask } from './made-up.js';

const SHAPE: Shape = [4, 5, 6];
const CASES = ['good', 'nan', 'size', 'label', 'gone', 'renamed', 'extra', 'off', 'many'] as const;

test('a task with problems gives all of them, each with case and file, and exit code 1', async (t) => {
  const { folders, flags } = await workspace(t);
  const cases = Object.fromEntries(CASES.map((name) => [name, SHAPE]));
  const folder = await writeTask(folders.rawDataBase, 'Task611_Check', cases);
  const image = (name: string) => join(folder, 'imagesTr', `${name}_0000.nii`);
  const label = (name: string) => join(folder, 'labelsTr', `${name}.nii`);
  await writeNifti(image('nan'), SHAPE, (i) => (i === 3 ? Number.NaN : noise(i)));
  await writeNifti(label('size'), [4, 5, 5], halves([4, 5, 5]));
  await writeNifti(label('label'), SHAPE, (i) => (i === 0 ? 7 : 1));
  await unlink(image('gone'));
  await rename(label('renamed'), label('another'));
  await writeNifti(label('lonely'), SHAPE, halves(SHAPE));
  await writeNifti(join(folder, 'imagesTr', 'extra_0001.nii'), SHAPE, noise);
  await writeNifti(label('off'), SHAPE, halves(SHAPE), { spacing: [1.01, 1, 1] });
  await writeNifti(image('many'), SHAPE, noise, { volumes: 2 });
  await writeFile(join(folder, 'imagesTr', 'odd.nii'), 'no channel number');

  const { problems, ok } = await checkDataset({ task: '611', ...folders }).result;
  t.false(ok);
  t.deepEqual(problems.map((p) => `${p.case ?? 'task'} ${p.kind}`).sort(), [
    'another imageMissing',
    'extra channelUnexpected',
    'gone channelMissing',
    'label unlistedLabel',
    'lonely imageMissing',
    'many severalVolumes',
    'nan notFinite',
    'off geometry',
    'renamed labelMissing',
    'size size',
    'task fileName',
  ]);
  const shown = await cli(['check', '611', ...flags]);
  t.is(shown.code, 1);
  t.regex(shown.out, /off: labelsTr\/off\.nii: differs .* 0\.010000 mm \(1\.000 %\) in spacing/);
  t.regex(shown.out, /size: labelsTr\/size\.nii: size \(z, y, x\) is \[4, 5, 5\]/);
  t.is(shown.out.split('\n').length, problems.length + 2, shown.out);
});

test('different names are reported, --fix repairs harmless geometry, --tolerance accepts it', async (t) => {
  const { folders, flags } = await workspace(t);
  const folder = await writeTask(folders.rawDataBase, 'Task612_Fix', { a: SHAPE, b: SHAPE });
  await writeNifti(join(folder, 'labelsTr', 'b.nii'), SHAPE, halves(SHAPE), { spacing: [1.01, 1, 1] });
  t.is((await cli(['check', '612', '--tolerance', '0.02', ...flags])).code, 0);
  t.is((await cli(['check', '612', ...flags])).code, 1);
  const mended = await cli(['check', '612', '--fix', ...flags]);
  t.is(mended.code, 0, mended.out);
  t.regex(mended.out, /\(fixed\)/);
  t.regex((await cli(['check', '612', ...flags])).out, /2 cases, no problem/);

  const entry = (image: string, label: string) => ({
    image: `./imagesTr/${image}.nii.gz`,
    label: `./labelsTr/${label}.nii.gz`,
  });
  await rename(join(folder, 'labelsTr', 'a.nii'), join(folder, 'labelsTr', 'c.nii'));
  const dataset = {
    ...{ name: 'x', modality: { 0: 'MRI' }, labels: { 0: 'background', 1: 'organ' } },
    training: [entry('a', 'c'), entry('b', 'b')],
  };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(dataset));
  const { problems } = await checkDataset({ task: '612', ...folders }).result;
  t.deepEqual(
    problems.map(({ case: name, kind }) => ({ name, kind })),
    [{ name: 'a', kind: 'nameMismatch' }],
  );
});
