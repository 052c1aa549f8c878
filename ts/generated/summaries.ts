// Made from the Rust types by `npm run build` (crates/schema). Do not edit.
import type { Configuration, Fold, Shard } from './options.js';

/** Result of `apply_postprocessing`. */
export interface ApplyPostprocessingSummary {
  /** Number of written cases; with `shard`, of its part. */
  readonly written: number;
  /** Number of written cases that the postprocessing changed. */
  readonly changed: number;
  /** Labels that keep only their largest component, in order. A list of several labels is their union. */
  readonly postprocessing: readonly (readonly number[])[];
  /** Folder of the results. */
  readonly output: string;
  /** Failed cases, with reasons. */
  readonly failures: readonly CaseFailure[];
}

/** A configuration or an ensemble, with its scores over the whole cross-validation. */
export interface Candidate {
  /** Name of the configuration, or of the folder of the ensemble. */
  readonly name: string;
  /** The configurations: one, or the two of an ensemble. */
  readonly configurations: readonly Configuration[];
  /** Folder of the model or ensemble. */
  readonly folder: string;
  /** Mean Dice of each foreground label over all validation cases; null if it is undefined. */
  readonly dice: Readonly<Record<string, number | null>>;
  /** Mean of `dice`, by which candidates are compared, as in nnU-Net v1; null if it is undefined. */
  readonly meanDice: number | null;
  /** Labels that keep only their largest component, in order; null if that was not determined. */
  readonly postprocessing: readonly (readonly number[])[] | null;
  /** Mean Dice of each foreground label with postprocessing; null if that was not determined. */
  readonly postprocessedDice: Readonly<Record<string, number | null>> | null;
  /** Mean of `postprocessedDice`. */
  readonly postprocessedMeanDice: number | null;
}

/** A failed case of a verb that continues with the other cases. */
export interface CaseFailure {
  /** The case's identifier, or the file name if the case is unknown. */
  readonly case: string;
  /** The error's code. */
  readonly code: string;
  /** The error's message: found, expected, where, what to do. */
  readonly message: string;
  /** The details of the message: file, found, expected. Null if there are none. */
  readonly details: Readonly<Record<string, unknown>> | null;
}

/** Scores of one case. */
export type CaseMetrics = Readonly<Record<string, LabelMetrics>> & {
  /**
   * File of the reference segmentation.
   *
   * @default ""
   */
  readonly reference: string;
  /**
   * File of the prediction.
   *
   * @default ""
   */
  readonly test: string;
};

/**
 * Source of a task's case names.
 * - `preprocessed`: The files of the preprocessed task.
 * - `datasetJson`: The lists of `dataset.json`, because no case is preprocessed.
 */
export type CaseOrigin = 'preprocessed' | 'datasetJson';

/** A problem of a task. */
export interface CheckProblem {
  /** Kind of the problem. */
  readonly kind: ProblemKind;
  /** The affected case, if any. */
  readonly case: string | null;
  /** The affected file, if any. */
  readonly file: string | null;
  /** Description: found value, expected value, and what to do. */
  readonly message: string;
  /** Values in the message. */
  readonly details: unknown;
  /** Whether this run repaired the problem. */
  readonly fixed: boolean;
}

/** Result of `check_dataset`. */
export interface CheckSummary {
  /** Name of the task. */
  readonly task: string;
  /** Folder of the task. */
  readonly folder: string;
  /** Number of channels per case. */
  readonly channels: number;
  /** Reports of the cases, in the order of `dataset.json`, test cases last. */
  readonly cases: readonly CheckedCase[];
  /** All problems: first those of the lists, then those of each case. */
  readonly problems: readonly CheckProblem[];
  /** Number of repaired problems. */
  readonly fixed: number;
  /** Cases that could not be checked or repaired, in the order of `cases`, which does not contain them. */
  readonly failures: readonly CaseFailure[];
  /** Whether no problem remains and no case failed. */
  readonly ok: boolean;
}

