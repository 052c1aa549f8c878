import { existsSync, readdirSync } from 'node:fs';
import { UsageError, type Value, type Values } from './argparse.js';
import { modelFolder } from './models.js';
import {
  CASCADE_TRAINER,
  CONFIGURATIONS,
  foldOf,
  type Options,
  PLANS,
  type Step,
  shim,
  TRAINER,
  textOf,
} from './table.js';

export const predictShim = shim<'predict'>({
  name: 'nnUNet_predict',
  summary: 'segment the images of a folder with a trained model',
  verb: 'predict',
  notes: [
    'The model is RESULTS_FOLDER/nnUNet/MODEL/TASK/TRAINER__PLANS, as in v1.',
    'DIAG_NNUNET_ALT_RESAMPLING=1 selects --export alt, as in DIAG’s fork. 0 is off; in the fork it is on.',
    'Cases are segmented again if their segmentation is incomplete, of another grid, or of another model or settings.',
  ],
  args: [
    {
      names: ['-i', '--input_folder'],
      values: 1,
      required: true,
      meaning: 'folder of images',
      here: { option: 'input' },
    },
    {
      names: ['-o', '--output_folder'],
      values: 1,
      required: true,
      meaning: 'folder for the segmentations',
      here: { option: 'output' },
    },
    {
      names: ['-t', '--task_name'],
      values: 1,
      required: true,
      meaning: 'number or name of the task',
      here: { used: 'model' },
    },
    {
      names: ['-tr', '--trainer_class_name'],
      values: 1,
      meaning: `trainer of the model (default: ${TRAINER}); of the first stage for 3d_cascade_fullres`,
      here: { used: 'model, or lowresModel for 3d_cascade_fullres' },
    },
    {
      names: ['-ctr', '--cascade_trainer_class_name'],
      values: 1,
      meaning: `trainer of the cascade’s second stage (default: ${CASCADE_TRAINER})`,
      here: { used: 'model, for 3d_cascade_fullres' },
    },
    {
      names: ['-m', '--model'],
      values: 1,
      choices: CONFIGURATIONS,
      meaning: 'configuration (default: 3d_fullres)',
      here: { used: 'model' },
    },
    {
      names: ['-p', '--plans_identifier'],
      values: 1,
      meaning: `plans of the model (default: ${PLANS})`,
      here: { used: 'model' },
    },
    {
      names: ['-f', '--folds'],
      values: '+',
      meaning: 'folds to average, or all (default: every folder fold_X)',
      here: { used: 'folds' },
    },
    {
      names: ['-z', '--save_npz'],
      values: 0,
      meaning: 'also writes the softmax',
      here: { option: 'saveSoftmax' },
    },
    {
      names: ['-l', '--lowres_segmentations'],
      values: 1,
      meaning: 'segmentations of the cascade’s first stage',
      here: { used: 'lowresSegmentations; without it, the first stage is predicted, too' },
    },
    {
      names: ['--part_id'],
      values: 1,
      type: 'int',
      meaning: 'part of the cases to segment (default: 0)',
      here: { used: 'shard (parts count from 1 there)' },
    },
    {
      names: ['--num_parts'],
      values: 1,
      type: 'int',
      meaning: 'number of parts of the cases (default: 1)',
      here: { used: 'shard' },
    },
    {
      names: ['--num_threads_preprocessing'],
      values: 1,
      type: 'int',
      meaning: 'processes that read images (default: 6)',
      here: { accepted: 'at most three cases are in memory; nnunet-diag predict --workers sets the threads' },
    },
    {
      names: ['--num_threads_nifti_save'],
      values: 1,
      type: 'int',
      meaning: 'processes that write segmentations (default: 2)',
      here: { accepted: 'at most three cases are in memory; nnunet-diag predict --workers sets the threads' },
    },
    {
      names: ['--disable_tta'],
      values: 0,
      meaning: 'does not average over mirrored copies',
      here: { option: 'mirroring', value: () => false },
    },
    {
      names: ['--overwrite_existing'],
      values: 0,
      meaning: 'segments cases with an existing segmentation again',
      here: { option: 'overwrite' },
    },
    {
      names: ['--mode'],
      values: 1,
      meaning: 'normal, fast or fastest (default: normal)',
      here: { refused: 'leave it out; for speed, use --disable_tta or --step_size', unless: ['normal'] },
    },
    {
      names: ['--all_in_gpu'],
      values: 1,
      meaning: 'sums tiles in the GPU’s memory: None, False or True (default: None)',
      here: { refused: 'leave it out', unless: ['None', 'False'] },
    },
    {
      names: ['--step_size'],
      values: 1,
      type: 'float',
      meaning: 'step between tiles, as a fraction of the patch (default: 0.5)',
      here: { option: 'stepSize' },
    },
    {
      names: ['-chk'],
      values: 1,
      meaning: 'name of the checkpoint (default: model_final_checkpoint)',
      here: { option: 'checkpoint', note: 'best, final and latest are accepted, too' },
    },
    {
      names: ['--disable_mixed_precision'],
      values: 0,
      meaning: 'computes in single precision',
      here: { option: 'precision', value: () => 'float32', note: 'float32; the default is auto' },
    },
  ],
  steps: predictSteps,
});

