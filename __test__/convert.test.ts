import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { checkDataset, convertDataset, inspect, readVolume } from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { cli, halves, noise, type Shape, workspace, writeNifti } from './made-up.js';

const SHAPE: Shape = [4, 5, 6];

/** A folder with a dataset.json and, for each of `cases`, an image (of some volumes) and a label of 0, 1 and 2. */
async function foreign(
  folder: string,
  dataset: object,
  cases: readonly string[],
  { channel = '_0000', volumes = 1 } = {},
): Promise<void> {
  for (const name of cases) {
    await writeNifti(join(folder, 'imagesTr', `${name}${channel}.nii`), SHAPE, noise, { volumes });
    await writeNifti(
      join(folder, 'labelsTr', `${name}.nii`),
      SHAPE,
      (i) => halves(SHAPE)(i) + (i === 119 ? 1 : 0),
    );
  }
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(dataset));
}

const V2 = {
  channel_names: { 0: 'CT' },
  labels: { background: 0, organ: 1, ignore: 2 },
  numTraining: 2,
  file_ending: '.nii',
};

test('an nnU-Net v2 data set becomes a task without problems, its ignore label becomes -1', async (t) => {
  const { root, folders, flags } = await workspace(t);
  const source = join(root, 'Dataset041_Liver');
  await foreign(source, V2, ['a', 'b']);
  const shown = await cli(['convert', source, ...flags]);
  t.is(shown.code, 0, shown.err);
  t.regex(shown.out, /Task041_Liver: 2 training and 0 test cases; label 2 became -1, unlabelled/);
  const check = await checkDataset({ task: '41', ...folders }).result;
  t.deepEqual(check.problems, []);
  t.like(check.cases[0], { labelVoxels: { '-1': 1, 0: 60, 1: 59 }, unlabelledVoxels: 1 });
  const again = await cli(['convert', source, ...flags]);
  t.is(again.code, 1);
  t.regex(again.err, /Task041_Liver exists already/);
});

test('the volumes of a Decathlon file become channels', async (t) => {
  const { root, folders } = await workspace(t);
  const source = join(root, 'Task05_Prostate');
  const entry = (name: string) => ({ image: `./imagesTr/${name}.nii`, label: `./labelsTr/${name}.nii` });
  const dataset = {
    ...{ name: 'Prostate', tensorImageSize: '4D', modality: { 0: 'T2', 1: 'ADC' } },
    labels: { 0: 'background', 1: 'PZ', 2: 'TZ' },
    ...{ numTraining: 2, training: [entry('a'), entry('b')], test: [] },
  };
  await foreign(source, dataset, ['a', 'b'], { channel: '', volumes: 2 });
  const summary = await convertDataset({ source, ...folders }).result;
  t.like(summary, { convention: 'decathlon', task: 'Task005_Prostate', training: 2, ignoreLabel: null });
  t.deepEqual((await readdir(join(summary.folder, 'imagesTr'))).sort(), [
    'a_0000.nii.gz',
    'a_0001.nii.gz',
    'b_0000.nii.gz',
    'b_0001.nii.gz',
  ]);
  const second = await readVolume(join(summary.folder, 'imagesTr', 'a_0001.nii.gz'));
  t.is(second.data[0], Math.fround(noise(120)));
  t.true((await checkDataset({ task: '5', ...folders }).result).ok);
});

test('an invalid data set is an error before anything is written, an invalid case is a failure', async (t) => {
  const { root, folders, flags } = await workspace(t);
  const refused: [string, object, RegExp][] = [
    [
      'Dataset042_Regions',
      { ...V2, labels: { background: 0, whole: [1, 2] } },
      /ERR_DATASET_UNSUPPORTED: .*region/,
    ],
    ['Dataset043_Png', { ...V2, file_ending: '.png' }, /ERR_DATASET_UNSUPPORTED: .*\.png/],
    ['Dataset044_Labels', { ...V2, labels: ['a'] }, /ERR_DATASET_RECORD: .*labels: expected an object/],
    ['Nameless', V2, /ERR_TASK_NAME/],
  ];
  for (const [name, dataset, message] of refused) {
    await foreign(join(root, name), dataset, ['a']);
    const shown = await cli(['convert', join(root, name), ...flags]);
    t.is(shown.code, 1, name);
    t.regex(shown.err, message);
  }
  t.deepEqual(await readdir(folders.rawDataBase), []);
  t.regex((await cli(['convert', join(root, 'nowhere'), ...flags])).err, /nowhere\/dataset\.json/);

  const source = join(root, 'Dataset045_Half');
  await foreign(source, V2, ['a', 'b', 'c']);
  const whole = await readFile(join(source, 'imagesTr', 'b_0000.nii'));
  await writeFile(join(source, 'imagesTr', 'b_0000.nii'), whole.subarray(0, 400));
  await writeFile(join(source, 'labelsTr', 'c.nii'), 'no image');
  const shown = await cli(['convert', source, ...flags]);
  t.is(shown.code, 1);
  t.regex(shown.out, /1 training and 0 test cases/);
  t.regex(shown.out, /\n {2}b: ERR_.*b_0000\.nii/);
  t.regex(shown.out, /\n {2}c: ERR_.*c\.nii/);
});

test('a raw task becomes a data set of nnU-Net v2, and the task again', async (t) => {
  const { root, folders } = await workspace(t);
  const source = join(root, 'Dataset041_Liver');
  await foreign(source, V2, ['a', 'b']);
  const task = await convertDataset({ source, ...folders }).result;
  const output = join(root, 'nnUNet_raw');
  const shown = await cli(['convert', task.folder, '--to', 'v2', '-o', output]);
  t.is(shown.code, 0, shown.err);
  t.regex(shown.out, /Dataset041_Liver: 2 training and 0 test cases; label -1, unlabelled, became 2/);
  const made = JSON.parse(await readFile(join(output, 'Dataset041_Liver', 'dataset.json'), 'utf8'));
  t.deepEqual(made.labels, V2.labels);
  t.deepEqual(made.channel_names, { 0: 'CT' });
  const labels = async (folder: string) => (await readVolume(join(folder, 'labelsTr', 'a.nii.gz'))).data;
  const back = await convertDataset({
    source: join(output, 'Dataset041_Liver'),
    output: join(root, 'back'),
  }).result;
  t.deepEqual(await labels(back.folder), await labels(task.folder));
  await t.throwsAsync(convertDataset({ source: task.folder, to: 'v2' }).result, { code: 'ERR_OPTIONS' });
});

test('a trained model becomes a model folder of nnU-Net v2', async (t) => {
  const { root } = await workspace(t);
  const source = join(
    packageRoot,
    '__test__/fixtures/checkpoint/model/nnUNet/3d_fullres/Task011_GoldenTiny/nnUNetTrainerV2__nnUNetPlansv2.1',
  );
  const output = join(root, 'nnUNet_results');
  const shown = await cli(['convert', source, '--to', 'v2', '-o', output]);
  t.is(shown.code, 0, shown.err);
  const folder = join(output, 'Dataset011_GoldenTiny', 'nnUNetTrainer__nnUNetPlans__3d_fullres');
  t.true(shown.out.includes(`${folder}: folds 0`), shown.out);
  const facts = await inspect({ file: folder }).result;
  t.like(facts, { configuration: '3d_fullres', trainer: 'nnUNetTrainer', dataset: 'Dataset011_GoldenTiny' });
  const again = await cli(['convert', source, '--to', 'v2', '-o', output]);
  t.is(again.code, 1);
  t.regex(again.err, /ERR_TASK_EXISTS/);
});
