/**
 * The whole job on real data: check, plan, preprocess, weightmaps, train, predict, evaluate, pictures.
 *
 * Two tasks have the same images. Task501 is annotated densely and trained with voxel weightmaps. 8 % of the voxels of
 * Task502 are annotated; it is trained on these. Everything is written below `quickstart/`. An interrupted run can be
 * continued by running it again.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { table } from '../ts/cli/text-table.js';
import {
  checkDataset,
  drawCurves,
  drawOverlay,
  type EpochEvent,
  evaluate,
  generateWeightmaps,
  NnunetError,
  planAndPreprocess,
  predict,
  type Run,
  readVolume,
  type Trainer,
  train,
  type VerbEvent,
} from '../ts/index.js';
import { follow } from './console.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const data = join(root, 'examples', 'data');
const work = join(root, 'quickstart');
const folders = {
  rawDataBase: join(work, 'raw'),
  preprocessed: join(work, 'preprocessed'),
  results: join(work, 'results'),
};

/**
 * A schedule of minutes. Network, losses, optimiser and augmentation are nnU-Net's own. Patches are smaller than planned,
 * and the learning rate is doubled.
 */
const SCHEDULE = {
  epochs: 18,
  iterations: 40,
  validationIterations: 4,
  patchSize: [32, 32, 32],
  batchSize: 2,
  initialLr: 0.02,
  seed: 1,
} as const;

/** Brain tissue has borders almost everywhere, so the border term is lower and narrower than for cells. */
const WEIGHTMAP = { w0: 2, sigma: 2 } as const;

const CLASSES = ['CSF', 'GM', 'WM'];

interface Experiment {
  readonly task: string;
  readonly trainer: Trainer;
  readonly title: string;
}

const EXPERIMENTS: readonly Experiment[] = [
  { task: 'Task501_IcbmTissue', trainer: 'nnUNetTrainerV2Weighted', title: 'dense, weightmaps' },
  { task: 'Task502_IcbmTissueSparse', trainer: 'nnUNetTrainerV2Sparse', title: 'sparse, 8 % annotated' },
];

const abort = new AbortController();
process.once('SIGINT', () => {
  process.stderr.write('\nstopping at the next safe point; run again to continue\n');
  abort.abort();
});
const { signal } = abort;

/** Shows the events of a run and returns its result. */
async function show<R>(label: string, run: Run<R>, also?: (event: VerbEvent) => void): Promise<R> {
  await follow(label, run, also);
  return run.result;
}

async function prepare({ task, trainer }: Experiment): Promise<void> {
  // Raw tasks must be below nnUNet_raw_data, so the committed data is linked there.
  const raw = join(folders.rawDataBase, 'nnUNet_raw_data');
  await linkTask(join(data, task), join(raw, task));
  const check = await show(`${task} check`, checkDataset({ task, ...folders, signal }));
  if (check.problems.length > 0) throw new NnunetError('ERR_DATASET_RECORD', JSON.stringify(check.problems));
  await show(
    `${task} preprocess`,
    planAndPreprocess({ task, configurations: ['3d_fullres'], ...folders, signal }),
  );
  if (trainer === 'nnUNetTrainerV2Weighted') {
    const folder = join(folders.preprocessed, task, 'nnUNetData_plans_v2.1_stage0');
    await show(
      `${task} weightmaps`,
      generateWeightmaps({ folder, ...WEIGHTMAP, skipExisting: true, signal }),
    );
  }
}

async function linkTask(from: string, to: string): Promise<void> {
  if (existsSync(to)) return;
  const { symlink } = await import('node:fs/promises');
  await mkdir(dirname(to), { recursive: true });
  await symlink(from, to, 'junction');
}

/** Folder of the model in nnU-Net's layout. */
function modelFolder({ task, trainer }: Experiment): string {
  return join(folders.results, 'nnUNet', '3d_fullres', task, `${trainer}__nnUNetPlansv2.1`);
}