/** Report of one case. */
export interface CheckedCase {
  /** Name of the case. */
  readonly case: string;
  /** Size (z, y, x) of the first channel, or null if it cannot be read. */
  readonly size: readonly [number, number, number] | null;
  /** Spacing (z, y, x) in mm of the first channel, or null if it cannot be read. */
  readonly spacing: readonly [number, number, number] | null;
  /** Number of voxels of each label value. Empty for a case without a label. */
  readonly labelVoxels: Readonly<Record<string, number>>;
  /** Number of unlabelled voxels (-1). */
  readonly unlabelledVoxels: number;
}

/**
 * The kind of a checkpoint.
 * - `latest`: `model_latest`: the state to resume from.
 * - `best`: `model_best`: the best moving average of the validation metric.
 * - `final`: `model_final_checkpoint`: the end of the training.
 */
export type CheckpointKind = 'latest' | 'best' | 'final';

/** Result of the comparison. */
export interface CompareSummary {
  /** The written file. */
  readonly output: string;
  /** The written files: JSON, CSV and Markdown. */
  readonly files: readonly string[];
  /** Number of cases compared. */
  readonly cases: number;
  /** The tests by region and metric. */
  readonly tests: readonly PairedTest[];
  /** Cases that could not be compared, with reasons. */
  readonly failures: readonly CaseFailure[];
}

/** Result of `consolidate_folds`. */
export interface ConsolidateFoldsSummary {
  /** The written `postprocessing.json` of the model. */
  readonly output: string;
  /** Folder of all validation cases with their `summary.json`. */
  readonly folder: string;
  /** The folds. */
  readonly folds: readonly Fold[];
  /** Number of validation cases. */
  readonly cases: number;
  /**
   * Labels that keep only their largest component, in order; empty if that helps no label. A list of
   * several labels
   * is their union.
   */
  readonly postprocessing: readonly (readonly number[])[];
  /** Mean Dice of each label over all validation cases; null if it is undefined. */
  readonly dice: Readonly<Record<string, number | null>>;
  /** Mean Dice of each label with postprocessing. */
  readonly postprocessedDice: Readonly<Record<string, number | null>>;
}

/**
 * Convention of a dataset.
 * - `nnunetV2`: nnU-Net v2: `Dataset###_NAME`.
 * - `decathlon`: Medical Segmentation Decathlon: `Task##_NAME` with all channels of a case in one
 * file.
 * - `nnunetV1`: Raw task of nnU-Net v1: `Task###_NAME`.
 * - `nnunetV1Model`: Trained model of nnU-Net v1: a folder with `plans.pkl` and folds.
 */
export type Convention = 'nnunetV2' | 'decathlon' | 'nnunetV1' | 'nnunetV1Model';

/** Result of `convert`. */
export interface ConvertSummary {
  /** Convention of the source. */
  readonly convention: Convention;
  /** Name of the new task or data set. */
  readonly task: string;
  /** Folder of the new task, data set or model. */
  readonly folder: string;
  /** Number of converted training cases. */
  readonly training: number;
  /** Number of converted test cases. */
  readonly test: number;
  /**
   * Label value of nnU-Net v2's unlabelled voxels, which are -1 in v1. Null if there are none.
   *
   * Range: at least -32768, at most 32767.
   */
  readonly ignoreLabel: number | null;
  /** Converted folds of a model. */
  readonly folds: readonly string[];
  /** Cases that could not be converted. `dataset.json` does not list them. */
  readonly failures: readonly CaseFailure[];
}

/** Result of `copy_file`. */
export interface CopyFileSummary {
  /** Path of the copy. */
  readonly target: string;
}

/** Result of `copy_tree`. */
export interface CopyTreeSummary {
  /** Path of the copy. */
  readonly target: string;
  /** Number of files copied. */
  readonly files: number;
  /** Number of files that were there from an interrupted copy. */
  readonly kept: number;
  /** Number of folders created. */
  readonly folders: number;
  /** Symbolic links to nothing, which were left out. */
  readonly danglingLinks: readonly string[];
}

