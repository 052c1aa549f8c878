// Made from the Rust types by `npm run build` (crates/schema). Do not edit.
import type { CaseFailure, CheckpointKind, ValidatedCase } from './summaries.js';

/** The verb starts. */
export interface StartedEvent {
  readonly type: 'started';
  /** Name of the verb, as on the command line. */
  readonly verb: string;
  /** Decisions made before the start (device, precision, memory), as JSON. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** `done` of `total` units are finished. */
export interface ProgressEvent {
  readonly type: 'progress';
  /** Finished units. */
  readonly done: number;
  /** Total units. */
  readonly total: number;
  /** Name of the unit: `cases`, `tiles`, `iterations`. */
  readonly unit: string;
  /** The case, if the event concerns one. */
  readonly case: string | null;
}

/** A training iteration finished. */
export interface IterationEvent {
  readonly type: 'iteration';
  /** Epoch, counted from 0. */
  readonly epoch: number;
  /** Total epochs of the schedule. */
  readonly epochs: number;
  /** Iteration in the epoch, counted from 0. */
  readonly iteration: number;
  /** Training iterations per epoch. */
  readonly iterations: number;
  /** Loss of this iteration. */
  readonly loss: number;
  /** Estimated remaining time of the whole run in seconds. */
  readonly secondsLeft: number;
}

/** A training epoch finished. */
export interface EpochEvent {
  readonly type: 'epoch';
  /** The finished epoch, counted from 0. */
  readonly epoch: number;
  /** Total epochs of the schedule. */
  readonly epochs: number;
  /** Mean training loss; null if no training batch had an annotated voxel. */
  readonly trainLoss: number | null;
  /** Mean validation loss; null if no validation batch had an annotated voxel. */
  readonly validationLoss: number | null;
  /** Online Dice of each foreground class on validation patches; null if the class did not occur. */
  readonly dice: readonly (number | null)[];
  /** Whether the moving average of the metric is the best so far. If so, `model_best` is written. */
  readonly best: boolean;
  /** Learning rate of this epoch. */
  readonly learningRate: number;
  /** Wall time of this epoch in seconds. */
  readonly seconds: number;
  /** Estimated remaining time in seconds. */
  readonly secondsLeft: number;
  /** Share of the epoch's time that was spent waiting for batches of the loaders, from 0 to 1. */
  readonly waitShare: number;
  /** Training iterations in a second, without validation. */
  readonly iterationsPerSecond: number;
  /**
   * Mean norm of the gradients before clipping, over the iterations where it is finite; null without
   * any.
   */
  readonly gradientNorm: number | null;
  /** Memory of this process at the end of the epoch in bytes; null if the system does not report it. */
  readonly hostMemory: number | null;
  /** Largest memory that libtorch has taken on the device since the start, in bytes; null on CPU. */
  readonly deviceMemory: number | null;
}

/** The fold's validation cases were segmented and evaluated. */
export interface ValidationEvent {
  readonly type: 'validation';
  /** Folder of the segmentations and of `summary.json`: `validation_raw`. */
  readonly folder: string;
  /** Mean Dice of each foreground class over the cases; null if it occurs in none. */
  readonly dice: readonly (number | null)[];
  /** The cases, in order. */
  readonly cases: readonly ValidatedCase[];
  /**
   * Labels that keep only their largest component, in order; null if that was not determined. A list of
   * several
   * labels is their union. `postprocessing.json` holds the same.
   */
  readonly postprocessing: readonly (readonly number[])[] | null;
  /** Mean Dice of each foreground class after postprocessing; null if it was not determined. */
  readonly postprocessedDice: readonly (number | null)[] | null;
  /** Cases that failed while the others continued. */
  readonly failures: readonly CaseFailure[];
}

/** A checkpoint was completely written. */
export interface CheckpointEvent {
  readonly type: 'checkpoint';
  /** The `.model` file. */
  readonly path: string;
  /** Its kind. */
  readonly kind: CheckpointKind;
}

/** Upper bound of the memory of one part of the verb, known before it starts. */
export interface MemoryEvent {
  readonly type: 'memory';
  /** Name of the part: `loader`, or `prediction` of a case. */
  readonly part: string;
  /** The case, if the event concerns one. */
  readonly case: string | null;
  /** How a softmax is computed: `whole`, or in `slabs` of planes; null for other parts. */
  readonly strategy: string | null;
  /** Upper bound in bytes. */
  readonly bytes: number;
  /** Composition of the bound in bytes, as JSON. */
  readonly parts: Readonly<Record<string, unknown>>;
}

/** A problem that does not stop the verb. */
export interface WarningEvent {
  readonly type: 'warning';
  /** Stable identifier such as `WARN_SINGLE_CASE`. */
  readonly code: string;
  /** The problem and the remedy. */
  readonly message: string;
  /** The case, if the event concerns one. */
  readonly case: string | null;
}

/** Every event of every verb, distinguished by `type`. */
export type VerbEvent = StartedEvent | ProgressEvent | IterationEvent | EpochEvent | ValidationEvent | CheckpointEvent | MemoryEvent | WarningEvent;

/** Events of the verb `check`. */
export type CheckEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `plan`. */
export type PlanEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `preprocess`. */
export type PreprocessEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `splits`. */
export type SplitsEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `weightmaps`. */
export type WeightmapsEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `previewBatches`. */
export type PreviewBatchesEvent = StartedEvent | MemoryEvent | ProgressEvent | WarningEvent;

/** Events of the verb `preview`. */
export type PreviewEvent = StartedEvent | MemoryEvent | ProgressEvent | WarningEvent;

/** Events of the verb `train`. */
export type TrainEvent = StartedEvent | MemoryEvent | ProgressEvent | IterationEvent | EpochEvent | ValidationEvent | CheckpointEvent | WarningEvent;

/** Events of the verb `predict`. */
export type PredictEvent = StartedEvent | MemoryEvent | ProgressEvent | WarningEvent;

/** Events of the verb `loadModel`. */
export type LoadModelEvent = MemoryEvent | ProgressEvent | WarningEvent;

/** Events of the verb `estimateMemory`. */
export type EstimateMemoryEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `evaluate`. */
export type EvaluateEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `compare`. */
export type CompareEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `report`. */
export type ReportEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `ensemble`. */
export type EnsembleEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `determinePostprocessing`. */
export type DeterminePostprocessingEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `applyPostprocessing`. */
export type ApplyPostprocessingEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `consolidateFolds`. */
export type ConsolidateFoldsEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `findBestConfiguration`. */
export type FindBestConfigurationEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `exportModel`. */
export type ExportModelEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `installModel`. */
export type InstallModelEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `convert`. */
export type ConvertEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `simulateSparse`. */
export type SimulateSparseEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `copyFile`. */
export type CopyFileEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `copyTree`. */
export type CopyTreeEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `inspect`. */
export type InspectEvent = StartedEvent | ProgressEvent | WarningEvent;
