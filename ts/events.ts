/** What a verb decided before it began: device, precision, memory, cases. */
export interface StartedEvent {
  readonly type: 'started';
  readonly verb: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** `done` of `total` units are finished. Steps may be skipped while the event loop is busy. */
export interface ProgressEvent {
  readonly type: 'progress';
  readonly done: number;
  readonly total: number;
  /** What a unit is: `cases`, `tiles`, …; a verb of several parts has one for each. */
  readonly unit: string;
  readonly case: string | null;
}

/** A training iteration finished. Steps may be skipped while the event loop is busy. */
export interface IterationEvent {
  readonly type: 'iteration';
  readonly epoch: number;
  readonly iteration: number;
  readonly iterations: number;
  readonly loss: number;
  /** Estimated seconds until the whole run ends. */
  readonly secondsLeft: number;
}

/** A training epoch finished. */
export interface EpochEvent {
  readonly type: 'epoch';
  /** Counted from 0. */
  readonly epoch: number;
  readonly epochs: number;
  readonly trainLoss: number;
  /** `null` where no validation patch had an annotated voxel. */
  readonly validationLoss: number | null;
  /** Online Dice of each foreground class on validation patches; `null` where the class never occurred. */
  readonly dice: readonly (number | null)[];
  readonly learningRate: number;
  readonly seconds: number;
  readonly secondsLeft: number;
}

/** A checkpoint was written, whole. */
export interface CheckpointEvent {
  readonly type: 'checkpoint';
  readonly path: string;
  readonly kind: 'latest' | 'best' | 'final';
}

/** Memory that a part of the verb will hold at most, known before it starts. */
export interface MemoryEvent {
  readonly type: 'memory';
  /** `loader`: patches in the making and batches that wait, beside the network itself. */
  readonly part: string;
  readonly bytes: number;
  /** What the bytes are for. */
  readonly parts: Readonly<Record<string, unknown>>;
}

/** Something to know that does not stop the verb. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly code: string;
  readonly message: string;
  readonly case: string | null;
}

/** Every event a verb can report, told apart by `type`. */
export type VerbEvent =
  | StartedEvent
  | ProgressEvent
  | IterationEvent
  | EpochEvent
  | CheckpointEvent
  | MemoryEvent
  | WarningEvent;

/** The events of {@link train}. */
export type TrainEvent = VerbEvent;

/** One case of a verb over many cases that failed while the others went on. */
export interface CaseFailure {
  readonly case: string;
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>> | null;
}
