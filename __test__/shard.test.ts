/** Parts of the cases (`--shard I/N`) together give the bytes of one run, also from many processes at once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import {
  applyPostprocessing,
  ensemble,
  generateWeightmaps,
  planAndPreprocess,
  planExperiment,
  predict,
  train,
} from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { contents, differences } from './contents.js';
import { cli, noise, type Shape, workspace, writeNifti, writeTask } from './made-up.js';

const MAIN = join(packageRoot, 'dist', 'ts', 'cli', 'main.js');
const SHAPES: Record<string, Shape> = {
  ...{ a: [20, 20, 20], b: [18, 22, 20], c: [20, 20, 20], d: [24, 20, 16], e: [20, 18, 20], f: [16, 20, 20] },
  'a-1': [20, 20, 20],
};

/** The parts 1 to `count`, in an order that is not theirs. */
function parts(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${count - i}/${count}`);
}

/** Runs the program in a process of its own; returns its exit code and what it wrote. */
async function program(argv: readonly string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [MAIN, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (text += part));
  const [code] = await once(child, 'close');
  return { code, text };
}

test('parts of plan and preprocess give the bytes of one run, with CT and more parts than cases, too', async (t) => {
  for (const [modality, count] of [
    ['MRI', 3],
    ['CT', 9],
  ] as const) {
    const { folders } = await workspace(t);
    await writeTask(folders.rawDataBase, 'Task701_Parts', SHAPES, { modality });
    const options = { task: '701', configurations: ['3d_fullres' as const, '2d' as const], ...folders };
    const all = [folders.preprocessed, join(folders.rawDataBase, 'nnUNet_cropped_data')];
    await planAndPreprocess(options).result;
    const expected = await Promise.all(all.map(contents));
    for (const folder of all) await rm(folder, { recursive: true });
    let cropped = 0;
    for (const shard of parts(count)) {
      const summary = await planExperiment({ ...options, shard }).result;
      t.deepEqual([summary.fingerprint, summary.plans], [null, []]);
      cropped += summary.cases;
    }
    t.is(cropped, Object.keys(SHAPES).length);
    await planExperiment(options).result;
    let written = 0;
    for (const shard of parts(count)) {
      const { plan, preprocess } = await planAndPreprocess({ ...options, shard }).result;
      t.is(plan, null);
      t.deepEqual([preprocess.skipped, preprocess.failures], [0, []]);
      written += preprocess.written;
    }
    t.is(written, Object.keys(SHAPES).length);
    for (const [i, folder] of all.entries()) {
      t.deepEqual(differences(await contents(folder), expected[i] ?? {}), [], modality);
    }
  }
});

test('parts of weightmaps and predictions give the bytes of one run', async (t) => {
  const { root, folders } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task702_Parts', SHAPES);
  await planAndPreprocess({ task: '702', configurations: ['3d_fullres'], ...folders }).result;
  const folder = join(folders.preprocessed, 'Task702_Parts', 'nnUNetData_plans_v2.1_stage0');
  for (const frequencies of ['case', 'dataset'] as const) {
    const one = join(root, `one-${frequencies}`);
    const several = join(root, `several-${frequencies}`);
    await generateWeightmaps({ folder, frequencies, outputDir: one }).result;
    let cases = 0;
    for (const shard of parts(3)) {
      const summary = await generateWeightmaps({ folder, frequencies, outputDir: several, shard }).result;
      t.is(summary.written, summary.cases);
      cases += summary.cases;
    }
    t.is(cases, Object.keys(SHAPES).length);
    t.deepEqual(differences(await contents(several), await contents(one)), [], frequencies);
  }
  const model = join(root, 'model');
  const tiny = { patchSize: [16, 16, 16], batchSize: 2, epochs: 1, iterations: 1, validationIterations: 1 };
  await train({
    ...{ task: '702', configuration: '3d_fullres', outputFolder: model, validate: false, workers: 1 },
    ...{ precision: 'float32', preprocessed: folders.preprocessed, ...tiny },
  }).result;
  const input = join(root, 'images');
  for (const [name, shape] of Object.entries(SHAPES)) {
    await writeNifti(join(input, `${name}_0000.nii`), shape, noise);
  }
  const output = join(root, 'predictions');
  const options = { input, output, model, precision: 'float32', workers: 1 } as const;
  await predict(options).result;
  await rename(output, `${output}-one`);
  for (const shard of parts(4)) {
    const { written, failures } = await predict({ ...options, shard }).result;
    t.true(written >= 1 && written <= 2 && failures.length === 0, shard);
  }
  t.deepEqual(differences(await contents(output), await contents(`${output}-one`)), []);
  // An ensemble of the model with itself.
  const softmax = join(root, 'softmax');
  await predict({ ...options, output: softmax, saveSoftmax: true }).result;
  const folders2 = [softmax, softmax];
  await ensemble({ folders: folders2, output: join(root, 'ensemble-one') }).result;
  for (const shard of parts(3)) {
    const { written } = await ensemble({ folders: folders2, output: join(root, 'ensemble'), shard }).result;
    t.true(written >= 2 && written <= 3, shard);
  }
  const [made, wanted] = [await contents(join(root, 'ensemble')), await contents(join(root, 'ensemble-one'))];
  t.deepEqual(differences(made, wanted), []);
});

test('parts of ensembles, postprocessing and evaluations give the bytes of one run', async (t) => {
  const { root } = await workspace(t);
  const [references, predictions] = [join(root, 'references'), join(root, 'predictions')];
  const labels = (shift: number) => (index: number) => (index % 400 > 150 + shift && index % 20 > 5 ? 1 : 0);
  for (const [i, [name, shape]] of Object.entries(SHAPES).entries()) {
    await writeNifti(join(references, `${name}.nii`), shape, labels(0));
    if (i !== 3) await writeNifti(join(predictions, `${name}.nii`), shape, labels(10 * i));
  }
  const rules = join(root, 'postprocessing.json');
  await writeFile(rules, JSON.stringify({ for_which_classes: [1], min_valid_object_sizes: 'None' }));
  const [one, several] = ['one', 'several'].map((name) => join(root, name)) as [string, string];
  const whole = await applyPostprocessing({ input: predictions, output: one, rules }).result;
  let written = 0;
  for (const shard of parts(4)) {
    const part = await applyPostprocessing({ input: predictions, output: several, rules, shard }).result;
    written += part.written;
  }
  t.is(written, whole.written);
  t.deepEqual(differences(await contents(several), await contents(one)), []);

  // A case without a prediction is a failure in both.
  const argv = ['evaluate', references, one, '-l', '1', '--metrics', 'surface', 'volume', '--hausdorff'];
  t.is((await cli(argv)).code, 1);
  const expected = await contents(one);
  for (const name of Object.keys(expected).filter((file) => file.startsWith('summary'))) {
    await rm(join(one, name));
  }
  const codes = [];
  for (const shard of parts(3)) {
    const { code, out } = await cli([...argv, '--shard', shard]);
    t.regex(out, /--merge-shards 3/);
    codes.push(code);
  }
  t.deepEqual(codes.sort(), [0, 0, 1]);
  const merged = await cli([...argv, '--merge-shards', '3']);
  t.is(merged.code, 1);
  const found = await contents(one);
  for (const part of [1, 2, 3]) {
    t.true(`summary_part_${part}_of_3.json` in found);
    delete found[`summary_part_${part}_of_3.json`];
  }
  t.deepEqual(differences(found, expected), []);
});

test('a part that does not exist, and an option of the plans with a part, are refused', async (t) => {
  const wrong = await cli(['predict', '-i', 'a', '-o', 'b', '-m', 'c', '--shard', '4/3']);
  t.is(wrong.code, 2);
  t.regex(wrong.err, /expected part I of N, such as 1\/4 to 4\/4, got "4\/3"/);
  t.regex((await cli(['weightmaps', 'a', '--shard', '1'])).err, /--shard: expected part I of N/);
  const planned = await cli(['preprocess', '1', '-c', '2d', '--shard', '1/2', '--patch-size', '64x64']);
  t.is(planned.code, 2);
  t.regex(planned.err, /--patch-size: is an option of the plans/);
  const { folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task703_Parts', SHAPES);
  const uncropped = await cli(['plan', '703', ...flags, '--shard', '1/2', '--no-keep-cropped']);
  t.regex(uncropped.err, /--shard: keeps its result in the cropped data: expected keepCropped/);
  const unplanned = await cli(['preprocess', '703', ...flags, '--shard', '1/2']);
  t.regex(unplanned.err, /ERR_NOT_FOUND: .*plans_3D\.pkl does not exist/);
});

test('twenty processes at once crop, preprocess, split, unpack and train on one folder', async (t) => {
  t.timeout(15 * 60_000);
  const { root, folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task704_Race', SHAPES);
  const task = ['704', ...flags, '-c', '3d_fullres', '--workers', '1'];
  const race = async (argv: (part: string, i: number) => readonly string[]): Promise<void> => {
    const ends = await Promise.all(parts(20).map((part, i) => program(argv(part, i))));
    for (const { code, text } of ends) t.is(code, 0, text);
  };
  await planAndPreprocess({ task: '704', configurations: ['3d_fullres'], ...folders }).result;
  const all = [folders.preprocessed, join(folders.rawDataBase, 'nnUNet_cropped_data')];
  const expected = await Promise.all(all.map(contents));
  for (const folder of all) await rm(folder, { recursive: true });
  await race((part) => ['plan', ...task, '--shard', part]);
  // Every one writes the same plans.
  await race(() => ['plan', ...task]);
  await race((part) => ['preprocess', ...task, '--shard', part]);
  for (const [i, folder] of all.entries()) {
    t.deepEqual(differences(await contents(folder), expected[i] ?? {}), []);
  }
  const tiny = ['--patch-size', '16x16x16', '--batch-size', '2', '--epochs', '1', '--iterations', '1'];
  const training = [...tiny, '--validation-iterations', '1', '--no-validate', '--precision', 'float32'];
  const model = (i: number) => join(root, `model-${i}`);
  await race((_, i) => ['train', ...task, ...training, '--output-folder', model(i)]);
  const first = await contents(model(0));
  const paths = /^(plans\.pkl|fold_0\/.*\.pkl)$/;
  const same = (found: Record<string, string>) =>
    Object.fromEntries(Object.entries(found).filter(([name]) => !paths.test(name)));
  for (let i = 1; i < 20; i += 1) t.deepEqual(differences(same(await contents(model(i))), same(first)), []);
});
