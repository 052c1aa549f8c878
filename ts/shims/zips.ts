/** Commands that pack and unpack models. */
import { existsSync } from 'node:fs';
import { NnunetError } from '../errors.js';
import type { Value, Values } from './argparse.js';
import { modelFolder } from './models.js';
import { CASCADE_TRAINER, foldOf, type Options, PLANS, type Step, shim, TRAINER, textOf } from './table.js';

/** nnU-Net v1's default configurations, in the order of its zip file. */
const MODELS = ['2d', '3d_lowres', '3d_fullres', '3d_cascade_fullres'];

export const exportShim = shim<'exportModel'>({
  name: 'nnUNet_export_model_to_zip',
  summary: 'pack the models of a task into a zip file',
  verb: 'exportModel',
  // nnU-Net v1 replaces an existing file, and requires everything unless told otherwise.
  fixed: { overwrite: true },
  notes: [
    'The models are RESULTS_FOLDER/nnUNet/MODEL/TASK/TRAINER__PLANS, as in v1.',
    'Of ensembles, those of two exported models are packed, as in v1; v1 fails if one has no postprocessing.json.',
    'With --disable_strict, debug.json and progress.png may be missing, too; v1 needs them.',
  ],
  args: [
    { names: ['-t'], values: 1, meaning: 'number or name of the task', here: { used: 'models' } },
    { names: ['-o'], values: 1, meaning: 'zip file', here: { option: 'output' } },
    {
      names: ['-m'],
      values: '+',
      meaning: `configurations (default: ${MODELS.join(' ')})`,
      here: { used: 'models' },
    },
    {
      names: ['-tr'],
      values: 1,
      meaning: `trainer of all but the cascade (default: ${TRAINER})`,
      here: { used: 'models' },
    },
    {
      names: ['-trc'],
      values: 1,
      meaning: `trainer of the cascade (default: ${CASCADE_TRAINER})`,
      here: { used: 'models' },
    },
    { names: ['-pl'], values: 1, meaning: `plans identifier (default: ${PLANS})`, here: { used: 'models' } },
    {
      names: ['--disable_strict'],
      values: 0,
      meaning: 'leaves out models and files that are missing',
      here: { used: 'models, and strict' },
    },
    { names: ['-f'], values: '+', meaning: 'folds, or all (default: 0 1 2 3 4)', here: { used: 'folds' } },
  ],
  steps: exportSteps,
});

function exportSteps(options: Options<'exportModel'>, given: Values): Step[] {
  const lenient = given.get('--disable_strict') === true;
  const task = textOf(given, '-t', '');
  const plans = textOf(given, '-pl', PLANS);
  const models: string[] = [];
  let absent: unknown;
  for (const configuration of listOf(given.get('-m')) ?? MODELS) {
    const cascade = configuration === '3d_cascade_fullres';
    const trainer = cascade ? textOf(given, '-trc', CASCADE_TRAINER) : textOf(given, '-tr', TRAINER);
    try {
      const folder = modelFolder(String(configuration), task, `${trainer}__${plans}`, '-t');
      // The verb names a missing one.
      if (!lenient || existsSync(folder)) models.push(folder);
      else absent ??= notFound(folder, task);
    } catch (error) {
      if (!(lenient && error instanceof NnunetError && error.code === 'ERR_NOT_FOUND')) throw error;
      absent ??= error;
    }
  }
  if (models.length === 0) throw absent;
  const folds = listOf(given.get('-f'))?.map(foldOf) ?? [0, 1, 2, 3, 4];
  return [{ verb: 'exportModel', options: { ...options, models, folds, strict: !lenient } }];
}

function notFound(path: string, task: string): NnunetError {
  const message = `${path} does not exist: no model of ${task} does; train one, or correct -t, -m, -tr or -pl`;
  return new NnunetError('ERR_NOT_FOUND', message, { path, task });
}

function listOf(given: Value | undefined): Value[] | undefined {
  return given === undefined ? undefined : [given as string | readonly string[]].flat();
}

export const installShim = shim<'installModel'>({
  name: 'nnUNet_install_pretrained_model_from_zip',
  summary: 'unpack models from a zip file',
  verb: 'installModel',
  // nnU-Net v1 writes over existing models.
  fixed: { overwrite: true },
  notes: [
    'A model in the place of the new one is kept under another name; v1 writes over its files.',
    'The zip file must contain a model with plans.pkl and a finished fold, and nothing that could do harm.',
  ],
  args: [{ names: ['zip'], values: 1, meaning: 'zip file', here: { option: 'zip' } }],
});