/** Result of `determine`. */
export interface DeterminePostprocessingSummary {
  /** The written file. */
  readonly output: string;
  /**
   * Labels that keep only their largest component, in order; empty if that helps no label. A list of
   * several labels
   * is their union.
   */
  readonly postprocessing: readonly (readonly number[])[];
  /** Number of cases. */
  readonly cases: number;
  /** Mean Dice of each label without postprocessing; null if it is undefined. */
  readonly dice: Readonly<Record<string, number | null>>;
  /** Mean Dice of each label with it. */
  readonly postprocessedDice: Readonly<Record<string, number | null>>;
}

/** Outcome of `ensemble`. */
export interface EnsembleSummary {
  /** Cases segmented; with `shard`, of its part. */
  readonly written: number;
  /**
   * Labels that keep only their largest component, in order; null without postprocessing. A list of
   * several labels
   * is their union.
   */
  readonly postprocessing: readonly (readonly number[])[] | null;
  /** Cases that failed while the others continued. */
  readonly failures: readonly CaseFailure[];
  /** Folder of the segmentations. */
  readonly output: string;
}

/** Result of `estimate_memory`. */
export interface EstimateMemorySummary {
  /**
   * Memory of the process in bytes, with a tenth in reserve; null if it cannot be estimated, such as
   * before the data of
   * a training are preprocessed.
   */
  readonly bytes: number | null;
  /** Composition of the estimate in bytes. */
  readonly parts: Readonly<Record<string, number>>;
  /** What the estimate is based on, or why there is none. */
  readonly basis: string;
}

/** Metrics that nnU-Net v1 does not have, of all cases. */
export interface EvaluateReport {
  /** Metrics of each case, in the order of file names. */
  readonly cases: readonly EvaluateReportCase[];
  /** Statistics over cases by region and metric. */
  readonly statistics: readonly MetricStatistics[];
  /** Lesions of all cases together by region, from small to large; empty unless requested. */
  readonly lesionsBySize: Readonly<Record<string, readonly LesionCounts[]>>;
  /** The written files: JSON, CSV and Markdown. */
  readonly files: readonly string[];
}

/** Metrics of one case. */
export interface EvaluateReportCase {
  /** Name of the case. */
  readonly case: string;
  /**
   * Expected calibration error of the predicted class, over all classes. Absent unless requested;
   * null without a softmax, or if its network predicts regions instead of classes.
   */
  readonly calibrationError?: number | null;
  /** Metrics by region. */
  readonly regions: Readonly<Record<string, RegionMetrics>>;
}

/** Scores of each case and their means. */
export interface EvaluateResults {
  /** Each case, in the order of file names. */
  readonly all: readonly CaseMetrics[];
  /** Mean of each metric by region, over the cases where it is defined. */
  readonly mean: Readonly<Record<string, LabelMetrics>>;
}

/** Result of the evaluation. */
export interface EvaluateSummary {
  /** The written file. */
  readonly output: string;
  /** The part of the cases; null for all cases. */
  readonly shard: Shard | null;
  /** Results in the file. */
  readonly results: EvaluateResults;
  /** Metrics that nnU-Net v1 does not have; null unless requested (`metrics`). */
  readonly report: EvaluateReport | null;
  /** Cases that could not be evaluated, with reasons. */
  readonly failures: readonly CaseFailure[];
}

/** Outcome of `export_model`. */
export interface ExportModelSummary {
  /** The zip file. */
  readonly output: string;
  /** The exported models. */
  readonly models: readonly ExportedModel[];
  /** Number of ensembles whose postprocessing was exported. */
  readonly ensembles: number;
  /** Number of files in the zip file. */
  readonly files: number;
  /** Bytes of these files. */
  readonly bytes: number;
  /** Bytes of the zip file. */
  readonly size: number;
}

/** A model in the zip file. */
export interface ExportedModel {
  /** The folder. */
  readonly folder: string;
  /** Its name in the zip file. */
  readonly name: string;
  /** The exported folds. */
  readonly folds: readonly Fold[];
}

