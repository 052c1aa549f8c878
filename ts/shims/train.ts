import type { Trainer } from '../generated/options.js';
import { advice } from '../nearest.js';
import { UsageError, type Value, type Values } from './argparse.js';
import { lacks } from './lacks.js';
import {
  CASCADE_TRAINER,
  CONFIGURATIONS,
  foldOf,
  type Options,
  PLANS,
  processesOf,
  type Step,
  shim,
  TRAINER,
  textOf,
} from './table.js';

const NAME = 'nnUNet_train';
const CLASS_WEIGHTED = 'nnUNetTrainer_V2_Loss_CEandDice_Weighted';

/** Every trainer of this package. The type makes the list complete. */
const TRAINERS = Object.keys({
  nnUNetTrainerV2: 0,
  nnUNetTrainerV2Sparse: 0,
  nnUNetTrainerV2SparseNormalSampling: 0,
  nnUNetTrainerV2Weighted: 0,
  nnUNetTrainer_V2_Loss_CEandDice_Weighted: 0,
} satisfies Record<Trainer, 0>) as Trainer[];

export const trainShim = shim<'train'>({
  name: NAME,
  summary: 'train one fold of a configuration',
  verb: 'train',
  notes: [
    'The variable nnUNet_n_proc_DA sets loaderThreads; the default is all cores, in v1 12 processes.',
    'The schedule is v1’s: 1000 epochs of 250 iterations. A shorter one: nnunet-diag train --epochs.',
    'A fold with checkpoints is refused without -c; v1 replaces them. -c without a checkpoint starts anew; v1 fails.',
  ],
  args: [
    {
      names: ['network'],
      values: 1,
      choices: CONFIGURATIONS,
      meaning: 'configuration',
      here: { option: 'configuration' },
    },
    {
      names: ['network_trainer'],
      values: 1,
      meaning: 'class of the trainer',
      here: { used: `trainer: ${TRAINERS.join(', ')}; ${CASCADE_TRAINER} with 3d_cascade_fullres` },
    },
    { names: ['task'], values: 1, meaning: 'number or name of the task', here: { option: 'task' } },
    { names: ['fold'], values: 1, meaning: 'fold, or all', here: { option: 'fold', value: foldOf } },
    {
      names: ['-val', '--validation_only'],
      values: 0,
      meaning: 'only segments the validation cases of a trained fold',
      here: { option: 'validationOnly' },
    },
    {
      names: ['-c', '--continue_training'],
      values: 0,
      meaning: 'continues from the last checkpoint',
      here: { option: 'continue' },
    },
    {
      names: ['-p'],
      values: 1,
      meaning: `plans identifier (default: ${PLANS})`,
      here: { refused: `only ${PLANS} is planned here; leave -p out`, unless: [PLANS] },
    },
    {
      names: ['--use_compressed_data'],
      values: 0,
      meaning: 'reads the compressed cases without unpacking them',
      here: { option: 'unpack', value: () => false },
    },
    {
      names: ['--deterministic'],
      values: 0,
      meaning: 'makes training deterministic',
      here: { option: 'deterministic' },
    },
    {
      names: ['--npz'],
      values: 0,
      meaning: 'also writes the softmax of the validation cases',
      here: { option: 'npz' },
    },
    {
      names: ['--find_lr'],
      values: 0,
      meaning: 'searches a learning rate instead of training',
      here: { refused: 'set the rate with nnunet-diag train --initial-lr' },
    },
    {
      names: ['--valbest'],
      values: 0,
      meaning: 'with -val, uses the best checkpoint',
      here: { refused: 'segment the images with nnUNet_predict -chk model_best' },
    },
    {
      names: ['--fp32'],
      values: 0,
      meaning: 'trains in single precision',
      here: { option: 'precision', value: () => 'float32', note: 'float32; the default is auto' },
    },
    {
      names: ['--val_folder'],
      values: 1,
      meaning: 'name of the folder of segmented validation cases (default: validation_raw)',
      here: { refused: 'the folder is validation_raw; leave it out', unless: ['validation_raw'] },
    },
    {
      names: ['--trainer_kwargs'],
      values: 1,
      meaning: `arguments of the trainer as JSON, of ${CLASS_WEIGHTED}`,
      here: { used: 'class_weights: classWeights; weight_ce, weight_dc: recipe.loss; others are refused' },
    },
    {
      names: ['--disable_saving'],
      values: 0,
      meaning: 'keeps no checkpoint at the end',
      here: { refused: 'leave it out, and delete the fold afterwards' },
    },
    {
      names: ['--disable_postprocessing_on_folds'],
      values: 0,
      meaning: 'determines no postprocessing of the fold',
      here: { option: 'postprocessing', value: () => false },
    },
    {
      names: ['--val_disable_overwrite'],
      values: 0,
      meaning: 'keeps existing segmentations of validation cases',
      here: { accepted: 'those of the same checkpoint are always kept' },
    },
    {
      names: ['--disable_next_stage_pred'],
      values: 0,
      meaning: 'after 3d_lowres, makes no predictions for the cascade',
      here: { option: 'nextStage', value: () => false },
    },
    {
      names: ['-pretrained_weights'],
      values: 1,
      meaning: 'checkpoint with initial weights',
      here: { option: 'pretrained' },
    },
  ],
  steps: trainSteps,
});

