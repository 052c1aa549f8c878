/** The comparison of configurations. */
import type { Values } from './argparse.js';
import { taskName } from './models.js';
import { CASCADE_TRAINER, type Options, PLANS, type Step, shim, TRAINER } from './table.js';

export const findBestShim = shim<'findBestConfiguration'>({
  name: 'nnUNet_find_best_configuration',
  summary:
    'compare the configurations of a task by their cross-validation, with ensembles and postprocessing',
  verb: 'findBestConfiguration',
  notes: [
    'Everything is computed again; v1 reuses results of earlier runs.',
    'prediction_commands.txt has commands of nnunet-diag. best_configuration.json has all scores.',
    'The references are those in gt_niftis of the models; v1 takes those of ensembles from nnUNet_preprocessed.',
  ],
  // v1 stops at a missing model.
  fixed: { strict: true },
  args: [
    {
      names: ['-m', '--models'],
      values: '+',
      meaning: 'configurations (default: all)',
      here: { option: 'configurations' },
    },
    {
      names: ['-t', '--task_ids'],
      values: '+',
      type: 'int',
      required: true,
      meaning: 'numbers of the tasks',
      here: { used: 'one run for each task' },
    },
    { names: ['-tr'], values: 1, meaning: `trainer (default: ${TRAINER})`, here: { option: 'trainer' } },
    {
      names: ['-ctr'],
      values: 1,
      meaning: `trainer of the cascade (default: ${CASCADE_TRAINER})`,
      here: { option: 'cascadeTrainer' },
    },
    { names: ['-pl'], values: 1, meaning: `plans identifier (default: ${PLANS})`, here: { option: 'plans' } },
    {
      names: ['-f', '--folds'],
      values: '+',
      type: 'int',
      meaning: 'folds (default: 0 1 2 3 4)',
      here: { option: 'folds' },
    },
    {
      names: ['--disable_ensembling'],
      values: 0,
      meaning: 'compares no ensembles',
      here: { option: 'ensembling', value: () => false },
    },
    {
      names: ['--disable_postprocessing'],
      values: 0,
      meaning: 'determines no postprocessing',
      here: { option: 'postprocessing', value: () => false },
    },
  ],
  steps: (options: Options<'findBestConfiguration'>, given: Values): Step[] => {
    const tasks = [given.get('-t') ?? []].flat();
    const first = options.configurations?.[0] ?? '2d';
    return tasks.map((task) => ({
      verb: 'findBestConfiguration',
      options: { ...options, task: taskName(first, String(task), '-t') },
    }));
  },
});