/** Result of `find_best_configuration`. */
export interface FindBestConfigurationSummary {
  /** Name of the task. */
  readonly task: string;
  /**
   * Name of the best candidate. Of several equal ones it is the first: configurations come before
   * ensembles.
   */
  readonly best: string;
  /** Mean foreground Dice of the best candidate. */
  readonly meanDice: number;
  /** Commands that segment new cases with the best candidate, in order. */
  readonly commands: readonly string[];
  /** Every configuration, then every ensemble. */
  readonly candidates: readonly Candidate[];
  /** Configurations that were left out because they have no model. */
  readonly missing: readonly Configuration[];
  /** The folds. */
  readonly folds: readonly Fold[];
  /** Number of validation cases. */
  readonly cases: number;
  /**
   * Folder of the ensembles, with `prediction_commands.txt`, `summary.csv` and
   * `best_configuration.json`.
   */
  readonly output: string;
}

/**
 * Result of `inspect`: the content of a pickle or checkpoint with tensors and arrays as shapes and
 * types,
 * the headers of an archive, array or image, or what a model of nnU-Net v2 is.
 */
export type InspectSummary = unknown;

/** Outcome of `install_model`. */
export interface InstallModelSummary {
  /** The installed models, for `predict --model`. */
  readonly models: readonly InstalledFolder[];
  /** The installed ensembles. */
  readonly ensembles: readonly InstalledFolder[];
  /** Number of installed files. */
  readonly files: number;
  /** Bytes of these files. */
  readonly bytes: number;
  /** Files in the zip file that are part of no model, and were left out. */
  readonly ignored: readonly string[];
}

/** A folder that was installed. */
export interface InstalledFolder {
  /** The folder. */
  readonly folder: string;
  /** The folds of a model with a final checkpoint; empty for an ensemble. */
  readonly folds: readonly Fold[];
  /** Where the previous folder of this name is now. */
  readonly replaced: string | null;
}

/**
 * Metrics of one region in one case, or their means over cases, with nnU-Net's names.
 *
 * An undefined metric is NaN, and null in JSON.
 */
export interface LabelMetrics {
  /** (TP + TN) / all. */
  readonly Accuracy: number;
  /** 2 TP / (2 TP + FP + FN); undefined if neither segmentation contains the region. */
  readonly Dice: number;
  /** 1 - precision. */
  readonly 'False Discovery Rate': number;
  /** 1 - recall. */
  readonly 'False Negative Rate': number;
  /** FN / (FN + TN); undefined if every voxel of the prediction belongs to the region. */
  readonly 'False Omission Rate': number;
  /** 1 - true negative rate. */
  readonly 'False Positive Rate': number;
  /**
   * 95th percentile of the distances between both surfaces in mm. Absent unless requested; undefined if
   * either segmentation is empty or full, or has no surface between labelled voxels.
   */
  readonly 'Hausdorff Distance 95'?: number | null;
  /** TP / (TP + FP + FN); undefined if neither segmentation contains the region. */
  readonly Jaccard: number;
  /** 1 - false omission rate. */
  readonly 'Negative Predictive Value': number;
  /** TP / (TP + FP); undefined if the prediction lacks the region. */
  readonly Precision: number;
  /** TP / (TP + FN); undefined if the reference lacks the region. */
  readonly Recall: number;
  /** Number of voxels of the region in the reference. */
  readonly 'Total Positives Reference': number;
  /** Number of voxels of the region in the prediction. */
  readonly 'Total Positives Test': number;
  /** TN / (TN + FP); undefined if every voxel of the reference belongs to the region. */
  readonly 'True Negative Rate': number;
}

/** Lesions of some size, in one case or in all of them. */
export interface LesionCounts {
  /** Smallest size in mm³. */
  readonly from: number;
  /** Size in mm³ below which lesions are; null without a limit. */
  readonly below: number | null;
  /** Lesions of the references. */
  readonly reference: number;
  /** Lesions of the references that are detected. */
  readonly detected: number;
  /** Lesions of the predictions. */
  readonly predicted: number;
  /** Lesions of the predictions that are right. */
  readonly correct: number;
  /** detected / reference; null without such a lesion. */
  readonly sensitivity: number;
  /** correct / predicted; null without such a lesion. */
  readonly precision: number;
  /**
   * 2 sensitivity precision / (sensitivity + precision); 0 if no lesion is detected and none is
   * right. Null if neither segmentation has such a lesion, or if one has none and lesions of the
   * other match lesions of another size.
   */
  readonly f1: number;
}

