// Made from the Rust types by `npm run build` (crates/schema). Do not edit.

/** Extent of a case. */
export interface CaseSize {
  /** Name of the case. */
  readonly case: string;
  /** Extent in mm along the axes of the image (z, y, x). */
  readonly size: readonly [number, number, number];
}

/** A value of a table. */
export type Cell = number | string | null;

/** A column of a table. */
export interface Column {
  /** Name of the column. */
  readonly name: string;
  /** Unit of its values; empty without one. */
  readonly unit: string;
}

/** A metric of one class of one case in both folders. */
export interface ComparedCase {
  /** Name of the class. */
  readonly class: string;
  /** Key of the metric. */
  readonly metric: string;
  /** Name of the case. */
  readonly case: string;
  /** Value of the first. */
  readonly first: number | null;
  /** Value of the second. */
  readonly second: number | null;
}

/** A metric of one class in two folders of predictions. */
export interface ComparedMetric {
  /** Name of the class. */
  readonly class: string;
  /** Key of the metric. */
  readonly metric: string;
  /** Cases where it is defined in both. */
  readonly n: number;
  /** Mean of the first. */
  readonly first: number | null;
  /** Mean of the second. */
  readonly second: number | null;
  /** Mean difference, second minus first. */
  readonly difference: number | null;
  /** Lower end of its bootstrap confidence interval. */
  readonly low: number | null;
  /** Upper end of it. */
  readonly high: number | null;
  /** P-value of Wilcoxon's signed-rank test. */
  readonly p: number | null;
  /** P-value adjusted for all rows (Holm). */
  readonly adjusted: number | null;
  /** Matched-pairs rank-biserial correlation. */
  readonly effect: number | null;
}

/** Paired comparison of two models or folders of predictions, as `compare` makes it. */
export interface Comparison {
  /** Always `comparison`. */
  readonly kind: 'comparison';
  /** Name of the first. */
  readonly first: string;
  /** Name of the second. */
  readonly second: string;
  /** Tests by class and metric. */
  readonly rows: readonly ComparedMetric[];
  /** Values by class, metric and case. */
  readonly pairs: readonly ComparedCase[];
}

/** A fact, as text for readers. */
export interface Fact {
  /** Name of the fact. */
  readonly name: string;
  /** Its value. */
  readonly value: string;
}

/** A problem that `check` found. */
export interface Finding {
  /** Its weight. */
  readonly severity: Severity;
  /** Kind of the problem, as `check` names it. */
  readonly code: string;
  /** The case, if it concerns one. */
  readonly case: string | null;
  /** The problem and the remedy. */
  readonly message: string;
}

/** A histogram. */
export interface Histogram {
  /** What is counted. */
  readonly name: string;
  /** Unit of the edges. */
  readonly unit: string;
  /** Edges of the bins, one more than counts. */
  readonly edges: readonly number[];
  /** Counts. */
  readonly counts: readonly number[];
}

/** A layer of a case: bytes in C order (z, y, x), compressed with gzip. */
export interface Layer {
  /** Its role. */
  readonly role: LayerRole;
  /** Name for readers: of a channel, its modality. */
  readonly name: string;
  /** Number of its blob. */
  readonly blob: number;
  /** Always `uint8`. */
  readonly type: 'uint8';
  /** A value is `slope * byte + intercept`. */
  readonly slope: number;
  /** A value is `slope * byte + intercept`. */
  readonly intercept: number;
  /** Values that are drawn black and white at first. */
  readonly window: readonly [number, number];
  /** Whether the values are Hounsfield units. */
  readonly ct: boolean;
  /**
   * Byte that means -1 (unlabelled); null for layers without labels, and without unlabelled voxels.
   *
   * Range: at most 255.
   */
  readonly unlabelled: number | null;
}

/**
 * Role of a layer.
 * - `image`: Intensities of a channel.
 * - `reference`: Labels of the reference.
 * - `prediction`: Labels of the prediction.
 * - `weightmap`: Weights of voxels.
 */
export type LayerRole = 'image' | 'reference' | 'prediction' | 'weightmap';

/** A metric of scores. */
export interface Metric {
  /** Name in files, a member of `RegionMetrics`. */
  readonly key: string;
  /** Name for readers. */
  readonly name: string;
  /** Unit; empty without one. */
  readonly unit: string;
  /** Whether larger values are better. */
  readonly higherIsBetter: boolean;
}

