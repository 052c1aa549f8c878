// Made from the Rust types by `npm run build` (crates/schema). Do not edit.
import type { CheckpointKind } from './summaries.js';

/** Work begins. */
export interface StartedEvent {
  readonly type: 'started';
  /** The verb, as on the command line. */
  readonly verb: string;
  /** What was decided before the start (device, precision, memory), as JSON. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** `done` of `total` units are finished. */
export interface ProgressEvent {
  readonly type: 'progress';
  /** Units finished. */
  readonly done: number;
  /** Units in all. */
  readonly total: number;
  /** What a unit is: `cases`, `tiles`, `iterations`. */
  readonly unit: string;
  /** The case concerned, where there is one. */
  readonly case: string | null;
}

/** A training iteration finished. */
export interface IterationEvent {
  readonly type: 'iteration';
  /** Epoch, counted from 0. */
  readonly epoch: number;
  /** Epochs in the whole schedule. */
  readonly epochs: number;
  /** Iteration in the epoch, counted from 0. */
  readonly iteration: number;
  /** Training iterations in an epoch. */
  readonly iterations: number;
  /** Loss of this iteration. */
  readonly loss: number;
  /** Estimated wall time left in seconds for the whole run. */
  readonly secondsLeft: number;
}

/** A training epoch finished. */
export interface EpochEvent {
  readonly type: 'epoch';
  /** Epoch just finished, counted from 0. */
  readonly epoch: number;
  /** Epochs in the whole schedule. */
  readonly epochs: number;
  /** Mean training loss. */
  readonly trainLoss: number;
  /** Mean validation loss; null where no validation batch had an annotated voxel. */
  readonly validationLoss: number | null;
  /** Online Dice of each foreground class on validation patches; null where the class never occurred. */
  readonly dice: readonly (number | null)[];
  /** Whether the moving average of the metric is the best so far: `model_best` is written. */
  readonly best: boolean;
  /** Learning rate used. */
  readonly learningRate: number;
  /** Wall time of this epoch in seconds. */
  readonly seconds: number;
  /** Estimated wall time left in seconds. */
  readonly secondsLeft: number;
}

/** A checkpoint was written, whole. */
export interface CheckpointEvent {
  readonly type: 'checkpoint';
  /** The `.model` file. */
  readonly path: string;
  /** Which one. */
  readonly kind: CheckpointKind;
}

/** Memory that a part of the verb will hold at most, known before it starts. */
export interface MemoryEvent {
  readonly type: 'memory';
  /** The part: `loader`. */
  readonly part: string;
  /** Bytes at most. */
  readonly bytes: number;
  /** What they are for, in bytes, as JSON. */
  readonly parts: Readonly<Record<string, unknown>>;
}

/** Something the user should know that does not stop the verb. */
export interface WarningEvent {
  readonly type: 'warning';
  /** Stable identifier such as `WARN_SINGLE_CASE`. */
  readonly code: string;
  /** What was found, and what to do. */
  readonly message: string;
  /** The case concerned, where there is one. */
  readonly case: string | null;
}

/** Every event of every verb, told apart by `type`. */
export type VerbEvent = StartedEvent | ProgressEvent | IterationEvent | EpochEvent | CheckpointEvent | MemoryEvent | WarningEvent;

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
export type TrainEvent = StartedEvent | MemoryEvent | ProgressEvent | IterationEvent | EpochEvent | CheckpointEvent | WarningEvent;

/** Events of the verb `predict`. */
export type PredictEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `evaluate`. */
export type EvaluateEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `convert`. */
export type ConvertEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Events of the verb `inspect`. */
export type InspectEvent = StartedEvent | ProgressEvent | WarningEvent;