/** Statistics of a metric over cases. */
export interface MetricStatistics {
  /** Region; null for the calibration error of all classes. */
  readonly region: string | null;
  /** Name of the metric, a member of `RegionMetrics`. */
  readonly metric: string;
  /** Cases where the metric is defined. The other numbers are over these cases. */
  readonly cases: number;
  /** Cases with this region where the metric is undefined (null). */
  readonly undefined: number;
  /** Mean; null without a case, like the numbers below. */
  readonly mean: number;
  /** Standard deviation (n - 1); null with fewer than two cases. */
  readonly standardDeviation: number;
  /** Median. */
  readonly median: number;
  /**
   * Lower end of the confidence interval of the mean; null with fewer than two cases or without
   * bootstrap.
   */
  readonly low: number | null;
  /** Upper end of it. */
  readonly high: number | null;
}

/** A metric of one region in two folders of predictions, over the cases where it is defined in both. */
export interface PairedTest {
  /** Region; null for the calibration error of all classes. */
  readonly region: string | null;
  /** Name of the metric, a member of `RegionMetrics`. */
  readonly metric: string;
  /** Cases where the metric is defined in both. */
  readonly cases: number;
  /** Cases where it is undefined (null) in either. */
  readonly undefined: number;
  /** Mean of the first predictions; null without a case, like the numbers below. */
  readonly firstMean: number;
  /** Mean of the second predictions. */
  readonly secondMean: number;
  /** Mean of the differences, second minus first. */
  readonly difference: number;
  /**
   * Lower end of its bootstrap confidence interval; null with fewer than two cases or without
   * bootstrap.
   */
  readonly low: number | null;
  /** Upper end of it. */
  readonly high: number | null;
  /** Median of the differences. */
  readonly medianDifference: number;
  /** Cases where the second predictions have the larger value. */
  readonly larger: number;
  /** Cases where they have the smaller value. */
  readonly smaller: number;
  /**
   * Wilcoxon's signed-rank statistic: the smaller sum of ranks. Cases without a difference are left
   * out.
   */
  readonly statistic: number;
  /** Two-sided p-value of Wilcoxon's signed-rank test; 1 without a difference. */
  readonly p: number;
  /** `p` adjusted for all rows of the table (S. Holm, 1979). */
  readonly adjustedP: number;
  /**
   * Whether `p` is exact, which it is up to 50 differences. Otherwise it is that of the normal
   * approximation.
   */
  readonly exact: boolean;
  /**
   * Effect size: matched-pairs rank-biserial correlation, from -1 (the first is always larger) to 1
   * (the second is always larger). Null without a difference.
   */
  readonly rankBiserial: number;
}

/**
 * What a path is.
 * - `model`: A trained model or fold.
 * - `task`: A raw or preprocessed task.
 * - `predictions`: A folder of predictions.
 */
export type PathKind = 'model' | 'task' | 'predictions';

/** Result of planning. */
export interface PlanSummary {
  /** `TaskXXX_NAME` */
  readonly task: string;
  /** Number of training cases; with `shard`, of its part. */
  readonly cases: number;
  /** File of the fingerprint; null with `shard`, which only crops. */
  readonly fingerprint: string | null;
  /** Written plans files. */
  readonly plans: readonly string[];
  /** Every planned configuration, lowest resolution first. */
  readonly configurations: readonly PlannedConfiguration[];
}

/** A planned configuration, for display. */
export interface PlannedConfiguration {
  /** The configuration. */
  readonly configuration: Configuration;
  /** Stage of the configuration in the plans. */
  readonly stage: number;
  /** Patch size in voxels after the transpose. */
  readonly patchSize: readonly number[];
  /** Number of samples per batch. */
  readonly batchSize: number;
  /** Spacing in mm after the transpose. */
  readonly spacing: readonly [number, number, number];
  /** Median shape after the transpose. */
  readonly medianShape: readonly [number, number, number];
  /** Number of feature map values of one forward pass, proportional to memory. */
  readonly vramEstimate: number;
  /** Maximum of the estimate at batch size 2. */
  readonly vramReference: number;
}

