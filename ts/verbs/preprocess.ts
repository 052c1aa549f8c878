import { z } from 'zod';
import { NnunetError } from '../errors.js';
import type { CaseFailure } from '../events.js';
import type { Run } from '../run.js';
import { common, field, folders, foldersOf, type OptionsOf, parseOptions, verb } from '../schema.js';
import { runCore } from './native.js';

const configuration = z.enum(['2d', '3d_fullres', '3d_lowres', '3d_cascade_fullres']);

const task = field(z.string().min(1), 'task number, TaskXXX_NAME, or its folder');

const overrides = {
  patchSize: field(
    z.array(z.int().positive()).min(2).max(3).optional(),
    'patch size instead of the planned one, voxels, coarsest axis first; needs one configuration',
  ),
  configurations: field(
    z.array(configuration).min(1).optional(),
    'configurations to plan and preprocess (default: all that nnU-Net plans)',
    'c',
  ),
  batchSize: field(z.int().positive().optional(), 'batch size instead of the planned one'),
  spacing: field(
    z.array(z.number().positive()).length(3).optional(),
    'target spacing instead of the planned one, millimetres z y x',
  ),
};

const rules = {
  pooling: field(
    z.enum(['bySpacing', 'late']).default('bySpacing'),
    'poolings of the 3D network: bySpacing, finest axes first, as nnU-Net’s default planner; late, axes with fewer poolings later, as its first planner',
  ),
  maskLowercaseCt: field(
    z.boolean().default(false),
    'let a modality called ct, unlike CT, take part in mask normalisation, as nnU-Net v1 does by mistake',
  ),
};

const execution = {
  memoryBudget: field(
    z.number().positive().optional(),
    'memory for cases in flight, GiB (default: most of what is available)',
  ),
  overwrite: field(z.boolean().default(false), 'do finished cases again'),
  keepCropped: field(z.boolean().default(true), 'do not write nnUNet_cropped_data, which nothing here needs'),
  unlabelled: field(
    z.enum(['distinct', 'merged']).default('distinct'),
    'distinct: -1 in a label is unlabelled and nothing else is; merged: also masked background, as in DIAG’s fork',
  ),
};

export const planSpec = verb({
  name: 'plan',
  summary: 'crop, take the fingerprint, and plan spacing, patch and network',
  positional: ['task'],
  options: z.object({ task, ...overrides, ...rules, ...execution, ...folders, ...common }),
  examples: ['plan 501', 'plan 501 -c 3d_fullres --patch-size 40 56 40 --batch-size 2'],
});

export const preprocessSpec = verb({
  name: 'preprocess',
  summary: 'crop, plan, then resample and normalise every case',
  positional: ['task'],
  options: z.object({ task, ...overrides, ...rules, ...execution, ...folders, ...common }),
  examples: ['preprocess 501', 'preprocess 501 -c 3d_fullres --workers 4 --memory-budget 8'],
});

export type PlanOptions = OptionsOf<typeof planSpec>;
export type PreprocessOptions = OptionsOf<typeof preprocessSpec>;
export type Configuration = z.infer<typeof configuration>;

/** One configuration as planned. */
export interface PlannedConfiguration {
  readonly configuration: Configuration;
  readonly stage: number;
  /** Voxels, after the transpose. */
  readonly patchSize: readonly number[];
  readonly batchSize: number;
  /** Millimetres, after the transpose. */
  readonly spacing: readonly [number, number, number];
  readonly medianShape: readonly [number, number, number];
  /** Feature map values of one forward pass, which memory grows with. */
  readonly vramEstimate: number;
  /** What the planner lets the estimate be. */
  readonly vramReference: number;
}

export interface PlanSummary {
  readonly task: string;
  /** Training cases. */
  readonly cases: number;
  /** `dataset_properties.pkl`. */
  readonly fingerprint: string;
  /** The plans files written. */
  readonly plans: readonly string[];
  readonly configurations: readonly PlannedConfiguration[];
}

export interface PreprocessSummary {
  readonly plan: PlanSummary;
  readonly preprocess: {
    readonly task: string;
    /** Folders with the preprocessed cases, one a stage. */
    readonly folders: readonly string[];
    /** Cases written in this run. */
    readonly written: number;
    /** Cases that stood finished already. */
    readonly skipped: number;
    readonly failures: readonly CaseFailure[];
  };
}

const GIB = 2 ** 30;

/** The options as the addon takes them. */
function toNative(spec: typeof planSpec | typeof preprocessSpec, options: PlanOptions): [object, number] {
  const parsed = parseOptions(spec, options);
  const { workers, rawDataBase, preprocessed, results, patchSize, batchSize, spacing, ...rest } = parsed;
  const { configurations = [], memoryBudget, pooling, maskLowercaseCt, ...others } = rest;
  const override = { patchSize, batchSize, spacing };
  const overridden = Object.values(override).some((value) => value !== undefined);
  if (overridden && configurations.length === 0) {
    throw new NnunetError(
      'ERR_OPTIONS',
      `${spec.name}: patchSize, batchSize and spacing need the configurations they are meant for (-c)`,
    );
  }
  const overrides = overridden ? Object.fromEntries(configurations.map((c) => [c, override])) : {};
  const folders = foldersOf({ rawDataBase, preprocessed, results });
  const bytes = memoryBudget === undefined ? undefined : Math.round(memoryBudget * GIB);
  const rules = { pooling, maskLowercaseCt };
  return [{ ...others, configurations, rules, folders, overrides, memoryBudget: bytes }, workers];
}

/**
 * Crops every case to its non-zero region, takes the data set's fingerprint and plans the experiment.
 * Source: `ImageCropper`, `DatasetAnalyzer`, `ExperimentPlanner3D_v21` and `ExperimentPlanner2D_v21`.
 */
export function planExperiment(options: PlanOptions): Run<PlanSummary> {
  const [settings, workers] = toNative(planSpec, options);
  return runCore('plan', settings, workers, options.signal);
}

/**
 * Plans and preprocesses every case into nnU-Net v1's folders. Finished cases are skipped, so an interrupted run goes
 * on where it stopped. Its `progress` counts `cases cropped`, then `cases preprocessed`.
 * Source: `nnUNet_plan_and_preprocess`.
 */
export function planAndPreprocess(options: PreprocessOptions): Run<PreprocessSummary> {
  const [settings, workers] = toNative(preprocessSpec, options);
  return runCore('preprocess', settings, workers, options.signal);
}
