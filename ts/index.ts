/**
 * nnU-Net v1 with DIAG's additions: plan, preprocess, train, predict, evaluate.
 *
 * Every verb returns a {@link Run}: iterate it for events, await `.result` for the summary. Arrays are C-ordered
 * `(channel, z, y, x)`. Spacing is `(z, y, x)` in millimetres. -1 in a label means unlabelled.
 *
 * @packageDocumentation
 */
export type { Abortable } from './abortable.js';
export type { FloatArray, PreviewBatch } from './batch.js';
export {
  type CommonOptions,
  type Config,
  defineConfig,
  type LoadedConfig,
  loadConfig,
  type VerbDefaults,
} from './config.js';
export { type DistanceTransformOptions, distanceTransform, type Mask } from './distance.js';
export {
  type DoctorCheck,
  type DoctorOptions,
  type DoctorReport,
  doctor,
  type FolderReport,
} from './doctor.js';
export { type ErrorDetails, NnunetError } from './errors.js';
export { ERROR_CODES, type ErrorCode } from './generated/codes.js';
export type * from './generated/events.js';
export type * from './generated/options.js';
export type * from './generated/summaries.js';
export type { VerbName, Verbs } from './generated/verbs.js';
export { findLibtorch, type Libtorch, type LibtorchPlace, type LibtorchSource } from './libtorch/find.js';
export {
  installLibtorch,
  type LibtorchInstallOptions,
  type LibtorchInstallResult,
} from './libtorch/install.js';
export type { LibtorchInstallEvent } from './libtorch/report.js';
export { type LibtorchStatus, libtorchStatus } from './libtorch/status.js';
export {
  loadModel,
  Model,
  type ModelFileResult,
  type ModelImage,
  type ModelPrediction,
  type ModelPredictOptions,
  type ModelWarning,
} from './model.js';
export { drawCurves } from './pictures/curves.js';
export type { Plane } from './pictures/orientation.js';
export { drawOverlay, type OverlayOptions, type Panel, type SliceChoice } from './pictures/overlay.js';
export { toPng } from './pictures/png.js';
export { type ContactSheetOptions, drawContactSheet } from './pictures/sheet.js';
export { Run } from './run.js';
export {
  cancelJobs,
  type JobsReport,
  type JobTask,
  listJobs,
  resubmitJobs,
  type TaskState,
} from './slurm/jobs.js';
export type { SubmittableVerb } from './slurm/jobs-of.js';
export type { SubmittedJob } from './slurm/store.js';
export { type JobScript, type SubmitResult, submit } from './slurm/submit.js';
export { checkDataset } from './verbs/check.js';
export { convertDataset } from './verbs/convert.js';
export { copyFile, copyTree } from './verbs/copy.js';
export { ensemble, findBestConfiguration } from './verbs/ensemble.js';
export { compare, evaluate } from './verbs/evaluate.js';
export { inspect } from './verbs/inspect.js';
export { estimateMemory } from './verbs/memory.js';
export {
  applyPostprocessing,
  consolidateFolds,
  determinePostprocessing,
} from './verbs/postprocessing.js';
export { predict } from './verbs/predict.js';
export { planAndPreprocess, planExperiment } from './verbs/preprocess.js';
export { preview, previewBatches } from './verbs/preview.js';
export { report } from './verbs/report.js';
export { simulateSparse } from './verbs/simulate.js';
export { makeSplits } from './verbs/splits.js';
export type { RunOf } from './verbs/start.js';
export { train } from './verbs/train.js';
export { generateWeightmaps } from './verbs/weightmaps.js';
export { exportModel, installModel } from './verbs/zips.js';
export { readVolume, type Volume } from './volume.js';
export { type Watch, type WatchEvent, type WatchHandlers, watch } from './watch.js';
