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

const trainer = arg('-tr', `trainer (default: ${TRAINER})`);
const plans = arg('-pl', `plans identifier (default: ${PLANS})`);

/** Commands of nnU-Net v1 whose verb does not exist yet. */
export const MISSING: readonly Shim[] = [
  {
    name: 'nnUNet_change_trainer_class',
    summary: 'write another trainer’s name into the checkpoints of a model',
    verb: {
      missing: 'nnunet-diag predict needs no trainer class: name the folder of the model with --model',
    },
    args: [arg('-i', 'folder of the model'), arg('-tr', 'name of the new trainer')],
  },
  {
    name: 'nnUNet_export_model_to_zip',
    summary: 'pack the models of a task into a zip file',
    verb: {
      missing: 'pack CONFIGURATION/TASK/TRAINER__PLANS with zip -r in the folder RESULTS_FOLDER/nnUNet',
    },
    args: [
      arg('-t', 'number or name of the task'),
      arg('-o', 'zip file'),
      arg('-m', 'configurations (default: all)', '+'),
      trainer,
      arg('-trc', `trainer of the cascade (default: ${CASCADE_TRAINER})`),
      plans,
      arg('--disable_strict', 'leaves out what is missing', 0),
      arg('-f', 'folds (default: 0 1 2 3 4)', '+'),
    ],
  },
  {
    name: 'nnUNet_install_pretrained_model_from_zip',
    summary: 'unpack models from a zip file',
    verb: { missing: 'unpack the file with unzip into RESULTS_FOLDER/nnUNet' },
    args: [arg('zip', 'zip file')],
  },
].map((table) => shim(table));
