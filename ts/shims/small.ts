import { basename } from 'node:path';
import type { Values } from './argparse.js';
import { type Options, processesOf, type Step, shim } from './table.js';

export const evaluateShim = shim<'evaluate'>({
  name: 'nnUNet_evaluate_folder',
  summary: 'compare segmentations with references and write summary.json',
  verb: 'evaluate',
  // nnU-Net's own readers of summary.json expect numbers, and it accepts labels that no case has.
  fixed: { bareNan: true, absentLabels: true },
  notes: ['Undefined metrics are written as NaN, as in v1.'],
  args: [
    {
      names: ['-ref'],
      values: 1,
      required: true,
      meaning: 'folder of references',
      here: { option: 'referenceDir' },
    },
    {
      names: ['-pred'],
      values: 1,
      required: true,
      meaning: 'folder of segmentations, which receives summary.json',
      here: { option: 'predictionDir' },
    },
    {
      names: ['-l'],
      values: '+',
      type: 'int',
      required: true,
      meaning: 'labels to evaluate',
      here: { option: 'labels' },
    },
  ],
});

export const convertShim = shim<'convert'>({
  name: 'nnUNet_convert_decathlon_task',
  summary: 'convert a task of the Medical Decathlon to a raw task',
  verb: 'convert',
  // nnU-Net v1 replaces an existing task.
  fixed: { overwrite: true },
  notes: [
    'An existing task is converted again. v1 also deletes files that the new task does not have.',
    'Hidden files of the source are ignored; v1 deletes them.',
  ],
  args: [
    { names: ['-i'], values: 1, required: true, meaning: 'folder TaskXX_NAME', here: { option: 'source' } },
    {
      names: ['-p'],
      values: 1,
      type: 'int',
      meaning: 'processes (default: nnUNet_def_n_proc, else 8)',
      here: { used: 'workers; the default is nnUNet_def_n_proc, else all cores' },
    },
    {
      names: ['-output_task_id'],
      values: 1,
      type: 'int',
      meaning: 'number of the new task (default: that of the folder)',
      here: { used: 'task, with the name of the folder' },
    },
  ],
  steps: convertSteps,
});

function convertSteps(options: Options<'convert'>, given: Values): Step[] {
  const workers = Number(given.get('-p') ?? processesOf('nnUNet_def_n_proc'));
  const id = given.get('-output_task_id');
  const name = /^[^_]*_(.+)$/.exec(basename(options.source ?? ''))?.[1];
  const task =
    id === undefined || name === undefined ? {} : { task: `Task${String(id).padStart(3, '0')}_${name}` };
  return [{ verb: 'convert', options: { ...options, ...task, ...(workers > 0 ? { workers } : {}) } }];
}

/** DIAG's command; it also has the options of the verb `weightmaps`. */
export const weightmapsShim = shim<'weightmaps'>({
  name: 'nnUNet_diag_generate_unet_weightmaps',
  summary: 'generate U-Net border weightmaps beside preprocessed cases',
  verb: 'weightmaps',
  notes: ['--compat reproduces the numbers of DIAG’s command, including its errors.'],
  args: [
    { names: ['input_dir'], values: 1, meaning: 'folder of preprocessed cases', here: { option: 'folder' } },
    {
      names: ['--output-dir'],
      values: 1,
      meaning: 'folder for the weightmaps (default: the folder of the cases)',
      here: { option: 'outputDir' },
    },
    {
      names: ['--matching-pattern'],
      values: 1,
      meaning: 'pattern of the case files (default: *.npz)',
      here: { option: 'matchingPattern' },
    },
    {
      names: ['--sigma'],
      values: 1,
      type: 'float',
      meaning: 'width of the border term (default: 5)',
      here: { option: 'sigma' },
    },
    {
      names: ['--w0'],
      values: 1,
      type: 'float',
      meaning: 'height of the border term (default: 10)',
      here: { option: 'w0' },
    },
    {
      names: ['-c', '--classes'],
      values: '*',
      type: 'int',
      meaning: 'labels of objects (default: those of dataset.json)',
      here: {
        option: 'classes',
        // DIAG's command also reads dataset.json if no class differs from 0.
        value: (given) => ((given as readonly number[]).some((label) => label !== 0) ? given : undefined),
      },
    },
    ...own({ names: ['-o'], values: 1, option: 'outputDir', meaning: 'the same as --output-dir' }),
    ...own({ names: ['--compat'], values: 0, option: 'compat', meaning: 'the numbers of DIAG’s command' }),
    ...own({ names: ['--dtype'], values: 1, option: 'dtype', meaning: 'float16, float32 or float64' }),
    ...own({ names: ['--mode'], values: 1, option: 'mode', meaning: 'border, instances or 2d' }),
    ...own({ names: ['--frequencies'], values: 1, option: 'frequencies', meaning: 'case or dataset' }),
    ...own({ names: ['--spacing'], values: 0, option: 'spacing', meaning: 'distances in millimetres' }),
    ...own({ names: ['--skip-existing'], values: 0, option: 'skipExisting', meaning: 'keeps weightmaps' }),
    ...own({ names: ['--overwrite'], values: 0, option: 'overwrite', meaning: 'replaces weightmaps' }),
    ...own({ names: ['--shard'], values: 1, option: 'shard', meaning: 'a part of the cases, such as 1/4' }),
    ...own({ names: ['--workers'], values: 1, type: 'int', option: 'workers', meaning: 'threads' }),
    ...(['json', 'quiet', 'verbose'] as const).map((output) => ({
      names: [`--${output}`],
      values: 0 as const,
      own: true,
      meaning: `as ${output} of nnunet-diag weightmaps`,
      here: { output },
    })),
  ],
});

/** An argument that DIAG's command does not have. */
function own(argument: {
  names: readonly string[];
  values: 0 | 1;
  type?: 'int';
  option: keyof Options<'weightmaps'> & string;
  meaning: string;
}) {
  const { option, ...rest } = argument;
  return [{ ...rest, own: true, here: { option } }];
}