/** Outcome of `predict`. */
export interface PredictSummary {
  /** Cases segmented in this run. */
  readonly written: number;
  /** Skipped cases, whose segmentation exists. */
  readonly skipped: number;
  /**
   * Labels that keep only their largest component, in order; null without postprocessing. A list of
   * several labels
   * is their union.
   */
  readonly postprocessing: readonly (readonly number[])[] | null;
  /** Cases that failed while the others continued. */
  readonly failures: readonly CaseFailure[];
  /** Folder of the segmentations. */
  readonly output: string;
  /** Device used. */
  readonly device: string;
  /** Precision used. */
  readonly precision: string;
  /** Wall time in seconds. */
  readonly seconds: number;
}

/** Result of planning and preprocessing. */
export interface PreprocessSummary {
  /** Result of planning; null with `shard`, which takes existing plans. */
  readonly plan: PlanSummary | null;
  /** Result of preprocessing. */
  readonly preprocess: PreprocessedCases;
}

/** Result of preprocessing. */
export interface PreprocessedCases {
  /** `TaskXXX_NAME` */
  readonly task: string;
  /** Folders of preprocessed data, one per stage. */
  readonly folders: readonly string[];
  /** Number of written cases. */
  readonly written: number;
  /** Number of skipped cases, which were already finished. */
  readonly skipped: number;
  /** Failed cases. */
  readonly failures: readonly CaseFailure[];
}

/** Outcome of the verb `preview`. */
export interface PreviewSummary {
  /** The picture written. */
  readonly output: string;
  /** Full name of the task. */
  readonly task: string;
  /** Number of drawn batches. */
  readonly batches: number;
  /** The case of each drawn sample, in order. */
  readonly cases: readonly string[];
}

/**
 * Kind of a problem.
 * - `modalities`: The channels of `dataset.json` are not numbered 0, 1, 2, ...
 * - `channelName`: The name of a channel looks like CT, but nnU-Net normalises only `CT` and `ct` as
 * CT.
 * - `labels`: The labels of `dataset.json` have no background 0, or are not consecutive.
 * - `listedTwice`: A training or test case is listed more than once.
 * - `nameMismatch`: Image and label of an entry have different names.
 * - `fileName`: A file in an image folder does not end in `_XXXX`, has an extension in upper case or
 * of another format, is a folder, or is a link to nothing.
 * - `twoFiles`: A volume exists as `.nii` and as `.nii.gz`.
 * - `caseName`: The name of a case is misunderstood: `dataset.json` lists an image with its channel
 * number, the case has the name of another case's weightmap, or the name of another case but for upper
 * and lower case.
 * - `notListed`: `dataset.json` does not list the case of an image or label file.
 * - `channelMissing`: The file of a channel is missing for a case.
 * - `channelUnexpected`: A case has a channel that is not in `dataset.json`.
 * - `labelMissing`: A case has an image but no label.
 * - `imageMissing`: A case has a label but no image.
 * - `unreadable`: A file cannot be read. The details contain the error code.
 * - `severalVolumes`: A file contains several volumes.
 * - `header`: The header of a file contradicts itself, so that programs disagree about the spacing or
 * the position.
 * - `size`: The size of a file differs from that of the case's first channel.
 * - `geometry`: The spacing, origin or direction of a file differs from that of the case's first
 * channel. The difference is harmless if no voxel is displaced by more than half a voxel.
 * - `notFinite`: An image contains NaN or infinity.
 * - `allZero`: Every voxel of an image is 0. nnU-Net cannot crop it.
 * - `constant`: Every voxel of an image has the same value, so that it says nothing.
 * - `noSpread`: The foreground of a CT channel has one single intensity in all cases. nnU-Net divides
 * by its deviation.
 * - `labelsCropped`: Labelled voxels lie outside the box around the non-zero voxels, and cropping
 * takes them away.
 * - `unlistedLabel`: A label file contains values that `dataset.json` does not list.
 * - `absentLabel`: No case has voxels of a label that `dataset.json` lists.
 * - `noAnnotation`: All voxels of a label file are -1 (unlabelled).
 */
