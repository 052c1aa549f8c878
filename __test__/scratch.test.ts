/** `--scratch`: cases and results on a disk of the machine, without a trace at the end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { planAndPreprocess, predict, submit, train } from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { contents, differences } from './contents.js';
import { cli, noise, preprocessedTask, type Shape, workspace, writeNifti, writeTask } from './made-up.js';

const MAIN = join(packageRoot, 'dist', 'ts', 'cli', 'main.js');
const SHAPE: Shape = [20, 20, 20];
const TINY = {
  ...{ task: '701', configuration: '3d_fullres' as const, patchSize: [16, 16, 16], batchSize: 2 },
  ...{ epochs: 2, iterations: 3, validationIterations: 1, precision: 'float32' as const, workers: 1 },
};

/** Runs the program in a process of its own; returns its exit code. */
async function program(
  argv: readonly string[],
  seen: (event: { type: string }, child: ChildProcess) => void = () => {},
): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [MAIN, ...argv, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [text, rest] = ['', ''];
  child.stderr.on('data', (chunk) => (text += chunk));
  child.stdout.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) seen(JSON.parse(line), child);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text };
}

test.serial('with a scratch folder, the results are the same and nothing is left in it', async (t) => {
  t.timeout(10 * 60_000);
  const { root, folders } = await workspace(t);
  const scratch = join(root, 'scratch', 'not there yet');
  // The variable is read where the verb runs.
  process.env.SCRATCH_OF_TEST = scratch;
  const withScratch = { scratch: `$SCRATCH_OF_TEST` };
  const cases = ['a', 'b', 'c', 'd', 'e'];
  await writeTask(
    folders.rawDataBase,
    'Task701_Small',
    Object.fromEntries(cases.map((name) => [name, SHAPE])),
  );
  const options = { task: '701', configurations: ['3d_fullres' as const, '2d' as const], ...folders };
  await planAndPreprocess(options).result;
  const expected = await contents(folders.preprocessed);
  await rm(folders.preprocessed, { recursive: true });
  await planAndPreprocess({ ...options, ...withScratch }).result;
  t.deepEqual(differences(await contents(folders.preprocessed), expected), []);
  t.deepEqual(await readdir(scratch), []);

  const training = { ...TINY, preprocessed: folders.preprocessed, outputFolder: join(root, 'model') };
  await train({ ...training, ...withScratch }).result;
  const stage = join(folders.preprocessed, 'Task701_Small', 'nnUNetData_plans_v2.1_stage0');
  t.deepEqual(
    (await readdir(stage)).filter((name) => name.endsWith('.npy')),
    [],
    'cases are unpacked in the scratch folder alone',
  );
  t.deepEqual(await readdir(scratch), []);
  const found = await contents(training.outputFolder);
  await rm(training.outputFolder, { recursive: true });
  await train(training).result;
  t.deepEqual(differences(found, await contents(training.outputFolder)), []);

  const input = join(root, 'images');
  for (const name of cases) await writeNifti(join(input, `${name}_0000.nii`), SHAPE, noise);
  const prediction = {
    input,
    model: training.outputFolder,
    precision: 'float32' as const,
    saveSoftmax: true,
  };
  await predict({ ...prediction, output: join(root, 'one') }).result;
  await predict({ ...prediction, output: join(root, 'other'), ...withScratch }).result;
  t.deepEqual(differences(await contents(join(root, 'other')), await contents(join(root, 'one'))), []);
  t.deepEqual(await readdir(scratch), []);
  const { skipped } = await predict({ ...prediction, output: join(root, 'other'), ...withScratch }).result;
  t.is(skipped, cases.length);
});

