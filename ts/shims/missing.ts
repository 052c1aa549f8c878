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
].map((table) => shim(table));
