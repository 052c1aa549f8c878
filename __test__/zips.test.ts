import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { exportModel, installModel, NnunetError } from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { workspace } from './made-up.js';

const MODEL = '3d_fullres/Task011_GoldenTiny/nnUNetTrainerV2__nnUNetPlansv2.1';
const RECORDED = join(packageRoot, '__test__/fixtures/checkpoint/model/nnUNet', MODEL);

test('a model is exported, installed with equal bytes, and not replaced unless asked for', async (t) => {
  const { root } = await workspace(t);
  const model = join(root, 'results', MODEL);
  await cp(RECORDED, model, { recursive: true });
  const zip = join(root, 'model.zip');
  const exported = await exportModel({ models: [model], output: zip }).result;
  t.deepEqual(exported.models, [{ folder: model, name: MODEL, folds: [0] }]);
  const output = join(root, 'installed');
  const { models, files, bytes } = await installModel({ zip, output }).result;
  t.deepEqual(models, [{ folder: join(output, MODEL), folds: [0], replaced: null }]);
  t.deepEqual([files, bytes], [exported.files, exported.bytes]);
  for (const name of ['plans.pkl', 'fold_0/model_final_checkpoint.model', 'fold_0/debug.json']) {
    t.deepEqual(await readFile(join(output, MODEL, name)), await readFile(join(model, name)), name);
  }
  const again = await t.throwsAsync(installModel({ zip, output }).result, { instanceOf: NnunetError });
  t.is(again?.code, 'ERR_MODEL_EXISTS');
  const replaced = await installModel({ zip, output, overwrite: true }).result;
  t.deepEqual(
    await readFile(join(replaced.models[0]?.replaced ?? '', 'plans.pkl')),
    await readFile(join(model, 'plans.pkl')),
  );
  const twice = await t.throwsAsync(exportModel({ models: [model], output: zip }).result);
  t.is((twice as NnunetError).code, 'ERR_FILE_EXISTS');
});

test('a file that is no zip file of a model is ERR_MODEL_ZIP', async (t) => {
  const { root } = await workspace(t);
  const zip = join(root, 'model.zip');
  await writeFile(zip, 'no zip file');
  const error = await t.throwsAsync(installModel({ zip, output: join(root, 'installed') }).result);
  t.is((error as NnunetError).code, 'ERR_MODEL_ZIP');
  t.true(error?.message.startsWith(zip));
});
