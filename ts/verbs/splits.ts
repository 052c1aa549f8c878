import { z } from 'zod';
import { NnunetError } from '../errors.js';
import type { Run } from '../run.js';
import { common, field, folders, foldersOf, type OptionsOf, parseOptions, verb } from '../schema.js';
import { runCore } from './native.js';

export const splitsSpec = verb({
  name: 'splits',
  summary: 'write the folds of a task: nnU-Net’s five, by patient, or your own',
  positional: ['task'],
  options: z.object({
    task: field(z.string().min(1), 'task number, TaskXXX_NAME, or its folder'),
    groupPattern: field(
      z.string().min(1).optional(),
      'keep patients together: a regular expression whose first group is the patient in a case’s name',
    ),
    groups: field(
      z.string().min(1).optional(),
      'keep patients together: a JSON object of case to patient, or CSV lines case,patient',
    ),
    from: field(
      z.string().min(1).optional(),
      'take the folds of this file: splits_final.pkl, or JSON [{"train":[…],"val":[…]},…]',
    ),
    overwrite: field(
      z.boolean().default(false),
      'replace splits that are there, keeping them as splits_final.old<n>.pkl',
    ),
    ...folders,
    ...common,
  }),
  examples: [
    'splits 501',
    "splits 501 --group-pattern '^(patient\\d+)_'",
    'splits 501 --groups patients.csv --overwrite',
    'splits 501 --from splits_final.json',
  ],
});

export type SplitsOptions = OptionsOf<typeof splitsSpec>;

/** One fold. */
export interface Split {
  /** Cases to train on. */
  readonly train: readonly string[];
  /** Cases to validate on. */
  readonly val: readonly string[];
}

export interface SplitsSummary {
  readonly task: string;
  /** `splits_final.pkl` in the task’s preprocessed folder. */
  readonly file: string;
  /** The copy of the splits that were there before. */
  readonly backup: string | null;
  /** Whether the cases are the preprocessed ones or, before preprocessing, those that `dataset.json` lists. */
  readonly origin: 'preprocessed' | 'datasetJson';
  readonly cases: number;
  /** Patients, where cases were grouped. */
  readonly groups: number | null;
  readonly folds: readonly Split[];
}

/** At most one of these is given; none means nnU-Net's own folds. */
const RULES = ['groupPattern', 'groups', 'from'] as const;

/**
 * Writes `splits_final.pkl`, from which `train` takes its folds, into the task's preprocessed folder.
 *
 * The cases are the preprocessed ones; before preprocessing, those of `dataset.json`. By default they are parted as
 * nnU-Net v1 does it: scikit-learn's `KFold(5, shuffle=True, random_state=12345)` over the sorted cases. With
 * `groupPattern` or `groups` the same is done to the sorted patients.
 *
 * @throws (through `result`) NnunetError `ERR_SPLITS_EXIST` unless `overwrite`; `ERR_TOO_FEW_CASES` below five cases
 * or patients; `ERR_SPLITS` naming the cases that a file lacks, invents, or both trains and validates on
 */
export function makeSplits(options: SplitsOptions): Run<SplitsSummary> {
  const parsed = parseOptions(splitsSpec, options);
  const { workers, rawDataBase, preprocessed, results, task, overwrite } = parsed;
  const given = RULES.filter((name) => parsed[name] !== undefined);
  if (given.length > 1) {
    throw new NnunetError(
      'ERR_OPTIONS',
      `splits: expected at most one of ${RULES.join(', ')}, received ${given.join(' and ')}`,
      { verb: 'splits', given },
    );
  }
  const [name] = given;
  const rule = name === undefined ? 'fiveFold' : { [name]: parsed[name] };
  const native = { task, overwrite, rule, folders: foldersOf({ rawDataBase, preprocessed, results }) };
  return runCore('splits', native, workers, options.signal);
}
