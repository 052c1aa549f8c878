import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { inspect, planAndPreprocess, planExperiment, type VerbEvent } from '../ts/index.js';
import { cli, type Folders, noise, type Shape, workspace, writeTask } from './made-up.js';

const FLAT: Shape = [16, 64, 64];

interface Plans {
  plans_per_stage: Record<string, { pool_op_kernel_sizes: number[][] }>;
  use_mask_for_norm: Record<string, boolean>;
}

async function plansOf(folders: Folders, task: string): Promise<Plans> {
  const file = join(folders.preprocessed, task, 'nnUNetPlansv2.1_plans_3D.pkl');
  return (await inspect({ file }).result) as Plans;
}

test('preprocess emits started once, with all settings, and progress of cropping and preprocessing', async (t) => {
  const { folders } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task631_Events', { a: [8, 9, 10], b: [8, 9, 10] });
  const run = planAndPreprocess({ task: '631', workers: 1, configurations: ['3d_fullres'], ...folders });
  const events: VerbEvent[] = [];
  for await (const event of run) events.push(event);
  const [started, ...rest] = events;
  t.like(started, { type: 'started', verb: 'preprocess' });
  t.like(started?.type === 'started' && started.settings, {
    task: 'Task631_Events',
    cases: 2,
    configurations: ['3d_fullres'],
    preprocessed: join(folders.preprocessed, 'Task631_Events'),
  });
  const counted = rest.map((e) => (e.type === 'progress' ? `${e.done}/${e.total} ${e.unit}` : e.type));
  t.deepEqual(counted, [
    '1/2 cases cropped',
    '2/2 cases cropped',
    '1/2 cases preprocessed',
    '2/2 cases preprocessed',
  ]);
});

test('pooling bySpacing gives the plans of nnU-Net’s default planner, late those of its first one', async (t) => {
  const { folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task632_Flat', { a: FLAT, b: FLAT });
  const first = async (axis: number) => {
    const { plans_per_stage: stages } = await plansOf(folders, 'Task632_Flat');
    return stages['0']?.pool_op_kernel_sizes.map((kernel) => kernel[axis]);
  };
  t.is((await cli(['plan', '632', '-c', '3d_fullres', ...flags])).code, 0);
  t.deepEqual(await first(0), [2, 2, 1]);
  t.is((await cli(['plan', '632', '-c', '3d_fullres', '--pooling', 'late', ...flags])).code, 0);
  t.deepEqual(await first(0), [1, 1, 2, 2]);
  t.is((await cli(['plan', '632', '--pooling', 'early', ...flags])).code, 2);
});

test('a modality ct is not normalised inside the mask, with maskLowercaseCt it is', async (t) => {
  const { folders, flags } = await workspace(t);
  // More than a quarter of each slice is empty: nnU-Net then uses the mask.
  const image = (i: number) => (i % 64 < 30 ? 0 : noise(i));
  await writeTask(folders.rawDataBase, 'Task633_Ct', { a: FLAT, b: FLAT }, { modality: 'ct', image });
  const masked = async () => (await plansOf(folders, 'Task633_Ct')).use_mask_for_norm['0'];
  await planExperiment({ task: '633', configurations: ['3d_fullres'], ...folders }).result;
  t.false(await masked());
  const fork = await cli(['preprocess', '633', '-c', '3d_fullres', '--mask-lowercase-ct', ...flags]);
  t.is(fork.code, 0, fork.err);
  t.true(await masked());
});

test('inspect of an archive gives the headers of its arrays', async (t) => {
  const { root, folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task634_Inspect', { a: [8, 9, 10], b: [8, 9, 10] });
  t.is((await cli(['preprocess', '634', '-c', '3d_fullres', ...flags])).code, 0);
  const file = join(folders.preprocessed, 'Task634_Inspect', 'nnUNetData_plans_v2.1_stage0', 'a.npz');
  t.deepEqual(await inspect({ file }).result, {
    arrays: [{ name: 'data', shape: [2, 8, 9, 10], dtype: '<f4', fortranOrder: false }],
  });
  const bytes = await readFile(file);
  // The data of the member begin after its name and extra field. No deflate stream begins with these bytes.
  bytes[30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28)] = 0xff;
  const damaged = join(root, 'damaged.npz');
  await writeFile(damaged, bytes);
  const shown = await cli(['inspect', damaged]);
  t.is(shown.code, 1);
  t.regex(shown.err, /ERR_NPZ_INFLATE: .*damaged\.npz\[data\] cannot be decompressed/);
  await writeFile(damaged, bytes.subarray(0, bytes.length / 2));
  t.regex((await cli(['inspect', damaged])).err, /ERR_NPZ_ARCHIVE: .*damaged\.npz/);
});
