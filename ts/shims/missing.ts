import { CASCADE_TRAINER, PLANS, type Shim, type ShimArgument, shim, TRAINER } from './table.js';

/** An argument of a command without a verb. */
function arg(
  names: string,
  meaning: string,
  values: ShimArgument['values'] = 1,
  more: Pick<ShimArgument, 'required' | 'type'> = {},
): ShimArgument {
  return { names: names.split('/'), values, meaning, here: { used: 'nothing yet' }, ...more };
}

const required = { required: true } as const;

const trainer = arg('-tr', `trainer (default: ${TRAINER})`);
const plans = arg('-pl', `plans identifier (default: ${PLANS})`);

/** Commands of nnU-Net v1 whose verb does not exist yet. */
export const MISSING: readonly Shim[] = [
  {
    name: 'nnUNet_find_best_configuration',
    summary:
      'compare the configurations of a task by their cross-validation, with ensembles and postprocessing',
    verb: { missing: 'evaluate each configuration with nnunet-diag evaluate and compare the summaries' },
    args: [
      arg('-m/--models', 'configurations (default: all)', '+'),
      arg('-t/--task_ids', 'numbers of the tasks', '+', required),
      trainer,
      arg('-ctr', `trainer of the cascade (default: ${CASCADE_TRAINER})`),
      plans,
      arg('-f/--folds', 'folds (default: 0 1 2 3 4)', '+'),
      arg('--disable_ensembling', 'compares no ensembles', 0),
      arg('--disable_postprocessing', 'determines no postprocessing', 0),
    ],
  },
  {
    name: 'nnUNet_change_trainer_class',
    summary: 'write another trainer’s name into the checkpoints of a model',
    verb: {
      missing: 'nnunet-diag predict needs no trainer class: name the folder of the model with --model',
    },
    args: [arg('-i', 'folder of the model'), arg('-tr', 'name of the new trainer')],
  },
].map((table) => shim(table));