/** A trained model, one of its folds, or the runs of several of them. */
export interface Model {
  /** Always `model`. */
  readonly kind: 'model';
  /** Name of the model or fold. */
  readonly name: string;
  /** Its folder. */
  readonly path: string;
  /** Task, trainer, seed, device, time and so on. */
  readonly facts: readonly Fact[];
  /** The recipe of the training as a sentence; empty if it is not recorded. */
  readonly recipe: string;
  /** Command that repeats the training; empty if it is not recorded. */
  readonly command: string;
  /** Curves of each fold or run, laid over one another. */
  readonly runs: readonly Run[];
  /** Scores of the validation cases; null without a validation. */
  readonly scores: Scores | null;
  /** Validation cases to look at, worst first. */
  readonly cases: readonly ViewCase[];
}

/** The planned patch of a configuration. */
export interface Patch {
  /** Name of the configuration. */
  readonly configuration: string;
  /** Size in voxels along the axes of the network; two values in 2D. */
  readonly patch: readonly number[];
  /** Spacing in mm along the same axes. */
  readonly spacing: readonly number[];
  /** Axis of the image (0 is z, 1 is y, 2 is x) for each of these axes. */
  readonly axes: readonly number[];
  /** Samples of a batch. */
  readonly batch: number;
}

/** A folder of predictions. */
export interface Predictions {
  /** Always `predictions`. */
  readonly kind: 'predictions';
  /** Name of the folder. */
  readonly name: string;
  /** The folder. */
  readonly path: string;
  /** Folder of the references; null without them. */
  readonly reference: string | null;
  /** Number of cases and so on. */
  readonly facts: readonly Fact[];
  /** Scores; null without a reference. */
  readonly scores: Scores | null;
  /** Cases to look at, worst first. */
  readonly cases: readonly ViewCase[];
}

/** Data of a report. */
export interface Report {
  /** Version of the data. */
  readonly version: number;
  /** Title of the page. */
  readonly title: string;
  /** Time when the data were collected (UTC, ISO 8601). */
  readonly made: string;
  /** Name and version of this program. */
  readonly program: string;
  /** Number of cases whose images are left out, because not even small ones fit the size limit. */
  readonly casesLeftOut: number;
  /** Sections, in order. */
  readonly sections: readonly Section[];
}

/** A row of a table. */
export interface Row {
  /** Name of the case. */
  readonly case: string;
  /** Values, one a column. */
  readonly values: readonly Cell[];
}

/** Curves of one run. */
export interface Run {
  /** Name of the run, such as `fold_0`. */
  readonly name: string;
  /** Finished epochs, counted from 0: the x values of every series. */
  readonly epochs: readonly number[];
  /** The curves. */
  readonly series: readonly Series[];
  /** First epochs after an interruption. */
  readonly resumptions: readonly number[];
  /** State of the run. */
  readonly state: RunState;
}

/**
 * State of a run.
 * - `running`: A process writes to it.
 * - `stopped`: No process writes to it, and it is not finished.
 * - `finished`: The final checkpoint is there.
 */
export type RunState = 'running' | 'stopped' | 'finished';

/** Statistics of a metric of one class over the cases. */
export interface ScoreSummary {
  /** Index of the class in `classes`. */
  readonly class: number;
  /** Key of the metric. */
  readonly metric: string;
  /** Cases where the metric is defined. */
  readonly n: number;
  /** Mean. */
  readonly mean: number | null;
  /** Standard deviation (n - 1). */
  readonly sd: number | null;
  /** Median. */
  readonly median: number | null;
  /** Lower end of the bootstrap confidence interval of the mean. */
  readonly low: number | null;
  /** Upper end of it. */
  readonly high: number | null;
}