test.serial('a training that is stopped or fails leaves nothing in the scratch folder', async (t) => {
  t.timeout(10 * 60_000);
  const { root, folders } = await preprocessedTask(t);
  const scratch = join(root, 'scratch');
  const argv = [
    ...['train', '701', '-c', '3d_fullres', '--preprocessed', folders.preprocessed, '--workers', '1'],
    ...['--patch-size', '16x16x16', '--batch-size', '2', '--iterations', '3', '--validation-iterations', '1'],
    ...['--precision', 'float32', '--scratch', scratch, '--continue', '--epochs', '3'],
  ];
  const model = ['--output-folder', join(root, 'model')];
  let there = false;
  const stopped = await program([...argv, ...model], ({ type }, child) => {
    if (type !== 'epoch' || there) return;
    there = existsSync(scratch);
    child.kill('SIGTERM');
  });
  t.is(stopped.code, 85, stopped.text);
  t.true(there);
  t.deepEqual(await readdir(scratch), []);
  const again = await program([...argv, ...model]);
  t.is(again.code, 0, again.text);
  await program([...argv.filter((word) => word !== '--continue'), '--output-folder', join(root, 'whole')]);
  const checkpoint = (name: string) => readFile(join(root, name, 'fold_0', 'model_final_checkpoint.model'));
  t.deepEqual(await checkpoint('model'), await checkpoint('whole'));

  // Ranks of one machine share the copies.
  const ranks = await program([
    ...argv,
    '--output-folder',
    join(root, 'ranks'),
    '--gpus',
    '2',
    '--device',
    'cpu',
  ]);
  t.is(ranks.code, 0, ranks.text);
  t.deepEqual(await readdir(scratch), []);

  const stage = join(folders.preprocessed, 'Task701_Small', 'nnUNetData_plans_v2.1_stage0');
  for (const name of await readdir(stage)) {
    if (name.endsWith('.npz')) await writeFile(join(stage, name), 'broken');
  }
  const failed = await program([...argv, '--output-folder', join(root, 'failed')]);
  t.is(failed.code, 1);
  t.deepEqual(await readdir(scratch), []);
});

test.serial(
  'a killed prediction leaves whole files alone, and the next one clears the scratch folder',
  async (t) => {
    t.timeout(10 * 60_000);
    const { root, folders } = await preprocessedTask(t);
    const model = join(root, 'model');
    await train({ ...TINY, preprocessed: folders.preprocessed, outputFolder: model, validate: false }).result;
    const [input, output, scratch] = ['images', 'predictions', 'scratch'].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    await mkdir(input);
    const cases = Array.from({ length: 8 }, (_, i) => `case_${i}`);
    for (const name of cases) await writeNifti(join(input, `${name}_0000.nii`), SHAPE, noise);
    const argv = [
      ...['predict', '-i', input, '-o', output, '-m', model, '--save-softmax', '--precision', 'float32'],
      ...['--workers', '1', '--scratch', scratch],
    ];
    let done = 0;
    await program(argv, ({ type }, child) => {
      if (type === 'progress' && ++done === 3) child.kill('SIGKILL');
    });
    t.true((await readdir(scratch)).length > 0);
    for (const name of (await readdir(output)).filter((file) => file.endsWith('.nii.gz'))) {
      t.true(existsSync(join(output, name.replace('.nii.gz', '.npz'))), 'the segmentation is the last file');
    }
    const again = await program(argv);
    t.is(again.code, 0, again.text);
    t.deepEqual(await readdir(scratch), []);
    await predict({ input, output: join(root, 'whole'), model, saveSoftmax: true, precision: 'float32' })
      .result;
    t.deepEqual(differences(await contents(output), await contents(join(root, 'whole'))), []);
  },
);

test('a variable of --scratch is read where the verb runs, and must be set there', async (t) => {
  const options = { input: 'i', output: 'o', model: 'm', scratch: '$TMPDIR/of me' };
  const result = await submit('predict', options, { dryRun: true });
  if (result.kind !== 'dryRun') return t.fail();
  t.regex(result.scripts[0]?.script ?? '', /--scratch '\$TMPDIR\/of me'/);
  const { root, folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task701_Small', { a: SHAPE });
  const { code, err } = await cli(['preprocess', '701', ...flags, '--scratch', '$NOT_SET_HERE/x']);
  t.is(code, 2, root);
  t.regex(err, /--scratch: \$NOT_SET_HERE\/x: NOT_SET_HERE is not set on this machine/);
});
