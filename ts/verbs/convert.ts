import { z } from 'zod';
import type { CaseFailure } from '../events.js';
import type { Run } from '../run.js';
import { common, field, folders, foldersOf, type OptionsOf, parseOptions, verb } from '../schema.js';
import { runCore } from './native.js';

export const convertSpec = verb({
  name: 'convert',
  summary: 'make a raw task of an nnU-Net v2 data set or a Medical Decathlon task',
  positional: ['source'],
  options: z.object({
    source: field(z.string().min(1), 'folder Dataset###_NAME (nnU-Net v2) or Task##_NAME (Decathlon)'),
    task: field(z.string().min(1).optional(), 'name of the new task, TaskXXX_NAME (default: as the source)'),
    output: field(z.string().min(1).optional(), 'folder to put the task in (default: nnUNet_raw_data)', 'o'),
    overwrite: field(z.boolean().default(false), 'convert into a task that is there already'),
    ...folders,
    ...common,
  }),
  examples: ['convert Dataset027_ACDC', 'convert Task04_Hippocampus --task Task504_Hippocampus'],
});

export type ConvertOptions = OptionsOf<typeof convertSpec>;

export interface ConvertSummary {
  /** What the source was. */
  readonly convention: string;
  /** The new task. */
  readonly task: string;
  readonly folder: string;
  /** Training cases converted. */
  readonly training: number;
  /** Test cases converted. */
  readonly test: number;
  /** Label of the source that became -1, unlabelled. */
  readonly ignoreLabel: number | null;
  readonly failures: readonly CaseFailure[];
}

/** Converts a data set of nnU-Net v2 (its `ignore` label becomes -1) or of the Medical Decathlon to a raw task. */
export function convertDataset(options: ConvertOptions): Run<ConvertSummary> {
  const { workers, rawDataBase, preprocessed, results, ...rest } = parseOptions(convertSpec, options);
  const native = { ...rest, folders: foldersOf({ rawDataBase, preprocessed, results }) };
  return runCore('convert', native, workers, options.signal);
}