function trainSteps(options: Options<'train'>, given: Values): Step[] {
  const named = textOf(given, 'network_trainer', TRAINER);
  const cascade = options.configuration === '3d_cascade_fullres';
  if (cascade && named !== CASCADE_TRAINER) {
    throw new UsageError(`3d_cascade_fullres needs the trainer ${CASCADE_TRAINER}, got ${named}`);
  }
  // The verb names the model of this stage after the cascade's trainer.
  const trainer = cascade ? TRAINER : TRAINERS.find((name) => name === named);
  if (trainer === undefined) {
    const todo =
      named === CASCADE_TRAINER
        ? 'use it with 3d_cascade_fullres'
        : `use one of ${TRAINERS.join(', ')}, or describe it with nnunet-diag train --recipe`;
    throw lacks(NAME, `trainer ${named}`, 'a class of Python', `${todo}${advice(named, TRAINERS)}`);
  }
  const threads = processesOf('nnUNet_n_proc_DA');
  const loader = threads > 0 ? { loaderThreads: threads } : {};
  return [{ verb: 'train', options: { ...options, trainer, ...kwargs(given, trainer), ...loader } }];
}

/** Options for `--trainer_kwargs`. Job scripts write it with backslashes, which nnU-Net v1 removes. */
function kwargs(given: Values, trainer: string): Options<'train'> {
  const text = textOf(given, '--trainer_kwargs', '{}');
  const parsed = parseObject(text.replaceAll('\\', ''));
  const names = Object.keys(parsed);
  if (names.length === 0) return {};
  const known = ['class_weights', 'weight_ce', 'weight_dc'];
  const strange = names.filter((name) => !known.includes(name));
  if (trainer !== CLASS_WEIGHTED || strange.length > 0) {
    const what = `--trainer_kwargs with ${(strange.length > 0 ? strange : names).join(', ')}`;
    const todo = `only ${CLASS_WEIGHTED} has ${known.join(', ')}; others: nnunet-diag train --recipe`;
    throw lacks(NAME, what, 'arguments of the trainer', todo);
  }
  const { class_weights: classWeights, weight_ce: crossEntropy, weight_dc: dice } = parsed;
  const loss = Object.fromEntries(
    Object.entries({ crossEntropy, dice }).filter(([, weight]) => weight !== undefined),
  );
  return {
    ...(classWeights === undefined ? {} : { classWeights: classWeights as number[] }),
    ...(Object.keys(loss).length === 0 ? {} : { recipe: { loss } }),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new UsageError(`argument --trainer_kwargs: expected a JSON object, got ${text as Value}`);
}
