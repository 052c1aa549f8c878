import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { checkDataset, NnunetError, readVolume, simulateSparse } from '../ts/index.js';
import { cli, type Shape, workspace, writeTask } from './made-up.js';

const SHAPE: Shape = [6, 8, 10];

test('simulateSparse makes a task that passes the check, and refuses to write it twice', async (t) => {
  const { folders } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task041_Dense', { a: SHAPE, b: SHAPE });
  const options = { task: '41', name: 'Task602_Sparse', pattern: 'voxels', share: 0.2, ...folders } as const;
  const summary = await simulateSparse(options).result;
  t.true(summary.share > 0.15 && summary.share < 0.25, `${summary.share}`);
  t.true(summary.classes.every(({ annotated, voxels }) => annotated > 0 && annotated <= voxels));
  const check = await checkDataset({ task: '602', ...folders }).result;
  t.deepEqual(check.problems, []);
  const [first] = check.cases;
  t.true((first?.unlabelledVoxels ?? 0) > 0);
  const name = `${first?.case}.nii.gz`;
  const values = await readVolume(join(summary.folder, 'labelsTr', name));
  const kept = values.data.filter((value) => value !== -1).length;
  const annotated = summary.cases[0]?.classes.reduce((sum, one) => sum + one.annotated, 0);
  t.is(annotated, kept);
  const again = await t.throwsAsync(simulateSparse(options).result, { instanceOf: NnunetError });
  t.is((again as NnunetError).code, 'ERR_TASK_EXISTS');
});

test('simulate-sparse shows the share of each class', async (t) => {
  const { folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task041_Dense', { a: SHAPE, b: SHAPE });
  const given = ['41', 'Task603_Slices', '--slices', '1', '--axes', 'y', '--seed', '2', ...flags];
  const shown = await cli(['simulate-sparse', ...given]);
  t.is(shown.code, 0, shown.err);
  t.regex(shown.out, /Task603_Slices: \d+ training and \d+ test cases, [\d.]+ % annotated/);
  t.regex(shown.out, /label +voxels +annotated +share/);
  t.true(existsSync(join(folders.rawDataBase, 'nnUNet_raw_data', 'Task603_Slices', 'dataset.json')));
});

test('simulate-sparse names the flags that contradict each other', async (t) => {
  const { flags } = await workspace(t);
  const both = await cli(['simulate-sparse', '41', 'Task604_X', '--slices', '1', '--share', '0.1', ...flags]);
  t.is(both.code, 2);
  t.regex(both.err, /--slices: give either slices or share, not both/);
});