/** Scores of one case. */
export interface ScoredCase {
  /** Name of the case. */
  readonly name: string;
  /** Values by class, then by metric; null where undefined. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** A class of scores. */
export interface ScoredClass {
  /** Label value; null for a union of labels. */
  readonly label: number | null;
  /** Name of the class. */
  readonly name: string;
}

/** Scores of several cases. */
export interface Scores {
  /** The classes. */
  readonly classes: readonly ScoredClass[];
  /** The metrics. */
  readonly metrics: readonly Metric[];
  /** The cases, worst first. */
  readonly cases: readonly ScoredCase[];
  /** Statistics by class and metric. */
  readonly summary: readonly ScoreSummary[];
}

/** A section of a report, distinguished by `kind`. */
export type Section = Model | Task | Predictions | Comparison;

/** A curve: one value for each epoch of its run. */
export interface Series {
  /** Name of the curve. */
  readonly name: string;
  /** What it shows. */
  readonly group: SeriesGroup;
  /** Class of the curve; null for curves of no single class. */
  readonly class: string | null;
  /** Unit of the values; empty without one. */
  readonly unit: string;
  /** Values; null where the value is undefined. */
  readonly values: readonly (number | null)[];
}

/**
 * What a curve shows. Curves of one group share a chart.
 * - `loss`: Training and validation loss.
 * - `dice`: Online Dice of each class.
 * - `learningRate`: Learning rate.
 * - `time`: Time of an epoch.
 * - `wait`: Share of the time that was spent waiting for data.
 * - `memory`: Memory of the process and of the device.
 * - `gradient`: Norm of the gradients.
 */
export type SeriesGroup = 'loss' | 'dice' | 'learningRate' | 'time' | 'wait' | 'memory' | 'gradient';

/**
 * Weight of a finding.
 * - `error`: It must be repaired.
 * - `warning`: It may be a mistake.
 * - `note`: It is worth knowing.
 */
export type Severity = 'error' | 'warning' | 'note';

/** A table with one row a case. */
export interface Table {
  /** Columns besides the case. */
  readonly columns: readonly Column[];
  /** Rows. */
  readonly rows: readonly Row[];
}

/** A raw or preprocessed task. */
export interface Task {
  /** Always `task`. */
  readonly kind: 'task';
  /** Name of the task. */
  readonly name: string;
  /** Its folder. */
  readonly path: string;
  /** Numbers of cases, channels, labels, and the fingerprint. */
  readonly facts: readonly Fact[];
  /** What `check` found. */
  readonly findings: readonly Finding[];
  /** Histograms of spacing, size and annotated share. */
  readonly histograms: readonly Histogram[];
  /** Size, spacing, volume of each label and annotated share of each case. */
  readonly table: Table;
  /** The planned patches; empty before planning. */
  readonly patches: readonly Patch[];
  /** Extents of the cases. */
  readonly sizes: readonly CaseSize[];
  /** Cases to look at. */
  readonly cases: readonly ViewCase[];
}

/**
 * A case to look at: the part of its image where something is.
 *
 * Arrays of three have the order z, y, x unless said otherwise.
 */
export interface ViewCase {
  /** Name of the case. */
  readonly name: string;
  /** Drawn voxels. */
  readonly shape: readonly [number, number, number];
  /** First voxel of the crop in the image. */
  readonly offset: readonly [number, number, number];
  /** Voxels of the image. */
  readonly full: readonly [number, number, number];
  /** Distance of drawn voxels in mm. */
  readonly spacing: readonly [number, number, number];
  /**
   * Voxels of the image for one drawn voxel; above 1 where the image was thinned to fit the size limit.
   * Drawn voxel
   * `i` is voxel `offset + step * i` of the image.
   */
  readonly step: readonly [number, number, number];
  /** Row-major matrix from a drawn voxel (x, y, z, 1) to millimetres (LPS). */
  readonly affine: readonly [number, number, number, number, number, number, number, number, number, number, number, number, number, number, number, number];
  /** Labels that occur in the layers, without the background. */
  readonly labels: readonly ViewLabel[];
  /**
   * Layers, each with as many bytes as there are drawn voxels. The channels of the image are layers of
   * their own, in
   * the order of their numbers.
   */
  readonly layers: readonly Layer[];
  /** Names of the channels that are left out to fit the size limit. */
  readonly leftOut: readonly string[];
  /** Mean Dice of the classes; null without a reference. */
  readonly score: number | null;
  /** A drawn voxel in the middle of the largest connected error; null without one. */
  readonly largestError: readonly [number, number, number] | null;
  /** Compressed bytes of all layers. */
  readonly bytes: number;
}

/** A label of a case. */
export interface ViewLabel {
  /** Value. */
  readonly value: number;
  /** Name. */
  readonly name: string;
}
