/** Images of several channels in reports of every kind of path. */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import type { Report, ViewCase } from '../ts/generated/report.js';
import { planAndPreprocess, report } from '../ts/index.js';
import { cli, noise, type Shape, workspace, writeNifti } from './made-up.js';

const SHAPE: Shape = [12, 14, 16];
/** Values of the channels at a voxel. */
const CHANNELS = [(at: number) => 40 + (at % 97), (at: number) => 900 - 3 * (at % 101)] as const;
const MODALITIES = ['T1', 'T2'];
const TASK = 'Task702_TwoChannels';

/** A raw task of two channels and what is made of it: preprocessed cases, and a fold with predictions. */
async function made(t: ExecutionContext) {
  const { root, folders } = await workspace(t);
  const task = join(folders.rawDataBase, 'nnUNet_raw_data', TASK);
  const cases = ['a', 'b', 'c'];
  const voxels = SHAPE[0] * SHAPE[1] * SHAPE[2];
  for (const name of cases) {
    for (const [number, value] of CHANNELS.entries()) {
      await writeNifti(join(task, 'imagesTr', `${name}_000${number}.nii`), SHAPE, value);
    }
    await writeNifti(join(task, 'labelsTr', `${name}.nii`), SHAPE, (at) => Number(at < voxels / 2));
  }
  const dataset = {
    name: TASK,
    modality: { 0: 'T1', 1: 'T2' },
    labels: { 0: 'background', 1: 'organ' },
    training: cases.map((name) => ({
      image: `./imagesTr/${name}.nii.gz`,
      label: `./labelsTr/${name}.nii.gz`,
    })),
    test: [],
  };
  await writeFile(join(task, 'dataset.json'), JSON.stringify(dataset));
  await planAndPreprocess({ task: '702', configurations: ['3d_fullres'], ...folders }).result;
  const preprocessed = join(folders.preprocessed, TASK);
  return { root, task, preprocessed, output: join(root, 'report.html') };
}

/** The cases of the first section of a report, and the values of a layer. */
async function read(file: string) {
  const html = await readFile(file, 'utf8');
  const json = /<script type="application\/json" id="report">(.*?)<\/script>/s.exec(html)?.[1] ?? '';
  const section = (JSON.parse(json) as Report).sections[0];
  if (section === undefined || section.kind === 'comparison') throw new Error('no cases');
  const values = (view: ViewCase | undefined, name: string): number[] => {
    const layer = view?.layers.find((found) => found.name === name);
    if (layer === undefined) throw new Error(`no layer ${name}`);
    const text = new RegExp(`id="blob-${layer.blob}">([^<]*)<`).exec(html)?.[1] ?? '';
    return [...gunzipSync(Buffer.from(text, 'base64'))].map((byte) => layer.slope * byte + layer.intercept);
  };
  return { cases: section.cases, values };
}

const channels = (view: ViewCase | undefined) =>
  view?.layers.filter(({ role }) => role === 'image').map(({ name }) => name);

/** Whether shown values are those of the file, as near as 256 grey values are. */
function same(t: ExecutionContext, found: readonly number[], expected: (at: number) => number, step: number) {
  t.is(found.length, SHAPE[0] * SHAPE[1] * SHAPE[2]);
  const worst = Math.max(...found.map((value, at) => Math.abs(value - expected(at))));
  t.true(worst <= step, `off by ${worst}`);
}

test('a raw and a preprocessed task show every channel under its modality', async (t) => {
  const { task, preprocessed, output } = await made(t);
  t.like(await report({ paths: [task], output, cases: 2 }).result, {
    cases: 2,
    withoutChannels: 0,
    failures: [],
  });
  const raw = await read(output);
  for (const view of raw.cases) {
    t.deepEqual(channels(view), MODALITIES);
    for (const [number, value] of CHANNELS.entries()) {
      same(t, raw.values(view, MODALITIES[number] ?? ''), value, 2);
    }
  }
  await report({ paths: [preprocessed], output, cases: 1 }).result;
  const normalised = await read(output);
  t.deepEqual(
    channels(normalised.cases[0]),
    MODALITIES.map((name) => `${name}, normalised`),
  );
  for (const [number, value] of CHANNELS.entries()) {
    const found = normalised.values(normalised.cases[0], `${MODALITIES[number]}, normalised`);
    // A normalised value is a raw one with another zero and unit.
    const all = found.map((_, at) => value(at));
    const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
    const deviation = Math.sqrt(all.reduce((sum, one) => sum + (one - mean) ** 2, 0) / all.length);
    same(t, found, (at) => (value(at) - mean) / deviation, 0.03);
  }
});

