import { type ShimArgument, shim } from './table.js';

/** An argument of a command without a verb. */
function arg(name: string, meaning: string): ShimArgument {
  return { names: [name], values: 1, meaning, here: { used: 'nothing yet' } };
}

/** The command of nnU-Net v1 that has no verb. */
export const changeTrainerShim = shim({
  name: 'nnUNet_change_trainer_class',
  summary: 'write another trainer’s name into the checkpoints of a model',
  verb: {
    missing: 'nnunet-diag predict needs no trainer class: name the folder of the model with --model',
  },
  args: [arg('-i', 'folder of the model'), arg('-tr', 'name of the new trainer')],
});
