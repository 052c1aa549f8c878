// Made from the Rust types by `npm run build` (crates/schema). Do not edit.
import type { Abortable } from '../abortable.js';

/** Options of the verb `applyPostprocessing`. */
export interface ApplyPostprocessingOptions extends Abortable {
  /** Folder of segmentations, `.nii.gz` or `.nii`. */
  readonly input: string;
  /** Folder for the results, with the same file names. May equal `input`. */
  readonly output: string;
  /** The `postprocessing.json` to apply, of nnU-Net v1 or v2, or v2's `postprocessing.pkl`. */
  readonly rules: string;
  /** Part of the cases, `I/N`: this machine works on part I of N, from 1. */
  readonly shard?: Shard | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** Augmentation of training patches. */
export interface Augmentation {
  /**
   * Repeats the mistakes of nnU-Net v1 and DIAG's fork, for comparison with their results.
   *
   * Unlabelled voxels outside the patch and between labels become background, and the image is blanked
   * there; see `augment::PipelineOptions::reference_rules`.
   *
   * @default false
   */
  readonly referenceRules?: boolean | undefined;
}

/** Options of the verb `check`. */
export interface CheckOptions extends Abortable {
  /** Number, `TaskXXX_NAME` or folder of a raw task. */
  readonly task: string;
  /**
   * Maximum difference of spacing and origin, as a fraction of the voxel, and of direction cosines.
   *
   * Range: at least 0.
   * @default 0.001
   */
  readonly tolerance?: number | undefined;
  /**
   * Copies the geometry of a case's first channel into other files of the case if their difference is
   * harmless.
   *
   * `ProblemKind::Geometry` defines harmless differences.
   *
   * @default false
   */
  readonly fix?: boolean | undefined;
  /**
   * With `fix`, copies the geometry whenever the sizes agree, even if the files are at different
   * positions.
   *
   * @default false
   */
  readonly fixDisplaced?: boolean | undefined;
  /**
   * With `fix`, keeps the original of each repaired file as `<name>.orig`.
   *
   * @default true
   */
  readonly keepOriginals?: boolean | undefined;
  /**
   * Folder that holds `nnUNet_raw_data` and `nnUNet_cropped_data`. The default is
   * `$nnUNet_raw_data_base`.
   */
  readonly rawDataBase?: string | undefined;
  /** Folder of preprocessed tasks. The default is `$nnUNet_preprocessed`. */
  readonly preprocessed?: string | undefined;
  /** Folder of trained models. The default is `$RESULTS_FOLDER`. */
  readonly results?: string | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** A weight for each class, background first, or `auto`. */
export type ClassWeights = 'auto' | readonly number[];

/** Options of the verb `compare`. */
export interface CompareOptions extends Abortable {
  /** Folder of reference segmentations, `.nii.gz` or `.nii`. */
  readonly referenceDir: string;
  /** First folder of predicted segmentations with the same file names. */
  readonly firstDir: string;
  /** Second folder of predicted segmentations. Differences are second minus first. */
  readonly secondDir: string;
  /**
   * Labels or unions of labels to compare. The default is every label in a case, without the
   * background.
   *
   * Range: at least 1 values.
   */
  readonly labels?: readonly Region[] | undefined;
  /**
   * Excludes voxels with this label in the reference, such as -1 for unlabelled voxels.
   *
   * Range: at least -32768, at most 32767.
   */
  readonly ignoreLabel?: number | undefined;
  /**
   * File to write. The default is `comparison.json` in the second folder. Tables in CSV and Markdown
   * are beside it.
   */
  readonly output?: string | undefined;
  /**
   * Maximum difference of spacing and origin, as a fraction of the voxel, and of direction cosines
   * between a prediction and its reference.
   *
   * Range: at least 0.
   * @default 0.001
   */
  readonly tolerance?: number | undefined;
  /**
   * Skips references without any prediction, such as those of other folds.
   *
   * @default false
   */
  readonly predictedOnly?: boolean | undefined;
  /**
   * Groups of metrics to compute besides those of nnU-Net v1.
   *
   * @default []
   */
  readonly metrics?: readonly MetricGroup[] | undefined;
  /**
   * Distance in mm up to which surfaces agree (`surfaceDice`).
   *
   * Range: at least 0.
   * @default 1.0
   */
  readonly surfaceTolerance?: number | undefined;
  /**
   * Neighbours of a voxel in a lesion: `full` are 26, `face` are 6.
   *
   * @default "full"
   */
  readonly lesionConnectivity?: LesionConnectivity | undefined;
  /**
   * Share of a lesion's voxels that the other segmentation must exceed. With 0, one voxel is enough.
   *
   * Range: at least 0.
   * @default 0.0
   */
  readonly lesionOverlap?: number | undefined;
  /**
   * Sizes in mm³ between the groups of lesions, ascending.
   *
   * @default [100.0,1000.0]
   */
  readonly lesionSizes?: readonly number[] | undefined;
  /**
   * Number of intervals of the calibration error.
   *
   * Range: at least 1, at most 10000.
   * @default 15
   */
  readonly calibrationBins?: number | undefined;
  /**
   * Bootstrap samples of the confidence intervals; 0 computes none.
   *
   * Range: at most 1000000.
   * @default 1000
   */
  readonly bootstrap?: number | undefined;
  /**
   * Share of the confidence intervals.
   *
   * Range: above 0.
   * @default 0.95
   */
  readonly confidence?: number | undefined;
  /**
   * Seed of the bootstrap samples.
   *
   * @default 1234
   */
  readonly seed?: number | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/**
 * A configuration of nnU-Net.
 * - `2d`: A 2D network on slices.
 * - `3d_fullres`: Volumes at full resolution.
 * - `3d_lowres`: Volumes at low resolution; the first stage of the cascade.
 * - `3d_cascade_fullres`: Volumes at full resolution, with the segmentation of the low resolution as
 * additional input.
 */
export type Configuration = '2d' | '3d_fullres' | '3d_lowres' | '3d_cascade_fullres';

/** Options of the verb `consolidateFolds`. */
export interface ConsolidateFoldsOptions extends Abortable {
  /** Folder `<trainer>__<plans>` with the folds. */
  readonly model: string;
  /**
   * Folds of the cross-validation. The default is every numbered fold of the model.
   *
   * Range: at least 1 values.
   */
  readonly folds?: readonly Fold[] | undefined;
  /**
   * Subfolder of each fold with its segmented validation cases.
   *
   * @default "validation_raw"
   */
  readonly validation?: string | undefined;
  /**
   * Excludes voxels with this label in the reference, such as -1 for unlabelled voxels.
   *
   * Range: at least -32768, at most 32767.
   */
  readonly ignoreLabel?: number | undefined;
  /**
   * Removes only components smaller than the smallest largest component of all cases (nnU-Net's
   * `advanced_postprocessing`).
   *
   * @default false
   */
  readonly minimumSizes?: boolean | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** Options of the verb `convert`. */
export interface ConvertOptions extends Abortable {
  /**
   * Folder of the dataset: `Dataset###_NAME` (nnU-Net v2) or `Task##_NAME` (Medical Decathlon). With
   * `to: 'v2'`, a raw
   * task of nnU-Net v1, or a model that it trained.
   */
  readonly source: string;
  /**
   * Version of nnU-Net to convert to.
   *
   * @default "v1"
   */
  readonly to?: Target | undefined;
  /**
   * Name of the new task, such as `Task027_ACDC`, or of the data set of v2, such as `Dataset027_ACDC`.
   * The default is
   * the number and name of the source.
   */
  readonly task?: string | undefined;
  /**
   * Folder that receives the task. The default is `nnUNet_raw_data`. With `to: 'v2'`, v2's folder of raw
   * data sets or of
   * results, which has no default.
   */
  readonly output?: string | undefined;
  /**
   * Converts into an existing task and replaces its files.
   *
   * @default false
   */
  readonly overwrite?: boolean | undefined;
  /**
   * Folder that holds `nnUNet_raw_data` and `nnUNet_cropped_data`. The default is
   * `$nnUNet_raw_data_base`.
   */
  readonly rawDataBase?: string | undefined;
  /** Folder of preprocessed tasks. The default is `$nnUNet_preprocessed`. */
  readonly preprocessed?: string | undefined;
  /** Folder of trained models. The default is `$RESULTS_FOLDER`. */
  readonly results?: string | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** Options of the verb `copyFile`. */
export interface CopyFileOptions extends Abortable {
  /** The file. */
  readonly source: string;
  /** Path of the copy, or a folder that gets a copy of the same name. An existing file is replaced. */
  readonly target: string;
  /**
   * Copies a symbolic link as a link. Otherwise its target is copied.
   *
   * @default false
   */
  readonly keepLinks?: boolean | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** Options of the verb `copyTree`. */
export interface CopyTreeOptions extends Abortable {
  /** The folder. */
  readonly source: string;
  /**
   * Path of the copy, which must not exist unless a copy is continued. Missing parent folders are
   * created.
   */
  readonly target: string;
  /**
   * Names of files and folders to leave out, as shell patterns such as `*.tmp`.
   *
   * @default []
   */
  readonly ignore?: readonly string[] | undefined;
  /**
   * Continues a copy that was interrupted: files in `target` with the size of their source stay, the
   * others are
   * copied.
   *
   * @default false
   */
  readonly continue?: boolean | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/**
 * Region of an image that preprocessing keeps.
 * - `nonzero`: The box around the voxels that are not 0, as in nnU-Net v1. Labelled voxels outside it
 * are lost, with a warning.
 * - `none`: The whole image. The plans record it, so that inference does the same.
 */
export type Crop = 'nonzero' | 'none';

/** Options of the verb `determinePostprocessing`. */
export interface DeterminePostprocessingOptions extends Abortable {
  /** Folder of reference segmentations, `.nii.gz` or `.nii`. */
  readonly referenceDir: string;
  /**
   * Folder of predictions without postprocessing, with the same file names. Every one needs its
   * reference.
   */
  readonly predictionDir: string;
  /** File to write. The default is `postprocessing.json` in the folder of predictions. */
  readonly output?: string | undefined;
  /** Folder for the postprocessed predictions and their `summary.json`. By default they are not kept. */
  readonly postprocessedDir?: string | undefined;
  /**
   * Minimum increase of a mean Dice.
   *
   * Range: at least 0.
   * @default 0.0
   */
  readonly diceThreshold?: number | undefined;
  /**
   * Removes only components smaller than the smallest largest component of all cases (nnU-Net's
   * `advanced_postprocessing`).
   *
   * @default false
   */
  readonly minimumSizes?: boolean | undefined;
  /**
   * Excludes voxels with this label in the reference, such as -1 for unlabelled voxels.
   *
   * Range: at least -32768, at most 32767.
   */
  readonly ignoreLabel?: number | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/**
 * What Dice counts of each voxel.
 * - `weightmap`: Its weight in the weightmap, if the recipe has voxel weights. The online Dice on
 * validation patches then counts voxels in the same way.
 * - `none`: 1.
 */
export type DiceWeights = 'weightmap' | 'none';

/**
 * The side of a picture on which the patient's left is drawn.
 * - `radiological`: The patient's left is on the right, as seen from the feet.
 * - `neurological`: The patient's left is on the left, as seen from the head.
 */
export type DisplayConvention = 'radiological' | 'neurological';

/** Options of the verb `ensemble`. */
export interface EnsembleOptions extends Abortable {
  /**
   * Folders of the models: `<case>.npz` and `<case>.pkl` of each case, as `predict --save-softmax`,
   * nnU-Net v1 and
   * nnU-Net v2 write them.
   *
   * Range: at least 2 values.
   */
  readonly folders: readonly string[];
  /** Folder for the segmentations. Created if missing; existing segmentations are replaced. */
  readonly output: string;
  /**
   * For predictions of nnU-Net v2: the folder of a model of the ensemble, for its `plans.json` and
   * `dataset.json`. The
   * default is the first of the folders, where `predict` copies them.
   */
  readonly model?: string | undefined;
  /** A `postprocessing.json` to apply. The segmentations without it are then in `not_postprocessed`. */
  readonly rules?: string | undefined;
  /**
   * Also writes the mean softmax, `<case>.npz` and `<case>.pkl`.
   *
   * @default false
   */
  readonly saveSoftmax?: boolean | undefined;
  /** Part of the cases, `I/N`: this machine works on part I of N, from 1. */
  readonly shard?: Shard | undefined;
  /**
   * Memory for the cases that run at the same time, in GiB. The default is 60 % of the available memory.
   *
   * Range: above 0.
   */
  readonly memoryBudget?: number | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** Options of the verb `estimateMemory`. */
export interface EstimateMemoryOptions extends Abortable {
  /** The verb. */
  readonly verb: EstimatedVerb;
  /** The options of the verb. */
  readonly options: Readonly<Record<string, unknown>>;
  /**
   * Whether libtorch computes on a GPU.
   *
   * @default false
   */
  readonly gpu?: boolean | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/**
 * A verb whose memory is estimated.
 * - `plan`: Planning.
 * - `preprocess`: Planning and preprocessing.
 * - `weightmaps`: Weightmaps.
 * - `train`: Training of a fold.
 * - `predict`: Segmentation.
 * - `ensemble`: Mean softmax.
 * - `evaluate`: Evaluation.
 */
export type EstimatedVerb = 'plan' | 'preprocess' | 'weightmaps' | 'train' | 'predict' | 'ensemble' | 'evaluate';

/** Options of the verb `evaluate`. */
export interface EvaluateOptions extends Abortable {
  /** Folder of reference segmentations, `.nii.gz` or `.nii`. */
  readonly referenceDir: string;
  /** Folder of predicted segmentations with the same file names. */
  readonly predictionDir: string;
  /**
   * Labels or unions of labels to evaluate. The default is every label in a case.
   *
   * Range: at least 1 values.
   */
  readonly labels?: readonly Region[] | undefined;
  /**
   * Excludes voxels with this label in the reference, such as -1 for unlabelled voxels.
   *
   * Range: at least -32768, at most 32767.
   */
  readonly ignoreLabel?: number | undefined;
  /**
   * Accepts labels that occur in no case; their scores are undefined, as in nnU-Net v1. Otherwise they
   * are an
   * error.
   *
   * @default false
   */
  readonly absentLabels?: boolean | undefined;
  /**
   * Also measures "Hausdorff Distance 95" in millimetres (nnU-Net's `advanced`).
   *
   * With `ignoreLabel`, distances are measured between surfaces inside the labelled voxels. The border
   * between an
   * object and unlabelled voxels is not a surface. With labelled slices, the surface is the outline in
   * each slice.
   *
   * @default false
   */
  readonly hausdorff?: boolean | undefined;
  /** File to write. The default is `summary.json` in the folder of predictions. */
  readonly output?: string | undefined;
  /**
   * Form of the file: that of nnU-Net v1, or that of v2, which has Dice, IoU and counts.
   *
   * @default "v1"
   */
  readonly summaryFormat?: SummaryFormat | undefined;
  /**
   * Writes undefined metrics as the bare token `NaN`, as nnU-Net does, instead of null.
   *
   * @default false
   */
  readonly bareNan?: boolean | undefined;
  /**
   * Maximum difference of spacing and origin, as a fraction of the voxel, and of direction cosines
   * between a
   * prediction and its reference.
   *
   * Range: at least 0.
   * @default 0.001
   */
  readonly tolerance?: number | undefined;
  /**
   * Skips references without a prediction, such as those of other folds.
   *
   * @default false
   */
  readonly predictedOnly?: boolean | undefined;
  /**
   * Part of the cases, `I/N`: this machine compares part I of N, from 1, and writes
   * `summary_part_I_of_N.json`. A last
   * run with `mergeShards` instead writes the summary.
   */
  readonly shard?: Shard | undefined;
  /**
   * Number of parts. Takes the results of the parts instead of comparing, and writes the files of one
   * run over all cases.
   * The other options must be those of the parts. If no case failed, the files of the parts are then
   * removed.
   *
   * Range: at least 1.
   */
  readonly mergeShards?: number | undefined;
  /**
   * Name of the task in the summary.
   *
   * @default ""
   */
  readonly task?: string | undefined;
  /**
   * Groups of metrics to compute besides those of nnU-Net v1.
   *
   * @default []
   */
  readonly metrics?: readonly MetricGroup[] | undefined;
  /**
   * Distance in mm up to which surfaces agree (`surfaceDice`).
   *
   * Range: at least 0.
   * @default 1.0
   */
  readonly surfaceTolerance?: number | undefined;
  /**
   * Neighbours of a voxel in a lesion: `full` are 26, `face` are 6.
   *
   * @default "full"
   */
  readonly lesionConnectivity?: LesionConnectivity | undefined;
  /**
   * Share of a lesion's voxels that the other segmentation must exceed. With 0, one voxel is enough.
   *
   * Range: at least 0.
   * @default 0.0
   */
  readonly lesionOverlap?: number | undefined;
  /**
   * Sizes in mm³ between the groups of lesions, ascending.
   *
   * @default [100.0,1000.0]
   */
  readonly lesionSizes?: readonly number[] | undefined;
  /**
   * Number of intervals of the calibration error.
   *
   * Range: at least 1, at most 10000.
   * @default 15
   */
  readonly calibrationBins?: number | undefined;
  /**
   * Bootstrap samples of the confidence intervals; 0 computes none.
   *
   * Range: at most 1000000.
   * @default 1000
   */
  readonly bootstrap?: number | undefined;
  /**
   * Share of the confidence intervals.
   *
   * Range: above 0.
   * @default 0.95
   */
  readonly confidence?: number | undefined;
  /**
   * Seed of the bootstrap samples.
   *
   * @default 1234
   */
  readonly seed?: number | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/**
 * Method of resampling a softmax to the original grid.
 * - `default`: nnU-Net's own resampling, with all classes in memory on the original grid.
 * - `alt`: The alternative of DIAG's fork (`DIAG_NNUNET_ALT_RESAMPLING`). A separate axis is
 * interpolated between the centres of its first and last slices, `i * (n_in - 1) / (n_out - 1)`. A
 * single output slice is the first one. Otherwise equal to the default. Labels are decided block by
 * block, as with `streamed`.
 * - `streamed`: Values of the default, with labels decided block by block. Memory does not grow with
 * classes times original grid.
 */
export type ExportMode = 'default' | 'alt' | 'streamed';

/** Options of the verb `exportModel`. */
export interface ExportModelOptions extends Abortable {
  /**
   * Folders of the models, `RESULTS_FOLDER/nnUNet/CONFIGURATION/TaskXXX_NAME/TRAINER__PLANS`, or
   * `nnUNet_results/DatasetXXX_NAME/TRAINER__PLANS__CONFIGURATION` of nnU-Net v2.
   *
   * Range: at least 1 values.
   */
  readonly models: readonly string[];
  /** The zip file. */
  readonly output: string;
  /**
   * Folds to export: numbers or `all`. The default is every fold with a number; `all` if no other
   * exists.
   * Unfinished folds are an error.
   *
   * Range: at least 1 values.
   */
  readonly folds?: readonly Fold[] | undefined;
  /**
   * Requires every file that nnU-Net v1 requires, also `postprocessing.json`, `debug.json` and
   * `progress.png`.
   * Otherwise a missing one is a warning.
   *
   * @default false
   */
  readonly strict?: boolean | undefined;
  /**
   * Replaces an existing zip file.
   *
   * @default false
   */
  readonly overwrite?: boolean | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** Options of the verb `findBestConfiguration`. */
export interface FindBestConfigurationOptions extends Abortable {
  /** Number, name or folder of the task. */
  readonly task: string;
  /**
   * Configurations to compare. The default is every configuration.
   *
   * Range: at least 1 values.
   */
  readonly configurations?: readonly Configuration[] | undefined;
  /**
   * Folds of the cross-validation. The default is 0 to 4, as in nnU-Net v1.
   *
   * Range: at least 1 values.
   */
  readonly folds?: readonly Fold[] | undefined;
  /**
   * Trainer of the models.
   *
   * @default "nnUNetTrainerV2"
   */
  readonly trainer?: string | undefined;
  /**
   * Trainer of `3d_cascade_fullres`.
   *
   * @default "nnUNetTrainerV2CascadeFullRes"
   */
  readonly cascadeTrainer?: string | undefined;
  /**
   * Plans identifier in the names of the model folders.
   *
   * @default "nnUNetPlansv2.1"
   */
  readonly plans?: string | undefined;
  /**
   * Also compares the ensemble of every two configurations, which needs the softmax of their validation
   * cases.
   *
   * @default true
   */
  readonly ensembling?: boolean | undefined;
  /**
   * Determines the postprocessing of every configuration and ensemble.
   *
   * @default true
   */
  readonly postprocessing?: boolean | undefined;
  /**
   * A configuration without a trained model is an error. Otherwise it is left out with a warning.
   *
   * @default false
   */
  readonly strict?: boolean | undefined;
  /**
   * Excludes voxels with this label in the reference, such as -1 for unlabelled voxels.
   *
   * Range: at least -32768, at most 32767.
   */
  readonly ignoreLabel?: number | undefined;
  /**
   * Folder that holds `nnUNet_raw_data` and `nnUNet_cropped_data`. The default is
   * `$nnUNet_raw_data_base`.
   */
  readonly rawDataBase?: string | undefined;
  /** Folder of preprocessed tasks. The default is `$nnUNet_preprocessed`. */
  readonly preprocessed?: string | undefined;
  /** Folder of trained models. The default is `$RESULTS_FOLDER`. */
  readonly results?: string | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** A fold: its number, or `all`. */
export type Fold = number | string;

/** Options of the verb `inspect`. */
export interface InspectOptions extends Abortable {
  /**
   * A `.pkl`, `.model`, `.pth`, `.npz`, `.npy`, `.nii` or `.nii.gz` file, or the folder of a model of
   * nnU-Net v2.
   */
  readonly file: string;
  /**
   * Shows arrays of up to this many elements whole, longer ones by shape and type.
   *
   * @default 64
   */
  readonly longest?: number | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** Options of the verb `installModel`. */
export interface InstallModelOptions extends Abortable {
  /** The zip file, of `export-model`, nnU-Net v1 or v2. */
  readonly zip: string;
  /**
   * Folder that gets `CONFIGURATION/TaskXXX_NAME/TRAINER__PLANS`, or
   * `DatasetXXX_NAME/TRAINER__PLANS__CONFIGURATION` of
   * nnU-Net v2. Created if missing. The default is `nnUNet` in the folder of trained models; for models
   * of v2
   * `$nnUNet_results`, else the folder of trained models.
   */
  readonly output?: string | undefined;
  /** Folder of trained models. The default is `$RESULTS_FOLDER`. */
  readonly results?: string | undefined;
  /**
   * Installs models in the place of existing ones, whose folders are kept under another name.
   *
   * @default false
   */
  readonly overwrite?: boolean | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/**
 * Which voxels of a lesion are neighbours.
 * - `full`: Voxels that share a face, an edge or a corner (26 neighbours), the default of
 * `connected-components-3d`.
 * - `face`: Voxels that share a face (6 neighbours), the default of scipy.
 */
export type LesionConnectivity = 'full' | 'face';

/** Options of the verb `loadModel`. */
export interface LoadModelOptions extends Abortable {
  /**
   * Folder of the model: `<trainer>__<plans>` of nnU-Net v1, with `plans.pkl` and the folds, or
   * `<trainer>__<plans>__<configuration>` of nnU-Net v2, with `plans.json`, `dataset.json` and the
   * folds.
   */
  readonly model: string;
  /**
   * Folds to average: numbers or `all`. The default is every trained fold with a number, as in nnU-Net
   * v1; `all` if
   * no other exists.
   *
   * Range: at least 1 values.
   */
  readonly folds?: readonly Fold[] | undefined;
  /**
   * Model of the first stage of a cascade. The default is `3d_lowres/<task>/nnUNetTrainerV2__<plans>`
   * beside the folder
   * of the configuration of the model; with a model of nnU-Net v2, the previous stage that its plans
   * name, beside its
   * folder.
   */
  readonly lowresModel?: string | undefined;
  /**
   * Checkpoint of each fold: `final`, `best`, `latest`, or for a model of nnU-Net v1 a file name without
   * `.model`.
   *
   * @default "final"
   */
  readonly checkpoint?: string | undefined;
  /**
   * Resampling of the softmax to the grid of the image, with a model of nnU-Net v1; the plans of v2 name
   * their own. The
   * default is `streamed`, or `alt` if the environment variable `DIAG_NNUNET_ALT_RESAMPLING` is on.
   */
  readonly export?: ExportMode | undefined;
  /**
   * Step between tiles as a fraction of the patch.
   *
   * Range: above 0, at most 1.
   * @default 0.5
   */
  readonly stepSize?: number | undefined;
  /**
   * Averages predictions over mirrored copies along every axis, unless the trainer of the model does not
   * mirror. With a
   * model of nnU-Net v2, the axes are those that its checkpoint allows.
   *
   * @default true
   */
  readonly mirroring?: boolean | undefined;
  /**
   * Applies the `postprocessing.json` of the model, if it has one.
   *
   * @default true
   */
  readonly postprocessing?: boolean | undefined;
  /**
   * Memory of the process that a prediction may use: bytes, or text such as `8G`. A softmax that does
   * not fit whole is
   * computed and resampled some planes at a time, with the same result, unless it is returned. The
   * default is 60 % of
   * the free memory, at most 4 GiB in addition to the model.
   */
  readonly memory?: MemorySize | undefined;
  /**
   * Treatment of voxels that are NaN or infinite.
   *
   * @default "refuse"
   */
  readonly nonfinite?: NonFinite | undefined;
  /**
   * Device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
   *
   * @default "auto"
   */
  readonly device?: string | undefined;
  /**
   * Precision of the network. `auto` selects the fastest safe one and reports it.
   *
   * @default "auto"
   */
  readonly precision?: Precision | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** Composition of the loss. Class weights have one value per class, background first. */
export interface LossRecipe {
  /**
   * Weight of the cross-entropy.
   *
   * Range: at least 0.
   * @default 1.0
   */
  readonly crossEntropy?: number | undefined;
  /**
   * Weight of the soft Dice term.
   *
   * Range: at least 0.
   * @default 1.0
   */
  readonly dice?: number | undefined;
  /** Class weights of the cross-entropy, applied to each voxel by its label. */
  readonly crossEntropyClassWeights?: readonly number[] | undefined;
  /** Class weights of Dice: the mean over foreground classes becomes a weighted mean. */
  readonly diceClassWeights?: readonly number[] | undefined;
  /**
   * What Dice counts of each voxel: its weight in the weightmap, or 1.
   *
   * @default "weightmap"
   */
  readonly weightDice?: DiceWeights | undefined;
  /**
   * Minimises -log(Dice) instead of -Dice.
   *
   * @default false
   */
  readonly logDice?: boolean | undefined;
  /**
   * Smoothing term, added to numerator and denominator of Dice.
   *
   * Range: above 0.
   * @default 0.00001
   */
  readonly smooth?: number | undefined;
  /**
   * Counts ignored voxels as background in the cross-entropy, like the class-weighted loss of DIAG's
   * fork.
   *
   * @default false
   */
  readonly ignoredIsBackground?: boolean | undefined;
}

/** An amount of memory: bytes, or text such as `8G` or `500M` (powers of 1024). */
export type MemorySize = string | number;

/**
 * Metrics that are computed together.
 * - `surface`: `hd95`, `assd` and `surfaceDice`, as DeepMind's `surface-distance` defines surfaces and
 * their area.
 * - `volume`: Volumes and their errors.
 * - `lesions`: Detection of connected components: sensitivity, precision and F1, also by size.
 * - `calibration`: Expected calibration error, for cases with a softmax (`<case>.npz` and
 * `<case>.pkl`) beside the prediction.
 */
export type MetricGroup = 'surface' | 'volume' | 'lesions' | 'calibration';

/**
 * Treatment of image voxels that are NaN or infinite, and of CT intensities without a spread.
 * - `refuse`: The case fails.
 * - `zero`: The values become 0, with a warning.
 */
export type NonFinite = 'refuse' | 'zero';

/**
 * Purpose of the batches. Each phase has its own random streams.
 * - `training`: Augmented batches.
 * - `validation`: Unaugmented batches.
 */
export type Phase = 'training' | 'validation';

/** Options of the verb `plan`. */
export interface PlanOptions extends Abortable {
  /** Number, `TaskXXX_NAME` or folder of a task. */
  readonly task: string;
  /**
   * Configurations to plan and preprocess. The default is all configurations that nnU-Net plans.
   *
   * Range: at least 1 values.
   */
  readonly configurations?: readonly Configuration[] | undefined;
  /**
   * Patch size instead of the planned one, in voxels, coarsest axis first: three values, two for 2D.
   *
   * Range: at least 2 values, at most 3 values.
   */
  readonly patchSize?: readonly number[] | undefined;
  /**
   * Batch size instead of the planned one.
   *
   * Range: at least 1.
   */
  readonly batchSize?: number | undefined;
  /**
   * Target spacing instead of the planned one, in mm: z y x.
   *
   * Transpose, shapes and patch follow from it.
   */
  readonly spacing?: readonly [number, number, number] | undefined;
  /**
   * Order of the poolings of the 3D network.
   *
   * @default "bySpacing"
   */
  readonly pooling?: Pooling | undefined;
  /**
   * Applies mask normalisation to a modality called `ct` (not `CT`), which nnU-Net v1 does by mistake.
   *
   * @default false
   */
  readonly maskLowercaseCt?: boolean | undefined;
  /**
   * Memory in GiB for cases that are processed at the same time. The default is most of the available
   * memory.
   *
   * Range: at least 0.000001.
   */
  readonly memoryBudget?: number | undefined;
  /**
   * Part of the cases, `I/N`: this machine works on part I of N, from 1. `plan` only crops them;
   * `preprocess` takes the
   * plans of the task, which a run of `plan` without it writes.
   */
  readonly shard?: Shard | undefined;
  /**
   * Folder on a fast disk of this machine, such as `$TMPDIR`, whose variables are read there: results
   * are written in it
   * and then moved to the folder of preprocessed data.
   */
  readonly scratch?: string | undefined;
  /**
   * Repeats finished work.
   *
   * @default false
   */
  readonly overwrite?: boolean | undefined;
  /**
   * Writes `nnUNet_cropped_data`, as nnU-Net v1 does. This package does not need it.
   *
   * @default true
   */
  readonly keepCropped?: boolean | undefined;
  /**
   * Meaning of -1 in labels.
   *
   * @default "distinct"
   */
  readonly unlabelled?: Unlabelled | undefined;
  /**
   * Region of the images to keep.
   *
   * @default "nonzero"
   */
  readonly crop?: Crop | undefined;
  /**
   * Treatment of voxels that are NaN or infinite.
   *
   * @default "refuse"
   */
  readonly nonfinite?: NonFinite | undefined;
  /**
   * Folder that holds `nnUNet_raw_data` and `nnUNet_cropped_data`. The default is
   * `$nnUNet_raw_data_base`.
   */
  readonly rawDataBase?: string | undefined;
  /** Folder of preprocessed tasks. The default is `$nnUNet_preprocessed`. */
  readonly preprocessed?: string | undefined;
  /** Folder of trained models. The default is `$RESULTS_FOLDER`. */
  readonly results?: string | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/**
 * Order of the poolings of the 3D network.
 * - `bySpacing`: Finest axes first, until spacings are similar (`get_pool_and_conv_props`): nnU-Net
 * v1's default planner.
 * - `late`: Axes with fewer poolings start later (`get_pool_and_conv_props_poolLateV2`): nnU-Net's
 * first planner.
 */
export type Pooling = 'bySpacing' | 'late';

/**
 * Precision of the network's convolutions. Parameters, normalisation statistics and the loss stay
 * float32.
 * - `auto`: The fastest safe precision of the device: float16 on CUDA, bfloat16 on CPUs that support
 * it natively, else float32.
 * - `float32`: Single precision.
 * - `tf32`: Single precision with the input of convolutions rounded to TensorFloat-32, on CUDA.
 * Faster, with the mantissa of float16.
 * - `bfloat16`: Half the memory of float32, with its range.
 * - `float16`: Half the memory of float32. More precise than bfloat16, with a smaller range. Training
 * scales the loss.
 */
export type Precision = 'auto' | 'float32' | 'tf32' | 'bfloat16' | 'float16';

/** Options of the verb `predict`. */
export interface PredictOptions extends Abortable {
  /** Folder of images: `<case>_0000.nii.gz` and so on, one file per channel. */
  readonly input: string;
  /** Folder for the segmentations. Created if missing. */
  readonly output: string;
  /**
   * Folder of the model: `<trainer>__<plans>` of nnU-Net v1, with `plans.pkl` and the folds, or
   * `<trainer>__<plans>__<configuration>` of nnU-Net v2, with `plans.json`, `dataset.json` and the
   * folds.
   */
  readonly model: string;
  /**
   * Folds to average: numbers or `all`. The default is every trained fold with a number, as in nnU-Net
   * v1; `all` if
   * no other exists.
   *
   * Range: at least 1 values.
   */
  readonly folds?: readonly Fold[] | undefined;
  /**
   * Segmentations of the first stage, for a model of the second stage of a cascade: a folder of
   * `<case>.nii.gz`. By
   * default they are predicted into `3d_lowres_predictions` in the output folder.
   */
  readonly lowresSegmentations?: string | undefined;
  /**
   * Model of the first stage of a cascade. The default is `3d_lowres/<task>/nnUNetTrainerV2__<plans>`
   * beside the folder
   * of the configuration of the model; with a model of nnU-Net v2, the previous stage that its plans
   * name, beside its
   * folder.
   */
  readonly lowresModel?: string | undefined;
  /**
   * Checkpoint of each fold: `final`, `best`, `latest`, or for a model of nnU-Net v1 a file name without
   * `.model`.
   *
   * @default "final"
   */
  readonly checkpoint?: string | undefined;
  /**
   * Also writes `<case>.npz` and `<case>.pkl`, for ensembling: `softmax` of the cropped region with a
   * model of nnU-Net v1,
   * `probabilities` of the whole image with one of v2, both in float16.
   *
   * @default false
   */
  readonly saveSoftmax?: boolean | undefined;
  /**
   * Resampling of the softmax to the grid of the image, with a model of nnU-Net v1; the plans of v2 name
   * their own. The
   * default is `streamed`, or `alt` if the environment variable `DIAG_NNUNET_ALT_RESAMPLING` is on.
   */
  readonly export?: ExportMode | undefined;
  /**
   * Step between tiles as a fraction of the patch.
   *
   * Range: above 0, at most 1.
   * @default 0.5
   */
  readonly stepSize?: number | undefined;
  /**
   * Averages predictions over mirrored copies along every axis, unless the trainer of the model does not
   * mirror. With a
   * model of nnU-Net v2, the axes are those that its checkpoint allows.
   *
   * @default true
   */
  readonly mirroring?: boolean | undefined;
  /**
   * Applies the `postprocessing.json` of the model, if it has one.
   *
   * @default true
   */
  readonly postprocessing?: boolean | undefined;
  /**
   * Memory of the process that the prediction may use: bytes, or text such as `8G`. A softmax that does
   * not fit whole is
   * computed and exported some planes at a time, with the same result. The default is 60 % of the free
   * memory, at most
   * 4 GiB in addition to the model.
   */
  readonly memory?: MemorySize | undefined;
  /**
   * Treatment of voxels that are NaN or infinite.
   *
   * @default "refuse"
   */
  readonly nonfinite?: NonFinite | undefined;
  /** Part of the cases, `I/N`: this machine segments part I of N, from 1. */
  readonly shard?: Shard | undefined;
  /**
   * Folder on a fast disk of this machine, such as `$TMPDIR`, whose variables are read there: the
   * results of a case are
   * made in it and then moved to the output folder, the segmentation last.
   */
  readonly scratch?: string | undefined;
  /**
   * Predicts cases again whose segmentation exists.
   *
   * Without it, a segmentation is kept if it is whole, has the grid of its image, and was made by this
   * model with
   * these settings. Otherwise it is predicted again, with a warning.
   *
   * @default false
   */
  readonly overwrite?: boolean | undefined;
  /**
   * Device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
   *
   * @default "auto"
   */
  readonly device?: string | undefined;
  /**
   * Precision of the network. `auto` selects the fastest safe one and reports it.
   *
   * @default "auto"
   */
  readonly precision?: Precision | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** Options of the verb `preprocess`. */
export interface PreprocessOptions extends Abortable {
  /** Number, `TaskXXX_NAME` or folder of a task. */
  readonly task: string;
  /**
   * Configurations to plan and preprocess. The default is all configurations that nnU-Net plans.
   *
   * Range: at least 1 values.
   */
  readonly configurations?: readonly Configuration[] | undefined;
  /**
   * Patch size instead of the planned one, in voxels, coarsest axis first: three values, two for 2D.
   *
   * Range: at least 2 values, at most 3 values.
   */
  readonly patchSize?: readonly number[] | undefined;
  /**
   * Batch size instead of the planned one.
   *
   * Range: at least 1.
   */
  readonly batchSize?: number | undefined;
  /**
   * Target spacing instead of the planned one, in mm: z y x.
   *
   * Transpose, shapes and patch follow from it.
   */
  readonly spacing?: readonly [number, number, number] | undefined;
  /**
   * Order of the poolings of the 3D network.
   *
   * @default "bySpacing"
   */
  readonly pooling?: Pooling | undefined;
  /**
   * Applies mask normalisation to a modality called `ct` (not `CT`), which nnU-Net v1 does by mistake.
   *
   * @default false
   */
  readonly maskLowercaseCt?: boolean | undefined;
  /**
   * Memory in GiB for cases that are processed at the same time. The default is most of the available
   * memory.
   *
   * Range: at least 0.000001.
   */
  readonly memoryBudget?: number | undefined;
  /**
   * Part of the cases, `I/N`: this machine works on part I of N, from 1. `plan` only crops them;
   * `preprocess` takes the
   * plans of the task, which a run of `plan` without it writes.
   */
  readonly shard?: Shard | undefined;
  /**
   * Folder on a fast disk of this machine, such as `$TMPDIR`, whose variables are read there: results
   * are written in it
   * and then moved to the folder of preprocessed data.
   */
  readonly scratch?: string | undefined;
  /**
   * Repeats finished work.
   *
   * @default false
   */
  readonly overwrite?: boolean | undefined;
  /**
   * Writes `nnUNet_cropped_data`, as nnU-Net v1 does. This package does not need it.
   *
   * @default true
   */
  readonly keepCropped?: boolean | undefined;
  /**
   * Meaning of -1 in labels.
   *
   * @default "distinct"
   */
  readonly unlabelled?: Unlabelled | undefined;
  /**
   * Region of the images to keep.
   *
   * @default "nonzero"
   */
  readonly crop?: Crop | undefined;
  /**
   * Treatment of voxels that are NaN or infinite.
   *
   * @default "refuse"
   */
  readonly nonfinite?: NonFinite | undefined;
  /**
   * Folder that holds `nnUNet_raw_data` and `nnUNet_cropped_data`. The default is
   * `$nnUNet_raw_data_base`.
   */
  readonly rawDataBase?: string | undefined;
  /** Folder of preprocessed tasks. The default is `$nnUNet_preprocessed`. */
  readonly preprocessed?: string | undefined;
  /** Folder of trained models. The default is `$RESULTS_FOLDER`. */
  readonly results?: string | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** Options of the verb `previewBatches`. */
export interface PreviewBatchesOptions extends Abortable {
  /** Number, `TaskXXX_NAME` or preprocessed folder of a task. */
  readonly task: string;
  /** Configuration to train. */
  readonly configuration: Configuration;
  /**
   * Fold of `splits_final.pkl` (0 to 4 for nnU-Net's own), or `all` to train and validate on all cases.
   *
   * @default 0
   */
  readonly fold?: Fold | undefined;
  /**
   * Draws a random 80:20 split for a fold that the splits do not have, as nnU-Net v1 does.
   *
   * The split ignores patients: cases of one patient may be in both training and validation.
   *
   * @default false
   */
  readonly randomSplit?: boolean | undefined;
  /**
   * Preset of sampling, ignore label, voxel weights and loss. The model folder has its name.
   *
   * @default "nnUNetTrainerV2"
   */
  readonly trainer?: Trainer | undefined;
  /** Recipe that replaces the preset, such as `{"ignoreLabel":-1,"voxelWeights":true}`. */
  readonly recipe?: Recipe | undefined;
  /**
   * Excludes cases without annotated voxels. Requires sampling around annotated voxels.
   *
   * @default false
   */
  readonly skipUnannotated?: boolean | undefined;
  /**
   * Seed of all random draws. The same inputs, options and seed give the same result.
   *
   * @default 0
   */
  readonly seed?: number | undefined;
  /**
   * Batch size; overrides the planned one.
   *
   * Range: at least 1.
   */
  readonly batchSize?: number | undefined;
  /**
   * Patch size in voxels (three values, two for 2D); overrides the planned one.
   *
   * Range: at least 2 values, at most 3 values.
   */
  readonly patchSize?: readonly number[] | undefined;
  /**
   * Folder with `<case>_segFromPrevStage.npz`, for `3d_cascade_fullres`.
   *
   * The default is `pred_next_stage` of the low-resolution model, as in nnU-Net v1.
   */
  readonly previousStage?: string | undefined;
  /**
   * JSON file with the annotated classes of partially annotated cases, such as `{"case_001": [1, 3]}`.
   * The other classes
   * do not count in these cases. The default is `presentLabels` of the training cases in `dataset.json`.
   */
  readonly presentLabels?: string | undefined;
  /**
   * Folder that holds `nnUNet_raw_data` and `nnUNet_cropped_data`. The default is
   * `$nnUNet_raw_data_base`.
   */
  readonly rawDataBase?: string | undefined;
  /** Folder of preprocessed tasks. The default is `$nnUNet_preprocessed`. */
  readonly preprocessed?: string | undefined;
  /** Folder of trained models. The default is `$RESULTS_FOLDER`. */
  readonly results?: string | undefined;
  /**
   * Augmented training batches, or unaugmented validation batches.
   *
   * @default "training"
   */
  readonly phase?: Phase | undefined;
  /**
   * Epoch of the batches, counted from 0.
   *
   * @default 0
   */
  readonly epoch?: number | undefined;
  /**
   * Iteration of the first batch within the epoch, counted from 0.
   *
   * @default 0
   */
  readonly iteration?: number | undefined;
  /**
   * Number of consecutive batches.
   *
   * Range: at least 1.
   * @default 1
   */
  readonly batches?: number | undefined;
  /**
   * Writes `<case>.npy` files like training, instead of decompressing the cases in memory.
   *
   * @default false
   */
  readonly unpack?: boolean | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** Options of the verb `preview`. */
export interface PreviewOptions extends Abortable {
  /** Number, `TaskXXX_NAME` or preprocessed folder of a task. */
  readonly task: string;
  /** Configuration to train. */
  readonly configuration: Configuration;
  /**
   * Fold of `splits_final.pkl` (0 to 4 for nnU-Net's own), or `all` to train and validate on all cases.
   *
   * @default 0
   */
  readonly fold?: Fold | undefined;
  /**
   * Draws a random 80:20 split for a fold that the splits do not have, as nnU-Net v1 does.
   *
   * The split ignores patients: cases of one patient may be in both training and validation.
   *
   * @default false
   */
  readonly randomSplit?: boolean | undefined;
  /**
   * Preset of sampling, ignore label, voxel weights and loss. The model folder has its name.
   *
   * @default "nnUNetTrainerV2"
   */
  readonly trainer?: Trainer | undefined;
  /** Recipe that replaces the preset, such as `{"ignoreLabel":-1,"voxelWeights":true}`. */
  readonly recipe?: Recipe | undefined;
  /**
   * Excludes cases without annotated voxels. Requires sampling around annotated voxels.
   *
   * @default false
   */
  readonly skipUnannotated?: boolean | undefined;
  /**
   * Seed of all random draws. The same inputs, options and seed give the same result.
   *
   * @default 0
   */
  readonly seed?: number | undefined;
  /**
   * Batch size; overrides the planned one.
   *
   * Range: at least 1.
   */
  readonly batchSize?: number | undefined;
  /**
   * Patch size in voxels (three values, two for 2D); overrides the planned one.
   *
   * Range: at least 2 values, at most 3 values.
   */
  readonly patchSize?: readonly number[] | undefined;
  /**
   * Folder with `<case>_segFromPrevStage.npz`, for `3d_cascade_fullres`.
   *
   * The default is `pred_next_stage` of the low-resolution model, as in nnU-Net v1.
   */
  readonly previousStage?: string | undefined;
  /**
   * JSON file with the annotated classes of partially annotated cases, such as `{"case_001": [1, 3]}`.
   * The other classes
   * do not count in these cases. The default is `presentLabels` of the training cases in `dataset.json`.
   */
  readonly presentLabels?: string | undefined;
  /**
   * Folder that holds `nnUNet_raw_data` and `nnUNet_cropped_data`. The default is
   * `$nnUNet_raw_data_base`.
   */
  readonly rawDataBase?: string | undefined;
  /** Folder of preprocessed tasks. The default is `$nnUNet_preprocessed`. */
  readonly preprocessed?: string | undefined;
  /** Folder of trained models. The default is `$RESULTS_FOLDER`. */
  readonly results?: string | undefined;
  /**
   * Augmented training batches, or unaugmented validation batches.
   *
   * @default "training"
   */
  readonly phase?: Phase | undefined;
  /**
   * Epoch of the batches, counted from 0.
   *
   * @default 0
   */
  readonly epoch?: number | undefined;
  /**
   * Iteration of the first batch within the epoch, counted from 0.
   *
   * @default 0
   */
  readonly iteration?: number | undefined;
  /**
   * Number of consecutive batches.
   *
   * Range: at least 1.
   * @default 1
   */
  readonly batches?: number | undefined;
  /**
   * Writes `<case>.npy` files like training, instead of decompressing the cases in memory.
   *
   * @default false
   */
  readonly unpack?: boolean | undefined;
  /**
   * Picture to write, `.svg` or `.png`. Replaces an existing file.
   *
   * @default "preview.svg"
   */
  readonly output?: string | undefined;
  /**
   * Side of the picture for the patient's left, by the direction in the header of the case.
   *
   * @default "radiological"
   */
  readonly convention?: DisplayConvention | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** A trainer as a value: sampling, augmentation, voxel weights and loss. */
export interface Recipe {
  /**
   * Sampling of training patches: random positions with a third of each batch forced onto foreground
   * (nnU-Net v1), or around annotated voxels including the background (DIAG's sparse trainer).
   *
   * @default {"kind":"foreground","fraction":0.33}
   */
  readonly sampling?: Sampling | undefined;
  /**
   * Label excluded from loss and metrics: -1 (unlabelled). By default no label is excluded.
   *
   * Range: at least -1, at most -1.
   */
  readonly ignoreLabel?: number | undefined;
  /**
   * Labels of the data that count as unlabelled, such as 255: excluded from sampling, loss and metrics
   * like -1.
   * They need `ignoreLabel`.
   *
   * @default []
   */
  readonly ignoredLabels?: readonly number[] | undefined;
  /**
   * Weights the voxels of the cross-entropy with `<case>_weightmap.npy`.
   *
   * @default false
   */
  readonly voxelWeights?: boolean | undefined;
  /**
   * Augmentation of training patches.
   *
   * @default {"referenceRules":false}
   */
  readonly augmentation?: Augmentation | undefined;
  /**
   * Composition of the loss.
   *
   * @default
   * {"crossEntropy":1.0,"dice":1.0,"crossEntropyClassWeights":null,"diceClassWeights":null,"weightDice":"weightmap","logDice":false,"smooth":0.00001,"ignoredIsBackground":false}
   */
  readonly loss?: LossRecipe | undefined;
}

/**
 * A label or a union of labels. In JSON: `1`, `[1, 2]`, or `{ "name": "whole tumour", "labels": [1, 2]
 * }`.
 */
export type Region = number | readonly number[] | {
  /** Key of the region in results. */
  readonly name: string;
  /** Labels of the region. */
  readonly labels: readonly number[];
};

/** Options of the verb `report`. */
export interface ReportOptions extends Abortable {
  /**
   * Folders of trained models, folds, tasks or predictions. What a folder is, is found by what it holds.
   *
   * Runs of several models are laid over one another. Two models or two folders of predictions with
   * cases in common
   * are compared, too: differences are second minus first.
   *
   * Range: at least 1 values.
   */
  readonly paths: readonly string[];
  /**
   * Folder of reference segmentations of the predictions. The default for a model is where its training
   * keeps them.
   */
  readonly reference?: string | undefined;
  /**
   * Folder of the images, such as `imagesTs`. The default is where a preprocessed case says that its
   * image is.
   */
  readonly images?: string | undefined;
  /**
   * Cases to look at for each path, the worst first; 0 leaves out all images.
   *
   * @default 20
   */
  readonly cases?: number | undefined;
  /**
   * Largest size of the page in megabytes. Images that do not fit are thinned, and channels that do not
   * fit even then
   * are left out; the page states it.
   *
   * Range: at least 1, at most 2000.
   * @default 30.0
   */
  readonly maxSize?: number | undefined;
  /**
   * Label of references that does not count: unlabelled voxels.
   *
   * Range: at least -32768, at most 32767.
   * @default -1
   */
  readonly ignoreLabel?: number | undefined;
  /**
   * File to write.
   *
   * @default "report.html"
   */
  readonly output?: string | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** The sampling rule of patches. */
export type Sampling = {
  readonly kind: 'foreground';
  /**
   * Fraction of each batch to force onto foreground, rounded as in the reference.
   *
   * Range: at least 0, at most 1.
   * @default 0.33
   */
  readonly fraction?: number | undefined;
} | {
  readonly kind: 'annotated';
  /**
   * Random shift of the patch, as a fraction of the shifts that keep the drawn voxel inside; 0 centres
   * it.
   *
   * Range: at least 0, at most 1.
   * @default 0.0
   */
  readonly offset?: number | undefined;
  /**
   * Draws the class first (the background is one), then the voxel.
   *
   * @default false
   */
  readonly balance?: boolean | undefined;
  /**
   * Redraws the spatial transform if it leaves no annotated voxel in the patch.
   *
   * @default true
   */
  readonly keepAnnotated?: boolean | undefined;
  /**
   * Excludes cases without annotated voxels instead of failing.
   *
   * @default false
   */
  readonly skipUnannotated?: boolean | undefined;
} | {
  readonly kind: 'fork';
  /**
   * Fraction of each batch to force onto foreground, rounded as in the reference.
   *
   * Range: at least 0, at most 1.
   * @default 0.33
   */
  readonly fraction?: number | undefined;
};

/** A part of a list of cases: `I/N`, part I of N, from 1. */
export type Shard = string;

/** Options of the verb `simulateSparse`. */
export interface SimulateSparseOptions extends Abortable {
  /** Number, `TaskXXX_NAME` or folder of a raw task with dense labels. */
  readonly task: string;
  /** Name of the new task, such as `Task602_IcbmSparse`. Its number must be free. */
  readonly name: string;
  /**
   * What is annotated: whole slices, scribbles in slices, or single voxels.
   *
   * @default "slices"
   */
  readonly pattern?: SparsePattern | undefined;
  /**
   * Share of the voxels of a case to annotate, above 0 and at most 1. Scribbles and voxels take this
   * share
   * of each class, at least one voxel.
   *
   * Range: above 0, at most 1.
   */
  readonly share?: number | undefined;
  /**
   * Slices of a case to annotate across each of `axes`, instead of `share`. More are annotated where a
   * class would have no voxel.
   *
   * Range: at least 1.
   */
  readonly slices?: number | undefined;
  /**
   * Axes across which slices and scribbles lie.
   *
   * Range: at least 1 values, at most 3 values.
   * @default ["z"]
   */
  readonly axes?: readonly SparseAxis[] | undefined;
  /**
   * Seed. The voxels depend on it and on the name of the case.
   *
   * @default 0
   */
  readonly seed?: number | undefined;
  /**
   * Folder that holds `nnUNet_raw_data` and `nnUNet_cropped_data`. The default is
   * `$nnUNet_raw_data_base`.
   */
  readonly rawDataBase?: string | undefined;
  /** Folder of preprocessed tasks. The default is `$nnUNet_preprocessed`. */
  readonly preprocessed?: string | undefined;
  /** Folder of trained models. The default is `$RESULTS_FOLDER`. */
  readonly results?: string | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/** Options of the verb `slurm`. */
export interface SlurmOptions extends Abortable {
  /** Partition of the cluster. */
  readonly partition?: string | undefined;
  /** Account that is charged. */
  readonly account?: string | undefined;
  /** Generic resources of a task, such as `gpu:1`. */
  readonly gres?: string | undefined;
  /**
   * Cores of a task. The verb uses as many threads, unless `workers` is given.
   *
   * Range: at least 1.
   */
  readonly cpus?: number | undefined;
  /**
   * Memory of a task in Slurm's form, such as `32G`. `default` leaves it to the cluster. Without it, the
   * memory is
   * estimated from headers and plans, and left to the cluster where that is not possible yet.
   */
  readonly mem?: string | undefined;
  /**
   * Time limit of a task, such as `24h` or `1d12h`. Two minutes before it a task is told to stop. What
   * can continue is
   * then queued again, and continues.
   */
  readonly time?: string | undefined;
  /**
   * Further flags of `sbatch`, such as `--constraint=a100`; with `=`, one text each.
   *
   * Range: at least 1 values.
   */
  readonly sbatch?: readonly string[] | undefined;
  /**
   * Number of tasks among which the cases are divided.
   *
   * Range: at least 1.
   * @default 1
   */
  readonly shards?: number | undefined;
  /**
   * Maximum number of tasks that run at once.
   *
   * Range: at least 1.
   */
  readonly atOnce?: number | undefined;
  /** Condition of the start in Slurm's form, such as `afterok:1234`. */
  readonly dependency?: string | undefined;
  /**
   * Folder of scripts, logs and exit codes, with a folder for each submission.
   *
   * @default "nnunet-diag-jobs"
   */
  readonly jobsFolder?: string | undefined;
  /**
   * Shows the scripts and submits nothing.
   *
   * @default false
   */
  readonly dryRun?: boolean | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/**
 * An axis of an image.
 * - `z`: The last axis of the file: axial slices of most images.
 * - `y`: The second axis of the file.
 * - `x`: The first axis of the file.
 */
export type SparseAxis = 'z' | 'y' | 'x';

/**
 * What is annotated.
 * - `slices`: Whole slices.
 * - `scribbles`: Thin lines inside each class and the background.
 * - `voxels`: Single voxels of each class.
 */
export type SparsePattern = 'slices' | 'scribbles' | 'voxels';

/** Options of the verb `splits`. */
export interface SplitsOptions extends Abortable {
  /** Number, `TaskXXX_NAME` or folder of a task. */
  readonly task: string;
  /** Regular expression that keeps patients together. Its first group is the patient in a case's name. */
  readonly groupPattern?: string | undefined;
  /** File that keeps patients together: a JSON object of case to patient, or CSV lines `case,patient`. */
  readonly groups?: string | undefined;
  /** File of custom folds: `splits_final.pkl`, or JSON `[{"train":[…],"val":[…]},…]`. */
  readonly from?: string | undefined;
  /**
   * Replaces existing splits. The previous file is kept as `splits_final.old<n>.pkl`.
   *
   * @default false
   */
  readonly overwrite?: boolean | undefined;
  /**
   * Folder that holds `nnUNet_raw_data` and `nnUNet_cropped_data`. The default is
   * `$nnUNet_raw_data_base`.
   */
  readonly rawDataBase?: string | undefined;
  /** Folder of preprocessed tasks. The default is `$nnUNet_preprocessed`. */
  readonly preprocessed?: string | undefined;
  /** Folder of trained models. The default is `$RESULTS_FOLDER`. */
  readonly results?: string | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/**
 * Which nnU-Net's form a `summary.json` has.
 * - `v1`: nnU-Net v1.
 * - `v2`: nnU-Net v2: Dice, IoU and the counts of voxels for each label other than the background, and
 * their mean over labels.
 */
export type SummaryFormat = 'v1' | 'v2';

/**
 * Version of nnU-Net.
 * - `v1`: nnU-Net v1.
 * - `v2`: nnU-Net v2.
 */
export type Target = 'v1' | 'v2';

/** Options of the verb `train`. */
export interface TrainOptions extends Abortable {
  /** Number, `TaskXXX_NAME` or preprocessed folder of a task. */
  readonly task: string;
  /** Configuration to train. */
  readonly configuration: Configuration;
  /**
   * Fold of `splits_final.pkl` (0 to 4 for nnU-Net's own), or `all` to train and validate on all cases.
   *
   * @default 0
   */
  readonly fold?: Fold | undefined;
  /**
   * Draws a random 80:20 split for a fold that the splits do not have, as nnU-Net v1 does.
   *
   * The split ignores patients: cases of one patient may be in both training and validation.
   *
   * @default false
   */
  readonly randomSplit?: boolean | undefined;
  /**
   * Preset of sampling, ignore label, voxel weights and loss. The model folder has its name.
   *
   * @default "nnUNetTrainerV2"
   */
  readonly trainer?: Trainer | undefined;
  /** Recipe that replaces the preset, such as `{"ignoreLabel":-1,"voxelWeights":true}`. */
  readonly recipe?: Recipe | undefined;
  /**
   * Excludes cases without annotated voxels. Requires sampling around annotated voxels.
   *
   * @default false
   */
  readonly skipUnannotated?: boolean | undefined;
  /**
   * Seed of all random draws. The same inputs, options and seed give the same result.
   *
   * @default 0
   */
  readonly seed?: number | undefined;
  /**
   * Batch size; overrides the planned one.
   *
   * Range: at least 1.
   */
  readonly batchSize?: number | undefined;
  /**
   * Patch size in voxels (three values, two for 2D); overrides the planned one.
   *
   * Range: at least 2 values, at most 3 values.
   */
  readonly patchSize?: readonly number[] | undefined;
  /**
   * Folder with `<case>_segFromPrevStage.npz`, for `3d_cascade_fullres`.
   *
   * The default is `pred_next_stage` of the low-resolution model, as in nnU-Net v1.
   */
  readonly previousStage?: string | undefined;
  /**
   * JSON file with the annotated classes of partially annotated cases, such as `{"case_001": [1, 3]}`.
   * The other classes
   * do not count in these cases. The default is `presentLabels` of the training cases in `dataset.json`.
   */
  readonly presentLabels?: string | undefined;
  /**
   * Folder that holds `nnUNet_raw_data` and `nnUNet_cropped_data`. The default is
   * `$nnUNet_raw_data_base`.
   */
  readonly rawDataBase?: string | undefined;
  /** Folder of preprocessed tasks. The default is `$nnUNet_preprocessed`. */
  readonly preprocessed?: string | undefined;
  /** Folder of trained models. The default is `$RESULTS_FOLDER`. */
  readonly results?: string | undefined;
  /**
   * Weight of each class in cross-entropy and Dice, background first. For the class-weighted trainer.
   * `auto` computes
   * them from the labelled voxels of the fold's training cases by median frequency balancing.
   */
  readonly classWeights?: ClassWeights | undefined;
  /**
   * Epochs of the schedule.
   *
   * Range: at least 1.
   * @default 1000
   */
  readonly epochs?: number | undefined;
  /**
   * Training iterations per epoch.
   *
   * Range: at least 1.
   * @default 250
   */
  readonly iterations?: number | undefined;
  /**
   * Validation iterations per epoch.
   *
   * Range: at least 1.
   * @default 50
   */
  readonly validationIterations?: number | undefined;
  /**
   * Initial learning rate of the poly schedule.
   *
   * Range: above 0.
   * @default 0.01
   */
  readonly initialLr?: number | undefined;
  /**
   * Continues from the last checkpoint of the fold, if one exists.
   *
   * @default false
   */
  readonly continue?: boolean | undefined;
  /**
   * Trains anew in a fold that has checkpoints. The fold's folder is kept as `replaced_fold_X_<time>`.
   *
   * @default false
   */
  readonly overwrite?: boolean | undefined;
  /**
   * Initial weights: a `.model` file, a fold's folder or a model's folder. Layers that match in name and
   * shape are
   * taken; the others begin with random weights and are named. Ignored when a training continues.
   */
  readonly pretrained?: string | undefined;
  /**
   * Keeps the encoder as `pretrained` has it, and trains the decoder and the heads alone: faster, and
   * for few cases.
   *
   * @default false
   */
  readonly freezeEncoder?: boolean | undefined;
  /**
   * Ends the run after this time, such as `23h`, `90m` or `1h30m`: saves `model_latest` and fails with
   * `ERR_TIME_LIMIT`. The command line then exits with code 85, "continue me".
   */
  readonly stopAfter?: string | undefined;
  /**
   * Ends the training after this many epochs without a new best moving average of the validation Dice.
   *
   * Range: at least 1.
   */
  readonly patience?: number | undefined;
  /**
   * Epochs between checkpoints `model_latest`.
   *
   * Range: at least 1.
   * @default 50
   */
  readonly saveEvery?: number | undefined;
  /**
   * Folder of the model, with one folder per fold. The default follows nnU-Net's layout below the
   * results
   * folder.
   */
  readonly outputFolder?: string | undefined;
  /**
   * Several folds, trained one after the other instead of `fold`, such as `0-4`.
   *
   * Range: at least 1 values.
   */
  readonly folds?: readonly Fold[] | undefined;
  /**
   * Segments and evaluates the fold's validation cases after the training, and determines the
   * postprocessing.
   *
   * @default true
   */
  readonly validate?: boolean | undefined;
  /**
   * Only validates: takes the fold's final checkpoint and trains nothing.
   *
   * @default false
   */
  readonly validationOnly?: boolean | undefined;
  /**
   * Also writes the softmax of the validation cases (`<case>.npz` and `<case>.pkl`), for ensembling.
   *
   * @default false
   */
  readonly npz?: boolean | undefined;
  /**
   * Determines the postprocessing of the fold on its validation cases.
   *
   * @default true
   */
  readonly postprocessing?: boolean | undefined;
  /**
   * With 3d_lowres, writes the validation cases' segmentations for 3d_cascade_fullres to
   * `pred_next_stage`.
   *
   * @default true
   */
  readonly nextStage?: boolean | undefined;
  /**
   * Unpacks the compressed cases once to `<case>.npy` files and memory-maps these.
   *
   * @default true
   */
  readonly unpack?: boolean | undefined;
  /**
   * Folder on a fast disk of this machine, such as `$TMPDIR`, whose variables are read there: the cases
   * of the fold are
   * copied to it and unpacked there, so that patches are not read over the network. It is emptied at the
   * end.
   */
  readonly scratch?: string | undefined;
  /**
   * Writes the curves of every epoch as a TensorBoard event file into the fold's folder, too.
   *
   * @default false
   */
  readonly tensorboard?: boolean | undefined;
  /**
   * Loader threads; 0 uses all workers.
   *
   * @default 0
   */
  readonly loaderThreads?: number | undefined;
  /**
   * Selects CUDA algorithms deterministically instead of by measurement: slower, but closer to
   * repeatable.
   *
   * @default false
   */
  readonly deterministic?: boolean | undefined;
  /**
   * Trains with this many ranks on this machine, each in a process of its own with a GPU of its own, or
   * with its share of
   * the threads where `device` is `cpu`. They share each batch; the result is that of one rank but for
   * rounding.
   *
   * Range: at least 1.
   */
  readonly gpus?: number | undefined;
  /** How long a rank waits for the others before it ends, such as `10m` (the default) or `90s`. */
  readonly rankTimeout?: string | undefined;
  /**
   * Device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
   *
   * @default "auto"
   */
  readonly device?: string | undefined;
  /**
   * Precision of the network. `auto` selects the fastest safe one and reports it.
   *
   * @default "auto"
   */
  readonly precision?: Precision | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/**
 * Name of a trainer of nnU-Net v1 or DIAG's fork, a preset of the recipe. The model folder has this
 * name.
 * - `nnUNetTrainerV2`: nnU-Net v1's standard trainer: oversampled foreground, cross-entropy + Dice.
 * - `nnUNetTrainerV2Sparse`: Sparse annotations: patches centred on annotated voxels, -1 ignored.
 * - `nnUNetTrainerV2SparseNormalSampling`: Sparse annotations with nnU-Net's sampling, -1 ignored.
 * - `nnUNetTrainerV2Weighted`: Voxel weightmaps: cross-entropy weighted with `<case>_weightmap.npy`.
 * - `nnUNetTrainer_V2_Loss_CEandDice_Weighted`: Class-weighted cross-entropy + class-weighted Dice.
 * Requires class weights.
 */
export type Trainer = 'nnUNetTrainerV2' | 'nnUNetTrainerV2Sparse' | 'nnUNetTrainerV2SparseNormalSampling' | 'nnUNetTrainerV2Weighted' | 'nnUNetTrainer_V2_Loss_CEandDice_Weighted';

/**
 * Meaning of -1 in the user's label, besides the -1 that cropping writes outside the non-zero mask.
 * - `distinct`: -1 means unlabelled only: in such a case, background outside the mask stays 0.
 * - `merged`: -1 means both unlabelled and outside the mask, as in nnU-Net v1: masked background
 * becomes unlabelled, and mask normalisation erases the image at unlabelled voxels.
 */
export type Unlabelled = 'distinct' | 'merged';

/** Options of the verb `watch`. */
export interface WatchOptions extends Abortable {
  /**
   * Folders of trained models, folds, tasks or predictions. What a folder is, is found by what it holds.
   *
   * Runs of several models are laid over one another. Two models or two folders of predictions with
   * cases in common
   * are compared, too: differences are second minus first.
   *
   * Range: at least 1 values.
   */
  readonly paths: readonly string[];
  /**
   * Folder of reference segmentations of the predictions. The default for a model is where its training
   * keeps them.
   */
  readonly reference?: string | undefined;
  /**
   * Folder of the images, such as `imagesTs`. The default is where a preprocessed case says that its
   * image is.
   */
  readonly images?: string | undefined;
  /**
   * Cases to look at for each path, the worst first; 0 leaves out all images.
   *
   * @default 20
   */
  readonly cases?: number | undefined;
  /**
   * Largest size of the page in megabytes. Images that do not fit are thinned, and channels that do not
   * fit even then
   * are left out; the page states it.
   *
   * Range: at least 1, at most 2000.
   * @default 30.0
   */
  readonly maxSize?: number | undefined;
  /**
   * Label of references that does not count: unlabelled voxels.
   *
   * Range: at least -32768, at most 32767.
   * @default -1
   */
  readonly ignoreLabel?: number | undefined;
  /**
   * Address to listen at. Another one than this machine's own (`127.0.0.1`, `::1`, `localhost`) lets
   * other machines
   * read the page if they know its token, without encryption; a warning says so.
   *
   * @default "127.0.0.1"
   */
  readonly host?: string | undefined;
  /**
   * Port to listen at; 0 takes a free one.
   *
   * Range: at most 65535.
   * @default 0
   */
  readonly port?: number | undefined;
  /**
   * Seconds between two looks at the files.
   *
   * Range: at least 0.1, at most 3600.
   * @default 1.0
   */
  readonly interval?: number | undefined;
  /**
   * Opens the page in the browser of this machine. A failure is a warning.
   *
   * @default false
   */
  readonly open?: boolean | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}

/**
 * Element type on disk.
 * - `float16`: Half precision: three significant digits, for storage.
 * - `float32`: Single precision.
 * - `float64`: Double precision, as in the fork.
 */
export type WeightmapDtype = 'float16' | 'float32' | 'float64';

/**
 * Scope of the class frequencies.
 * - `case`: Each case separately.
 * - `dataset`: All cases together. Every case is read twice.
 */
export type WeightmapFrequencies = 'case' | 'dataset';

/**
 * Formula of the weightmap.
 * - `border`: Distance to the nearest eroded object, in three dimensions.
 * - `instances`: Formula of the U-Net paper: the sum of the distances to the two nearest objects,
 * which are the connected components of each class.
 * - `2d`: `Mode::Border` slice by slice: erosion and distance are two-dimensional.
 */
export type WeightmapMode = 'border' | 'instances' | '2d';

/** Options of the verb `weightmaps`. */
export interface WeightmapsOptions extends Abortable {
  /** Folder of preprocessed cases, such as `…/Task501_X/nnUNetData_plans_v2.1_stage0`. */
  readonly folder: string;
  /** Folder for the weightmaps, created if it is missing. The default is the folder of the cases. */
  readonly outputDir?: string | undefined;
  /**
   * Pattern of the case files in the folder, with `*`, `?`, `[ab]` and `**`.
   *
   * @default "*.npz"
   */
  readonly matchingPattern?: string | undefined;
  /**
   * Width of the border term in voxels, or in mm with `spacing`.
   *
   * Range: at least 0.000001, at most 1000000.
   * @default 5.0
   */
  readonly sigma?: number | undefined;
  /**
   * Height of the border term.
   *
   * Range: at least 0.
   * @default 10.0
   */
  readonly w0?: number | undefined;
  /** Labels of objects. The default is the non-zero labels of `../dataset.json`. */
  readonly classes?: readonly number[] | undefined;
  /**
   * Element type on disk.
   *
   * @default "float32"
   */
  readonly dtype?: WeightmapDtype | undefined;
  /**
   * Reproduces DIAG's fork to the last digit, including its errors.
   *
   * The documentation of the crate lists the differences.
   *
   * @default false
   */
  readonly compat?: boolean | undefined;
  /**
   * Measures distances and sigma in millimetres, with the spacing of each case.
   *
   * @default false
   */
  readonly spacing?: boolean | undefined;
  /**
   * Formula of the weight.
   *
   * @default "border"
   */
  readonly mode?: WeightmapMode | undefined;
  /**
   * Scope of the class frequencies.
   *
   * @default "case"
   */
  readonly frequencies?: WeightmapFrequencies | undefined;
  /**
   * Part of the cases, `I/N`: this machine works on part I of N, from 1. The frequencies of `dataset`
   * remain those of
   * all cases.
   */
  readonly shard?: Shard | undefined;
  /**
   * Keeps existing weightmaps.
   *
   * @default false
   */
  readonly skipExisting?: boolean | undefined;
  /**
   * Replaces existing weightmaps, which is the default.
   *
   * @default false
   */
  readonly overwrite?: boolean | undefined;
  /**
   * Number of threads; 0 uses all cores.
   *
   * @default 0
   */
  readonly workers?: number | undefined;
}