export type ProblemKind = 'modalities' | 'channelName' | 'labels' | 'listedTwice' | 'nameMismatch' | 'fileName' | 'twoFiles' | 'caseName' | 'notListed' | 'channelMissing' | 'channelUnexpected' | 'labelMissing' | 'imageMissing' | 'unreadable' | 'severalVolumes' | 'header' | 'size' | 'geometry' | 'notFinite' | 'allZero' | 'constant' | 'noSpread' | 'labelsCropped' | 'unlistedLabel' | 'absentLabel' | 'noAnnotation';

/**
 * Metrics of one region in one case. Those of groups that were not requested are absent; undefined
 * ones are null.
 */
export interface RegionMetrics {
  /** Dice of voxels, as in `summary.json`. Null if neither segmentation has the region. */
  readonly dice?: number | null;
  /**
   * 95th percentile of surface distances in mm (`surface-distance`), by area of the surface: the
   * larger one of both directions. Null if either segmentation lacks the region. This is not the
   * "Hausdorff Distance 95" of nnU-Net v1, which counts voxels and takes both directions together.
   */
  readonly hd95?: number | null;
  /**
   * Average symmetric surface distance in mm: mean over both surfaces, by area. Null if either
   * segmentation lacks the region.
   */
  readonly assd?: number | null;
  /**
   * Normalised surface Dice (`surface-distance`): share of both surfaces, by area, at most
   * `surfaceTolerance` from the other one. 0 if one segmentation lacks the region, null if both do.
   */
  readonly surfaceDice?: number | null;
  /** Volume of the reference in mm³. */
  readonly referenceVolume?: number | null;
  /** Volume of the prediction in mm³. */
  readonly predictedVolume?: number | null;
  /** Volume of the prediction minus that of the reference, in mm³. */
  readonly volumeError?: number | null;
  /** `volumeError` / `referenceVolume`. Null if the reference lacks the region. */
  readonly relativeVolumeError?: number | null;
  /** `relativeVolumeError` without its sign. */
  readonly absoluteRelativeVolumeError?: number | null;
  /** Lesions (connected components) of the reference. */
  readonly referenceLesions?: number | null;
  /** Lesions of the reference that the prediction overlaps by more than `lesionOverlap`. */
  readonly detectedLesions?: number | null;
  /** Lesions of the prediction. */
  readonly predictedLesions?: number | null;
  /** Lesions of the prediction that the reference overlaps by more than `lesionOverlap`. */
  readonly correctLesions?: number | null;
  /** `detectedLesions` / `referenceLesions`. Null if the reference has none. */
  readonly lesionSensitivity?: number | null;
  /** `correctLesions` / `predictedLesions`. Null if the prediction has none. */
  readonly lesionPrecision?: number | null;
  /**
   * Harmonic mean of sensitivity and precision of lesions. 0 if only one segmentation has lesions,
   * null if neither has.
   */
  readonly lesionF1?: number | null;
  /**
   * Expected calibration error of the probability of the region. Null without a softmax, or if its
   * network predicts regions instead of classes.
   */
  readonly calibrationError?: number | null;
  /** Lesions by size, from small to large. */
  readonly lesionsBySize?: readonly LesionCounts[] | null;
}

/** Outcome of `crate::report`. */
export interface ReportSummary {
  /** The written file. */
  readonly output: string;
  /** Its size in bytes. */
  readonly bytes: number;
  /** What each path is, in order. */
  readonly kinds: readonly PathKind[];
  /** Number of cases with images. */
  readonly cases: number;
  /** Number of those whose images were thinned to fit `maxSize`. */
  readonly thinned: number;
  /** Number of those that lack some channels of their images, which did not fit `maxSize`. */
  readonly withoutChannels: number;
  /**
   * Cases that could not be read or evaluated, with reasons. The report lacks them, or the channel that
   * could not be
   * read.
   */
  readonly failures: readonly CaseFailure[];
}

