// Made from the Rust types by `npm run build` (crates/schema). Do not edit.
import type { Configuration } from './options.js';

/** One case of a verb over many cases that failed while the others went on. */
export interface CaseFailure {
  /** The case's identifier, or the file name where no case could be told. */
  readonly case: string;
  /** The error's code. */
  readonly code: string;
  /** The error's message: found, expected, where, what to do. */
  readonly message: string;
  /** The facts behind the message: file, found, expected; null where there are none. */
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
 * Where the names of a task's cases come from.
 * - `preprocessed`: The files of the preprocessed task.
 * - `datasetJson`: `dataset.json`, as nothing is preprocessed yet.
 */
export type CaseOrigin = 'preprocessed' | 'datasetJson';

/** One thing that is wrong with a task. */
export interface CheckProblem {
  /** What kind of thing. */
  readonly kind: ProblemKind;
  /** The case, where there is one. */
  readonly case: string | null;
  /** The file, where there is one. */
  readonly file: string | null;
  /** What was found, what was expected, what to do. */
  readonly message: string;
  /** The values behind the message. */
  readonly details: unknown;
  /** Whether it was repaired in this run. */
  readonly fixed: boolean;
}

/** What `check_dataset` found. */
export interface CheckSummary {
  /** Name of the task. */
  readonly task: string;
  /** Its folder. */
  readonly folder: string;
  /** Channels of each case. */
  readonly channels: number;
  /** What each case holds, in the order of `dataset.json`, test cases last. */
  readonly cases: readonly CheckedCase[];
  /** All problems: those of the lists first, then case by case. */
  readonly problems: readonly CheckProblem[];
  /** Problems that were repaired. */
  readonly fixed: number;
  /** Cases that could not be checked or repaired, in the order of `cases`, which lacks them. */
  readonly failures: readonly CaseFailure[];
  /** Whether no problem is left, and no case failed. */
  readonly ok: boolean;
}

/** What a case holds. */
export interface CheckedCase {
  /** The case. */
  readonly case: string;
  /** Size (z, y, x) of its first channel; null where that cannot be read. */
  readonly size: readonly [number, number, number] | null;
  /** Spacing (z, y, x) in mm of its first channel; null where that cannot be read. */
  readonly spacing: readonly [number, number, number] | null;
  /** Voxels of each label value; empty for a case without a label. */
  readonly labelVoxels: Readonly<Record<string, number>>;
  /** Voxels that the user left unlabelled (-1). */
  readonly unlabelledVoxels: number;
}

/**
 * Which checkpoint of a fold was written.
 * - `latest`: `model_latest`: to resume from.
 * - `best`: `model_best`: best moving average of the validation metric.
 * - `final`: `model_final_checkpoint`: the finished fold.
 */
export type CheckpointKind = 'latest' | 'best' | 'final';

/**
 * Which convention a data set follows.
 * - `nnunetV2`: nnU-Net v2: `Dataset###_NAME`.
 * - `decathlon`: Medical Segmentation Decathlon: `Task##_NAME` with all channels of a case in one
 * file.
 */
export type Convention = 'nnunetV2' | 'decathlon';

/** What `convert` did. */
export interface ConvertSummary {
  /** What the source was. */
  readonly convention: Convention;
  /** The new task. */
  readonly task: string;
  /** Its folder. */
  readonly folder: string;
  /** Training cases converted. */
  readonly training: number;
  /** Test cases converted. */
  readonly test: number;
  /**
   * Label value of the source that became -1, unlabelled.
   *
   * Range: at least -32768, at most 32767.
   */
  readonly ignoreLabel: number | null;
  /** Cases that could not be converted; `dataset.json` does not list them. */
  readonly failures: readonly CaseFailure[];
}

/** Scores of each case and their means. */
export interface EvaluateResults {
  /** Each case, in the order of file names. */
  readonly all: readonly CaseMetrics[];
  /** Mean of each metric over the cases where it is defined, by region. */
  readonly mean: Readonly<Record<string, LabelMetrics>>;
}

/** What was evaluated. */
export interface EvaluateSummary {
  /** The file written. */
  readonly output: string;
  /** Its results. */
  readonly results: EvaluateResults;
  /** Cases that could not be evaluated, and why. */
  readonly failures: readonly CaseFailure[];
}

/**
 * What `inspect` found: the content of a pickle or checkpoint with tensors and arrays as shapes and
 * types, or the headers of an
 * archive, array or image.
 */
export type InspectSummary = unknown;

/**
 * Metrics of one region in one case, or their means over cases, under nnU-Net's names.
 *
 * NaN stands for a metric that is not defined; in JSON it is null.
 */
export interface LabelMetrics {
  /** (TP + TN) / all. */
  readonly Accuracy: number;
  /** 2 TP / (2 TP + FP + FN); not defined where neither segmentation has the region. */
  readonly Dice: number;
  /** 1 - precision. */
  readonly 'False Discovery Rate': number;
  /** 1 - recall. */
  readonly 'False Negative Rate': number;
  /** FN / (FN + TN); not defined where the prediction is nothing but the region. */
  readonly 'False Omission Rate': number;
  /** 1 - true negative rate. */
  readonly 'False Positive Rate': number;
  /**
   * 95th percentile of the distances between both surfaces in mm; absent unless asked for, not defined
   * where either
   * segmentation is empty or full.
   */
  readonly 'Hausdorff Distance 95'?: number | null;
  /** TP / (TP + FP + FN); not defined where neither segmentation has the region. */
  readonly Jaccard: number;
  /** 1 - false omission rate. */
  readonly 'Negative Predictive Value': number;
  /** TP / (TP + FP); not defined where the prediction lacks the region. */
  readonly Precision: number;
  /** TP / (TP + FN); not defined where the reference lacks the region. */
  readonly Recall: number;
  /** Voxels of the region in the reference. */
  readonly 'Total Positives Reference': number;
  /** Voxels of the region in the prediction. */
  readonly 'Total Positives Test': number;
  /** TN / (TN + FP); not defined where the reference is nothing but the region. */
  readonly 'True Negative Rate': number;
}

/** Result of planning. */
export interface PlanSummary {
  /** `TaskXXX_NAME` */
  readonly task: string;
  /** Number of training cases. */
  readonly cases: number;
  /** File of the fingerprint. */
  readonly fingerprint: string;
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
  /** Cases whose segmentation existed. */
  readonly skipped: number;
  /** Cases that failed while the others went on. */
  readonly failures: readonly CaseFailure[];
  /** Folder of the segmentations. */
  readonly output: string;
  /** Device used. */
  readonly device: string;
  /** Precision used. */
  readonly precision: string;
  /** Wall time. */
  readonly seconds: number;
}

/** Result of planning and preprocessing. */
export interface PreprocessSummary {
  /** Result of planning. */
  readonly plan: PlanSummary;
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

export type PreviewBatchesSummary = null;

/** Outcome of the verb `preview`. */
export interface PreviewSummary {
  /** The picture written. */
  readonly output: string;
  /** Whole name of the task. */
  readonly task: string;
  /** Batches drawn. */
  readonly batches: number;
  /** The case of each sample drawn, in order. */
  readonly cases: readonly string[];
}

/**
 * Kind of a problem.
 * - `modalities`: The channels of `dataset.json` are not numbered 0, 1, 2, ...
 * - `labels`: The labels of `dataset.json` have no background 0, or a gap.
 * - `listedTwice`: A training or test case is listed more than once.
 * - `nameMismatch`: Image and label of an entry have different names.
 * - `fileName`: A file in an image folder does not end in `_XXXX`.
 * - `notListed`: Image or label files of a case that `dataset.json` does not list.
 * - `channelMissing`: A case lacks the file of a channel.
 * - `channelUnexpected`: A case has a channel that `dataset.json` does not know.
 * - `labelMissing`: A case has an image but no label.
 * - `imageMissing`: A case has a label but no image.
 * - `unreadable`: A file cannot be read; its error's code is in the details.
 * - `severalVolumes`: A file holds several volumes.
 * - `size`: A file has another size than the case's first channel.
 * - `geometry`: A file has another spacing, origin or direction than the case's first channel.
 * - `notFinite`: An image holds NaN or infinity.
 * - `unlistedLabel`: A label file holds values that `dataset.json` does not list.
 * - `noAnnotation`: All voxels of a label file are -1, unlabelled.
 */
export type ProblemKind = 'modalities' | 'labels' | 'listedTwice' | 'nameMismatch' | 'fileName' | 'notListed' | 'channelMissing' | 'channelUnexpected' | 'labelMissing' | 'imageMissing' | 'unreadable' | 'severalVolumes' | 'size' | 'geometry' | 'notFinite' | 'unlistedLabel' | 'noAnnotation';

/** Cases of one fold. */
export interface Split {
  /** Training cases. */
  readonly train: readonly string[];
  /** Validation cases. */
  readonly val: readonly string[];
}

/** What `make_splits` wrote. */
export interface SplitsSummary {
  /** `TaskXXX_NAME` */
  readonly task: string;
  /** The file written. */
  readonly file: string;
  /** Where the splits that were there before are kept. */
  readonly backup: string | null;
  /** Where the names of the cases come from. */
  readonly origin: CaseOrigin;
  /** Cases of the task. */
  readonly cases: number;
  /** Patients, where cases were grouped. */
  readonly groups: number | null;
  /** The folds, each with the cases it trains on and those it validates on. */
  readonly folds: readonly Split[];
}

/** Outcome of `train`. */
export interface TrainSummary {
  /** The fold's folder in nnU-Net's results layout. */
  readonly folder: string;
  /** `model_final_checkpoint.model`. */
  readonly checkpoint: string;
  /** Finished epochs, those of earlier runs included. */
  readonly epochs: number;
  /** Training loss of the last epoch. */
  readonly trainLoss: number;
  /** Validation loss of the last epoch; null where no validation patch had an annotated voxel. */
  readonly validationLoss: number | null;
  /** Online Dice of each foreground class in the last epoch; null where the class never occurred. */
  readonly dice: readonly (number | null)[];
  /** Device used. */
  readonly device: string;
  /** Precision used. */
  readonly precision: string;
  /** Wall time. */
  readonly seconds: number;
}

/** What a run did. */
export interface WeightmapsSummary {
  /** Files that matched. */
  readonly cases: number;
  /** Maps written. */
  readonly written: number;
  /** Cases left alone because their map exists. */
  readonly skipped: number;
  /** Cases that failed, in the order of their files. */
  readonly failures: readonly CaseFailure[];
  /** Folder of the maps; absent when they lie beside their cases. */
  readonly outputDir: string | null;
  /** The classes used. */
  readonly classes: readonly number[];
  /** Wall time in seconds. */
  readonly seconds: number;
}
