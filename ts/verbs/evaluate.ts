import { z } from 'zod';
import type { CaseFailure } from '../events.js';
import type { Run } from '../run.js';
import { common, field, type OptionsOf, parseOptions, verb } from '../schema.js';
import { runCore } from './native.js';

export const evaluateSpec = verb({
  name: 'evaluate',
  summary: 'compare predictions with references and write summary.json',
  positional: ['referenceDir', 'predictionDir'],
  options: z.object({
    referenceDir: field(z.string().min(1), 'folder of reference segmentations'),
    predictionDir: field(
      z.string().min(1),
      'folder of predicted segmentations; summary.json is written here',
    ),
    labels: field(z.array(z.int()).min(1).optional(), 'labels to evaluate (default: all that occur)', 'l'),
    ignoreLabel: field(z.int().optional(), 'leave out voxels that have this label in the reference'),
    hausdorff: field(z.boolean().default(false), 'also measure "Hausdorff Distance 95" in millimetres'),
    output: field(
      z.string().min(1).optional(),
      'where to write (default: summary.json beside the predictions)',
      'o',
    ),
    bareNan: field(
      z.boolean().default(false),
      'write undefined metrics as NaN, as nnU-Net v1 does, not as null',
    ),
    tolerance: field(z.number().min(0).default(1e-3), 'largest difference of spacing, origin and direction'),
    predictedOnly: field(z.boolean().default(false), 'pass over references without a prediction'),
    ...common,
  }),
  examples: [
    'evaluate labelsTs predictions -l 1 2 3',
    'evaluate labelsTs predictions -l 1 --ignore-label -1',
  ],
});

export type EvaluateOptions = OptionsOf<typeof evaluateSpec>;

/** The metrics of one label under nnU-Net's names (`Dice`, `Precision`, …); `null` where one is not defined. */
export type LabelMetrics = Readonly<Record<string, number | null>>;

/** One case: its metrics by label, and the two files compared. */
export type CaseMetrics = Readonly<Record<string, LabelMetrics>> & {
  readonly reference: string;
  readonly test: string;
};

export interface EvaluateSummary {
  /** The summary.json written. */
  readonly output: string;
  readonly results: {
    readonly all: readonly CaseMetrics[];
    /** Mean of each metric over the cases where it is defined, by label. */
    readonly mean: Readonly<Record<string, LabelMetrics>>;
  };
  /** Cases that could not be evaluated. */
  readonly failures: readonly CaseFailure[];
}

/**
 * Compares every segmentation in `predictionDir` with the file of its name in `referenceDir`.
 * Source: `nnunet.evaluation.evaluator.evaluate_folder`.
 */
export function evaluate(options: EvaluateOptions): Run<EvaluateSummary> {
  const { workers, referenceDir, predictionDir, ...rest } = parseOptions(evaluateSpec, options);
  const native = { ...rest, reference: referenceDir, prediction: predictionDir };
  return runCore('evaluate', native, workers, options.signal);
}
