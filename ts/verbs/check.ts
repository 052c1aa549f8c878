import { z } from 'zod';
import type { Run } from '../run.js';
import { common, field, folders, foldersOf, type OptionsOf, parseOptions, verb } from '../schema.js';
import { runCore } from './native.js';

export const checkSpec = verb({
  name: 'check',
  summary: 'check a raw task: geometry, labels, missing files; all problems at once',
  positional: ['task'],
  options: z.object({
    task: field(z.string().min(1), 'task number, TaskXXX_NAME, or its folder'),
    tolerance: field(z.number().min(0).default(1e-3), 'largest difference of spacing, origin and direction'),
    fix: field(
      z.boolean().default(false),
      'copy the first channel’s geometry into files that differ harmlessly',
    ),
    fixDisplaced: field(z.boolean().default(false), 'with --fix: also where files lie at different places'),
    keepOriginals: field(
      z.boolean().default(true),
      'with --fix: do not keep <name>.orig beside a mended file',
    ),
    ...folders,
    ...common,
  }),
  examples: ['check 501', 'check 501 --tolerance 1e-4 --fix', 'check ./Task501_IcbmTissue --json'],
});

export type CheckOptions = OptionsOf<typeof checkSpec>;

/** One problem of a task. */
export interface CheckProblem {
  /** `geometry`, `size`, `channelMissing`, `unlistedLabel`, … */
  readonly kind: string;
  /** The case, or `null` where the whole task is meant. */
  readonly case: string | null;
  readonly file: string | null;
  /** What was found, what was expected, what to do. */
  readonly message: string;
  readonly details: unknown;
  /** Whether `fix` mended it in this run. */
  readonly fixed: boolean;
}

/** What a case holds. */
export interface CheckedCase {
  readonly case: string;
  /** `(z, y, x)` of its first channel; `null` where that cannot be read. */
  readonly size: readonly [number, number, number] | null;
  /** Millimetres `(z, y, x)`. */
  readonly spacing: readonly [number, number, number] | null;
  /** Voxels of each label value; empty for a case without a label. */
  readonly labelVoxels: Readonly<Record<string, number>>;
  /** Voxels left unlabelled (-1). */
  readonly unlabelledVoxels: number;
}

export interface CheckSummary {
  readonly task: string;
  readonly folder: string;
  readonly channels: number;
  readonly cases: readonly CheckedCase[];
  readonly problems: readonly CheckProblem[];
  /** Problems mended. */
  readonly fixed: number;
  /** Whether no problem is left. */
  readonly ok: boolean;
}

/**
 * Checks a raw task in `nnUNet_raw_data`: every case's channels and label agree in size, spacing, origin and
 * direction; labels are listed ones (or -1, unlabelled); no NaN or infinity; no missing channel; no label without
 * image. Source: nnU-Net's `verify_dataset_integrity`, which stops at the first problem.
 */
export function checkDataset(options: CheckOptions): Run<CheckSummary> {
  const { workers, rawDataBase, preprocessed, results, ...rest } = parseOptions(checkSpec, options);
  const native = { ...rest, folders: foldersOf({ rawDataBase, preprocessed, results }) };
  return runCore('check', native, workers, options.signal);
}