async function trainFold(experiment: Experiment): Promise<void> {
  const { task, trainer, title } = experiment;
  const fold = join(modelFolder(experiment), 'fold_0');
  if (existsSync(join(fold, 'model_final_checkpoint.model'))) return;
  const run = train({
    task,
    configuration: '3d_fullres',
    fold: 0,
    trainer,
    ...SCHEDULE,
    continue: existsSync(join(fold, 'model_latest.model')),
    ...folders,
    signal,
  });
  const log = join(work, `${task}_epochs.jsonl`);
  const epochs = existsSync(log) ? (await readFile(log, 'utf8')).trim().split('\n') : [];
  await show(`${task} train`, run, (event) => {
    if (event.type === 'epoch') epochs.push(JSON.stringify(event));
  }).finally(() => writeFile(log, `${epochs.join('\n')}\n`));
  const drawn = epochs.map((line) => JSON.parse(line) as EpochEvent);
  await writeFile(join(work, `${task}_curves.svg`), drawCurves(`${trainer} on ${title}`, drawn, CLASSES));
}

async function assess(experiment: Experiment): Promise<(number | null)[]> {
  const { task } = experiment;
  const output = predictions(experiment);
  const input = join(data, task, 'imagesTs');
  await show(
    `${task} predict`,
    predict({ input, output, model: modelFolder(experiment), folds: ['0'], signal }),
  );
  const referenceDir = join(data, task, 'labelsTs');
  const summary = await show(
    `${task} evaluate`,
    evaluate({ referenceDir, predictionDir: output, labels: [1, 2, 3], signal }),
  );
  return [1, 2, 3].map((label) => summary.results.mean[label]?.Dice ?? null);
}

function predictions({ task }: Experiment): string {
  return join(work, 'predictions', task);
}

async function draw(name: string): Promise<string> {
  const image = await readVolume(join(data, 'Task501_IcbmTissue', 'imagesTs', `${name}_0000.nii.gz`));
  const reference = await readVolume(join(data, 'Task501_IcbmTissue', 'labelsTs', `${name}.nii.gz`));
  const predicted = await Promise.all(
    EXPERIMENTS.map(async (experiment) => ({
      title: experiment.title,
      labels: await readVolume(join(predictions(experiment), `${name}.nii.gz`)),
    })),
  );
  const path = join(work, `${name}_overlay.svg`);
  const panels = [{ title: `${name}: image` }, { title: 'reference', labels: reference }, ...predicted];
  const slices = ['middle', 'largestError'] as const;
  await writeFile(path, drawOverlay(image, slices, panels, CLASSES, { reference }));
  return path;
}

async function main(): Promise<void> {
  const began = Date.now();
  await mkdir(work, { recursive: true });
  for (const experiment of EXPERIMENTS) await prepare(experiment);
  for (const experiment of EXPERIMENTS) await trainFold(experiment);
  const dice: (number | null)[][] = [];
  for (const experiment of EXPERIMENTS) dice.push(await assess(experiment));
  const pictures = await Promise.all(['icbm_003', 'icbm_009', 'icbm_015'].map(draw));
  const minutes = (Date.now() - began) / 60_000;
  process.stdout.write(
    `\n${table(
      ['Dice on the three test cases', ...CLASSES],
      EXPERIMENTS.map((e, i) => [
        `${e.trainer} (${e.title})`,
        ...(dice[i] ?? []).map((d) => d?.toFixed(3) ?? '–'),
      ]),
    )}\n\n`,
  );
  process.stdout.write(
    `${minutes.toFixed(1)} minutes on ${availableParallelism()} cores of ${cpus()[0]?.model.trim()}.\n`,
  );
  process.stdout.write(`Curves and overlays: ${work}/*_curves.svg, ${pictures.join(', ')}\n`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof NnunetError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exitCode = error.code === 'ERR_CANCELLED' ? 130 : 1;
}