function predictSteps(options: Options<'predict'>, given: Values): Step[] {
  const configuration = textOf(given, '-m', '3d_fullres');
  const task = textOf(given, '-t', '');
  const plans = textOf(given, '-p', PLANS);
  const folderOf = (name: string, trainer: string) =>
    modelFolder(name, task, `${trainer}__${plans}`, '-t/--task_name');
  const trainer = textOf(given, '-tr', TRAINER);
  const cascade = configuration === '3d_cascade_fullres';
  const model = folderOf(configuration, cascade ? textOf(given, '-ctr', CASCADE_TRAINER) : trainer);
  const lowres = textOf(given, '-l', 'None');
  const first =
    lowres !== 'None'
      ? { lowresSegmentations: lowres }
      : cascade
        ? { lowresModel: folderOf('3d_lowres', trainer) }
        : {};
  const folds = given.has('-f') ? chosenFolds(given.get('-f') ?? []) : numberedFolds(model);
  const alt = isOn(process.env.DIAG_NNUNET_ALT_RESAMPLING) ? { export: 'alt' as const } : {};
  return [
    {
      verb: 'predict',
      options: {
        ...options,
        model,
        ...first,
        ...(folds.length > 0 ? { folds } : {}),
        ...alt,
        ...partOf(given),
      },
    },
  ];
}

/** The part of the cases. nnU-Net v1 takes every `--num_parts`-th case, from number `--part_id`, which counts from 0. */
function partOf(given: Values): { shard?: string } {
  const [part, parts] = [Number(given.get('--part_id') ?? 0), Number(given.get('--num_parts') ?? 1)];
  if (parts < 1) throw new UsageError(`argument --num_parts: expected at least 1, got ${parts}`);
  if (part < 0 || part >= parts)
    throw new UsageError(`argument --part_id: expected 0 to ${parts - 1} for ${parts} parts, got ${part}`);
  return parts === 1 ? {} : { shard: `${part + 1}/${parts}` };
}

function chosenFolds(given: Value): Value[] {
  const folds = [given as string | readonly string[]].flat().map(foldOf);
  const whole = folds.length === 1 && folds[0] === 'all';
  if (whole || folds.every((fold) => typeof fold === 'number')) return folds;
  throw new UsageError(`argument -f/--folds: expected numbers or all, got ${folds.join(' ')}`);
}

/** nnU-Net v1 averages every `fold_X` and leaves out `all`; a model with `all` only is left to the verb. */
function numberedFolds(model: string): number[] {
  const names = existsSync(model) ? readdirSync(model) : [];
  return names
    .flatMap((name) => /^fold_(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** Whether a switch of DIAG's fork is on. */
function isOn(variable: string | undefined): boolean {
  return !['', '0', 'false', 'off', 'no'].includes((variable ?? '').trim().toLowerCase());
}