/** Result of `simulate_sparse`. */
export interface SimulateSparseSummary {
  /** Name of the new task. */
  readonly task: string;
  /** Folder of the new task. */
  readonly folder: string;
  /** Annotated share of all labelled voxels of the training cases. */
  readonly share: number;
  /** Classes of all training cases, by label. */
  readonly classes: readonly SparseClassReport[];
  /** Training cases, in the order of `dataset.json`. */
  readonly cases: readonly SparseCaseReport[];
  /** Number of test cases. */
  readonly test: number;
  /** Cases that could not be written. The new `dataset.json` does not list them. */
  readonly failures: readonly CaseFailure[];
}

/** Annotation of a case. */
export interface SparseCaseReport {
  /** The case. */
  readonly case: string;
  /** Annotated share of the labelled voxels. */
  readonly share: number;
  /** Annotated slices, counted from 0, for each of the option's axes; empty for other patterns. */
  readonly slices: readonly (readonly number[])[];
  /** Classes that occur in the case, by label. */
  readonly classes: readonly SparseClassReport[];
}

/** Annotated voxels of a class. */
export interface SparseClassReport {
  /**
   * Value in the label; 0 is the background.
   *
   * Range: at least -32768, at most 32767.
   */
  readonly label: number;
  /** Voxels of the class in the dense label. */
  readonly voxels: number;
  /** Annotated ones. */
  readonly annotated: number;
}

/** Cases of one fold. */
export interface Split {
  /** Training cases. */
  readonly train: readonly string[];
  /** Validation cases. */
  readonly val: readonly string[];
}

/** Result of `make_splits`. */
export interface SplitsSummary {
  /** `TaskXXX_NAME` */
  readonly task: string;
  /** The written file. */
  readonly file: string;
  /** Backup of the previous splits. */
  readonly backup: string | null;
  /** Source of the case names. */
  readonly origin: CaseOrigin;
  /** Number of cases of the task. */
  readonly cases: number;
  /** Number of patients, if cases were grouped. */
  readonly groups: number | null;
  /** The folds, with their training and validation cases. */
  readonly folds: readonly Split[];
}

/** Outcome of `train`. With several folds, all but `folds` describes the last one. */
export interface TrainSummary {
  /** Folder of the fold in nnU-Net's results layout. */
  readonly folder: string;
  /** `model_final_checkpoint.model`. */
  readonly checkpoint: string;
  /** Finished epochs, including earlier runs. */
  readonly epochs: number;
  /** Training loss of the last epoch; null if no training patch had an annotated voxel. */
  readonly trainLoss: number | null;
  /** Validation loss of the last epoch; null if no validation patch had an annotated voxel. */
  readonly validationLoss: number | null;
  /** Online Dice of each foreground class in the last epoch; null if the class did not occur. */
  readonly dice: readonly (number | null)[];
  /** Whole-case validation; null without it. */
  readonly validation: ValidationReport | null;
  /** Every fold of this run. */
  readonly folds: readonly TrainedFold[];
  /** Device used. */
  readonly device: string;
  /** Precision used. */
  readonly precision: string;
  /** Wall time in seconds. */
  readonly seconds: number;
}

/** A trained fold. */
export interface TrainedFold {
  /** The fold. */
  readonly fold: Fold;
  /** `model_final_checkpoint.model`. */
  readonly checkpoint: string;
  /** Whole-case validation; null without it. */
  readonly validation: ValidationReport | null;
}

/** Scores of one case of a validation. */
export interface ValidatedCase {
  /** The case. */
  readonly case: string;
  /** Dice of each foreground class; null if neither reference nor segmentation has it. */
  readonly dice: readonly (number | null)[];
}

/** Whole-case validation of a fold. */
export interface ValidationReport {
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

/** Result of a run. */
export interface WeightmapsSummary {
  /** Number of matching files; with `shard`, of its part. */
  readonly cases: number;
  /** Number of written weightmaps. */
  readonly written: number;
  /** Number of skipped cases, whose weightmap exists. */
  readonly skipped: number;
  /** Failed cases, in the order of their files. */
  readonly failures: readonly CaseFailure[];
  /** Folder of the weightmaps. Absent if it is the folder of the cases. */
  readonly outputDir: string | null;
  /** Classes of the weightmaps. */
  readonly classes: readonly number[];
  /** Wall time in seconds. */
  readonly seconds: number;
}
