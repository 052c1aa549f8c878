// Made from the Rust types by `npm run build` (crates/schema). Do not edit.
import type { CheckEvent, PlanEvent, PreprocessEvent, SplitsEvent, WeightmapsEvent, PreviewBatchesEvent, PreviewEvent, TrainEvent, PredictEvent, LoadModelEvent, EstimateMemoryEvent, EvaluateEvent, CompareEvent, ReportEvent, EnsembleEvent, DeterminePostprocessingEvent, ApplyPostprocessingEvent, ConsolidateFoldsEvent, FindBestConfigurationEvent, ExportModelEvent, InstallModelEvent, ConvertEvent, SimulateSparseEvent, CopyFileEvent, CopyTreeEvent, InspectEvent } from './events.js';
import type { CheckOptions, PlanOptions, PreprocessOptions, SplitsOptions, WeightmapsOptions, PreviewBatchesOptions, PreviewOptions, TrainOptions, PredictOptions, LoadModelOptions, SlurmOptions, EstimateMemoryOptions, EvaluateOptions, CompareOptions, ReportOptions, WatchOptions, EnsembleOptions, DeterminePostprocessingOptions, ApplyPostprocessingOptions, ConsolidateFoldsOptions, FindBestConfigurationOptions, ExportModelOptions, InstallModelOptions, ConvertOptions, SimulateSparseOptions, CopyFileOptions, CopyTreeOptions, InspectOptions } from './options.js';
import type { CheckSummary, PlanSummary, PreprocessSummary, SplitsSummary, WeightmapsSummary, PreviewSummary, TrainSummary, PredictSummary, EstimateMemorySummary, EvaluateSummary, CompareSummary, ReportSummary, EnsembleSummary, DeterminePostprocessingSummary, ApplyPostprocessingSummary, ConsolidateFoldsSummary, FindBestConfigurationSummary, ExportModelSummary, InstallModelSummary, ConvertSummary, SimulateSparseSummary, CopyFileSummary, CopyTreeSummary, InspectSummary } from './summaries.js';

/** Types of each verb. */
export interface Verbs {
  /** Types of `check`. */
  readonly check: {
    readonly options: CheckOptions;
    readonly summary: CheckSummary;
    readonly event: CheckEvent;
  };
  /** Types of `plan`. */
  readonly plan: {
    readonly options: PlanOptions;
    readonly summary: PlanSummary;
    readonly event: PlanEvent;
  };
  /** Types of `preprocess`. */
  readonly preprocess: {
    readonly options: PreprocessOptions;
    readonly summary: PreprocessSummary;
    readonly event: PreprocessEvent;
  };
  /** Types of `splits`. */
  readonly splits: {
    readonly options: SplitsOptions;
    readonly summary: SplitsSummary;
    readonly event: SplitsEvent;
  };
  /** Types of `weightmaps`. */
  readonly weightmaps: {
    readonly options: WeightmapsOptions;
    readonly summary: WeightmapsSummary;
    readonly event: WeightmapsEvent;
  };
  /** Types of `previewBatches`. */
  readonly previewBatches: {
    readonly options: PreviewBatchesOptions;
    readonly summary: null;
    readonly event: PreviewBatchesEvent;
  };
  /** Types of `preview`. */
  readonly preview: {
    readonly options: PreviewOptions;
    readonly summary: PreviewSummary;
    readonly event: PreviewEvent;
  };
  /** Types of `train`. */
  readonly train: {
    readonly options: TrainOptions;
    readonly summary: TrainSummary;
    readonly event: TrainEvent;
  };
  /** Types of `predict`. */
  readonly predict: {
    readonly options: PredictOptions;
    readonly summary: PredictSummary;
    readonly event: PredictEvent;
  };
  /** Types of `loadModel`. */
  readonly loadModel: {
    readonly options: LoadModelOptions;
    readonly summary: null;
    readonly event: LoadModelEvent;
  };
  /** Types of `slurm`. */
  readonly slurm: {
    readonly options: SlurmOptions;
    readonly summary: null;
    readonly event: never;
  };
  /** Types of `estimateMemory`. */
  readonly estimateMemory: {
    readonly options: EstimateMemoryOptions;
    readonly summary: EstimateMemorySummary;
    readonly event: EstimateMemoryEvent;
  };
  /** Types of `evaluate`. */
  readonly evaluate: {
    readonly options: EvaluateOptions;
    readonly summary: EvaluateSummary;
    readonly event: EvaluateEvent;
  };
  /** Types of `compare`. */
  readonly compare: {
    readonly options: CompareOptions;
    readonly summary: CompareSummary;
    readonly event: CompareEvent;
  };
  /** Types of `report`. */
  readonly report: {
    readonly options: ReportOptions;
    readonly summary: ReportSummary;
    readonly event: ReportEvent;
  };
  /** Types of `watch`. */
  readonly watch: {
    readonly options: WatchOptions;
    readonly summary: null;
    readonly event: never;
  };
  /** Types of `ensemble`. */
  readonly ensemble: {
    readonly options: EnsembleOptions;
    readonly summary: EnsembleSummary;
    readonly event: EnsembleEvent;
  };
  /** Types of `determinePostprocessing`. */
  readonly determinePostprocessing: {
    readonly options: DeterminePostprocessingOptions;
    readonly summary: DeterminePostprocessingSummary;
    readonly event: DeterminePostprocessingEvent;
  };
  /** Types of `applyPostprocessing`. */
  readonly applyPostprocessing: {
    readonly options: ApplyPostprocessingOptions;
    readonly summary: ApplyPostprocessingSummary;
    readonly event: ApplyPostprocessingEvent;
  };
  /** Types of `consolidateFolds`. */
  readonly consolidateFolds: {
    readonly options: ConsolidateFoldsOptions;
    readonly summary: ConsolidateFoldsSummary;
    readonly event: ConsolidateFoldsEvent;
  };
  /** Types of `findBestConfiguration`. */
  readonly findBestConfiguration: {
    readonly options: FindBestConfigurationOptions;
    readonly summary: FindBestConfigurationSummary;
    readonly event: FindBestConfigurationEvent;
  };
  /** Types of `exportModel`. */
  readonly exportModel: {
    readonly options: ExportModelOptions;
    readonly summary: ExportModelSummary;
    readonly event: ExportModelEvent;
  };
  /** Types of `installModel`. */
  readonly installModel: {
    readonly options: InstallModelOptions;
    readonly summary: InstallModelSummary;
    readonly event: InstallModelEvent;
  };
  /** Types of `convert`. */
  readonly convert: {
    readonly options: ConvertOptions;
    readonly summary: ConvertSummary;
    readonly event: ConvertEvent;
  };
  /** Types of `simulateSparse`. */
  readonly simulateSparse: {
    readonly options: SimulateSparseOptions;
    readonly summary: SimulateSparseSummary;
    readonly event: SimulateSparseEvent;
  };
  /** Types of `copyFile`. */
  readonly copyFile: {
    readonly options: CopyFileOptions;
    readonly summary: CopyFileSummary;
    readonly event: CopyFileEvent;
  };
  /** Types of `copyTree`. */
  readonly copyTree: {
    readonly options: CopyTreeOptions;
    readonly summary: CopyTreeSummary;
    readonly event: CopyTreeEvent;
  };
  /** Types of `inspect`. */
  readonly inspect: {
    readonly options: InspectOptions;
    readonly summary: InspectSummary;
    readonly event: InspectEvent;
  };
}

/** Name of a verb. */
export type VerbName = keyof Verbs;
