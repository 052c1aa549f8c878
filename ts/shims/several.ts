/** Commands on the results of several models or folds. */
import type { Values } from './argparse.js';
import { modelFolder } from './models.js';
import {
  CASCADE_TRAINER,
  CONFIGURATIONS,
  type Options,
  PLANS,
  type Step,
  shim,
  TRAINER,
  textOf,
} from './table.js';

export const ensembleShim = shim<'ensemble'>({
  name: 'nnUNet_ensemble',
  summary: 'average the softmax of several models',
  verb: 'ensemble',
  notes: [
    'With --npz, the .pkl of a case has the properties of the first model. v1 writes a list, which it cannot read again.',
    'A case that a model lacks fails alone; v1 stops.',
  ],
  args: [
    {
      names: ['-f', '--folders'],
      values: '+',
      required: true,
      meaning: 'folders with the softmax of each model',
      here: { option: 'folders' },
    },
    {
      names: ['-o', '--output_folder'],
      values: 1,
      required: true,
      meaning: 'folder for the segmentations',
      here: { option: 'output' },
    },
    {
      names: ['-t', '--threads'],
      values: 1,
      type: 'int',
      meaning: 'processes (default: 2)',
      here: { option: 'workers', note: 'the default is all cores' },
    },
    {
      names: ['-pp', '--postprocessing_file'],
      values: 1,
      meaning: 'postprocessing.json to apply',
      here: { option: 'rules' },
    },
    {
      names: ['--npz'],
      values: 0,
      meaning: 'also writes the averaged softmax',
      here: { option: 'saveSoftmax' },
    },
  ],
});

export const determinePostprocessingShim = shim<'consolidateFolds'>({
  name: 'nnUNet_determine_postprocessing',
  summary: 'determine the postprocessing of a model by its cross-validation',
  verb: 'consolidateFolds',
  notes: ['The model is RESULTS_FOLDER/nnUNet/MODEL/TASK/TRAINER__PLANS, with the folds 0 to 4, as in v1.'],
  args: [
    {
      names: ['-m'],
      values: 1,
      required: true,
      choices: CONFIGURATIONS,
      meaning: 'configuration',
      here: { used: 'model' },
    },
    {
      names: ['-t'],
      values: 1,
      required: true,
      meaning: 'number or name of the task',
      here: { used: 'model' },
    },
    {
      names: ['-tr'],
      values: 1,
      meaning: `trainer (default: ${TRAINER}, for the cascade ${CASCADE_TRAINER})`,
      here: { used: 'model' },
    },
    { names: ['-pl'], values: 1, meaning: `plans identifier (default: ${PLANS})`, here: { used: 'model' } },
    {
      names: ['-val'],
      values: 1,
      meaning: 'folder of segmented validation cases (default: validation_raw)',
      here: { option: 'validation' },
    },
  ],
  steps: (options: Options<'consolidateFolds'>, given: Values): Step[] => {
    const configuration = textOf(given, '-m', '');
    const usual = configuration === '3d_cascade_fullres' ? CASCADE_TRAINER : TRAINER;
    const trainer = `${textOf(given, '-tr', usual)}__${textOf(given, '-pl', PLANS)}`;
    const model = modelFolder(configuration, textOf(given, '-t', ''), trainer, '-t');
    return [{ verb: 'consolidateFolds', options: { ...options, model, folds: [0, 1, 2, 3, 4] } }];
  },
});