test('predictions and validation cases show every channel, with names of dataset.json or of plans', async (t) => {
  const { root, task, preprocessed, output } = await made(t);
  const predictions = join(root, 'predictions');
  await mkdir(predictions);
  await copyFile(join(task, 'labelsTr', 'b.nii'), join(predictions, 'b.nii'));
  const images = join(task, 'imagesTr');
  const shown = async (options: Parameters<typeof report>[0]) => {
    t.like(await report({ ...options, output }).result, { cases: 1, failures: [] });
    const { cases, values } = await read(output);
    const names = channels(cases[0]) ?? [];
    for (const [number, value] of CHANNELS.entries())
      same(t, values(cases[0], names[number] ?? ''), value, 2);
    return names;
  };
  t.deepEqual(await shown({ paths: [predictions], images }), MODALITIES, 'the folder above has dataset.json');
  // Images elsewhere, without a description.
  const elsewhere = join(root, 'elsewhere', 'images');
  await mkdir(elsewhere, { recursive: true });
  for (const number of [0, 1]) {
    await copyFile(join(images, `b_000${number}.nii`), join(elsewhere, `b_000${number}.nii`));
  }
  t.deepEqual(await shown({ paths: [predictions], images: elsewhere }), ['Channel 0', 'Channel 1']);
  // A prediction of v1 has the plans of its model beside it.
  await copyFile(join(preprocessed, 'nnUNetPlansv2.1_plans_3D.pkl'), join(predictions, 'plans.pkl'));
  t.deepEqual(await shown({ paths: [predictions], images: elsewhere }), MODALITIES);

  // A fold of v1: its images are where the preprocessed cases say that they were.
  const fold = join(root, 'model', 'fold_0');
  await mkdir(join(fold, 'validation_raw'), { recursive: true });
  const stage = (await readdir(preprocessed)).find((name) => name.endsWith('_stage0')) ?? '';
  const debug = { folder_with_preprocessed_data: join(preprocessed, stage) };
  await writeFile(join(fold, 'debug.json'), JSON.stringify(debug));
  await copyFile(join(task, 'labelsTr', 'c.nii'), join(fold, 'validation_raw', 'c.nii'));
  t.deepEqual(await shown({ paths: [fold] }), MODALITIES);
});

test('volumes of a 4D image are channels; the page keeps its size, and says which channels did not fit', async (t) => {
  const { root } = await workspace(t);
  const [predictions, images, output] = [
    join(root, 'predictions'),
    join(root, 'images'),
    join(root, 'r.html'),
  ];
  const shape: Shape = [60, 60, 60];
  const voxels = 60 ** 3;
  const volumes = 40;
  const corners = (at: number) => Number(at === 0 || at === voxels - 1);
  await writeNifti(join(predictions, 'case.nii'), shape, corners);
  await writeNifti(join(images, 'case.nii'), shape, noise, { volumes });
  const names = Array.from({ length: volumes }, (_, at) => `Channel ${at}`);
  const summary = await report({ paths: [predictions], images, output, maxSize: 1 }).result;
  t.like(summary, { cases: 1, thinned: 1, withoutChannels: 1 });
  t.is((await readFile(output)).length, summary.bytes);
  t.true(summary.bytes <= 1e6, `${summary.bytes} bytes`);
  const [view] = (await read(output)).cases;
  t.deepEqual(view?.step, [2, 2, 2], 'thinned once more than the first channel needs');
  const there = channels(view) ?? [];
  t.true(there.length > 8 && there.length < volumes, `${there.length} channels`);
  t.deepEqual([...there, ...(view?.leftOut ?? [])], names);
  const shown = await cli(['report', predictions, '--images', images, '-o', output, '--max-size', '1']);
  t.is(shown.code, 0);
  t.regex(shown.out, /images of 1 case, 1 of them at a lower resolution, 1 without some channels/);
  // With room for all there is nothing to tell.
  const whole = await report({ paths: [predictions], images, output }).result;
  t.like(whole, { thinned: 0, withoutChannels: 0 });
  t.deepEqual(channels((await read(output)).cases[0]), names);
});
