/**
 * nnU-Net v1 with DIAG's additions: plan, preprocess, train, predict, evaluate.
 *
 * Long verbs return a {@link Run}: iterate it for events, await `.result` for the outcome. Arrays are C-ordered
 * `(channel, z, y, x)`; spacing is `(z, y, x)` in millimetres; -1 in a label means unlabelled.
 *
 * @packageDocumentation
 */
export { type DistanceTransformOptions, distanceTransform, type Mask } from './distance.js';
export { type DoctorReport, doctor, type FolderReport } from './doctor.js';
export { type ErrorDetails, NnunetError } from './errors.js';
export type {
  CaseFailure,
  CheckpointEvent,
  EpochEvent,
  IterationEvent,
  MemoryEvent,
  ProgressEvent,
  StartedEvent,
  TrainEvent,
  VerbEvent,
  WarningEvent,
} from './events.js';
export { findLibtorch, type Libtorch, type LibtorchPlace, type LibtorchSource } from './libtorch/find.js';
export {
  installLibtorch,
  type LibtorchInstallOptions,
  type LibtorchInstallResult,
} from './libtorch/install.js';
export { type LibtorchStatus, libtorchStatus } from './libtorch/status.js';
export { drawCurves } from './pictures/curves.js';
export { drawOverlay, type Panel } from './pictures/overlay.js';
export { toPng } from './pictures/png.js';
export { drawContactSheet } from './pictures/sheet.js';
export { duration, ProgressView, type Screen } from './progress.js';
export { Run } from './run.js';
export { table } from './table.js';
export {
  type CheckedCase,
  type CheckOptions,
  type CheckProblem,
  type CheckSummary,
  checkDataset,
} from './verbs/check.js';
export { type ConvertOptions, type ConvertSummary, convertDataset } from './verbs/convert.js';
export {
  type CaseMetrics,
  type EvaluateOptions,
  type EvaluateSummary,
  evaluate,
  type LabelMetrics,
} from './verbs/evaluate.js';
export { type InspectOptions, inspect } from './verbs/inspect.js';
export { type PredictOptions, type PredictSummary, predict } from './verbs/predict.js';
export {
  type Configuration,
  type PlannedConfiguration,
  type PlanOptions,
  type PlanSummary,
  type PreprocessOptions,
  type PreprocessSummary,
  planAndPreprocess,
  planExperiment,
} from './verbs/preprocess.js';
export {
  type FloatArray,
  type PreviewBatch,
  type PreviewBatchesOptions,
  type PreviewOptions,
  type PreviewSummary,
  preview,
  previewBatches,
} from './verbs/preview.js';
export { type Recipe, TRAINERS, type Trainer } from './verbs/recipe.js';
export { makeSplits, type Split, type SplitsOptions, type SplitsSummary } from './verbs/splits.js';
export { type TrainOptions, type TrainSummary, train } from './verbs/train.js';
export { generateWeightmaps, type WeightmapsOptions, type WeightmapsSummary } from './verbs/weightmaps.js';
export { readVolume, type Volume } from './volume.js';
