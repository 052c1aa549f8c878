// Made from the Rust types by `npm run build` (crates/schema). Do not edit.
import type { CheckEvent, PlanEvent, PreprocessEvent, SplitsEvent, WeightmapsEvent, PreviewBatchesEvent, PreviewEvent, TrainEvent, PredictEvent, EvaluateEvent, EnsembleEvent, DeterminePostprocessingEvent, ApplyPostprocessingEvent, ConsolidateFoldsEvent, FindBestConfigurationEvent, ConvertEvent, SimulateSparseEvent, CopyFileEvent, CopyTreeEvent, InspectEvent } from './events.js';
import type { CheckOptions, PlanOptions, PreprocessOptions, SplitsOptions, WeightmapsOptions, PreviewBatchesOptions, PreviewOptions, TrainOptions, PredictOptions, EvaluateOptions, EnsembleOptions, DeterminePostprocessingOptions, ApplyPostprocessingOptions, ConsolidateFoldsOptions, FindBestConfigurationOptions, ConvertOptions, SimulateSparseOptions, CopyFileOptions, CopyTreeOptions, InspectOptions } from './options.js';
import type { CheckSummary, PlanSummary, PreprocessSummary, SplitsSummary, WeightmapsSummary, PreviewBatchesSummary, PreviewSummary, TrainSummary, PredictSummary, EvaluateSummary, EnsembleSummary, DeterminePostprocessingSummary, ApplyPostprocessingSummary, ConsolidateFoldsSummary, FindBestConfigurationSummary, ConvertSummary, SimulateSparseSummary, CopyFileSummary, CopyTreeSummary, InspectSummary } from './summaries.js';

/** Types of each verb. */
export interface Verbs {
  readonly check: {
    readonly options: CheckOptions;
    readonly summary: CheckSummary;
    readonly event: CheckEvent;
  };
  readonly plan: {
    readonly options: PlanOptions;
    readonly summary: PlanSummary;
    readonly event: PlanEvent;
  };
  readonly preprocess: {
    readonly options: PreprocessOptions;
    readonly summary: PreprocessSummary;
    readonly event: PreprocessEvent;
  };
  readonly splits: {
    readonly options: SplitsOptions;
    readonly summary: SplitsSummary;
    readonly event: SplitsEvent;
  };
  readonly weightmaps: {
    readonly options: WeightmapsOptions;
    readonly summary: WeightmapsSummary;
    readonly event: WeightmapsEvent;
  };
  readonly previewBatches: {
    readonly options: PreviewBatchesOptions;
    readonly summary: PreviewBatchesSummary;
    readonly event: PreviewBatchesEvent;
  };
  readonly preview: {
    readonly options: PreviewOptions;
    readonly summary: PreviewSummary;
    readonly event: PreviewEvent;
  };
  readonly train: {
    readonly options: TrainOptions;
    readonly summary: TrainSummary;
    readonly event: TrainEvent;
  };
  readonly predict: {
    readonly options: PredictOptions;
    readonly summary: PredictSummary;
    readonly event: PredictEvent;
  };
  readonly evaluate: {
    readonly options: EvaluateOptions;
    readonly summary: EvaluateSummary;
    readonly event: EvaluateEvent;
  };
  readonly ensemble: {
    readonly options: EnsembleOptions;
    readonly summary: EnsembleSummary;
    readonly event: EnsembleEvent;
  };
  readonly determinePostprocessing: {
    readonly options: DeterminePostprocessingOptions;
    readonly summary: DeterminePostprocessingSummary;
    readonly event: DeterminePostprocessingEvent;
  };
  readonly applyPostprocessing: {
    readonly options: ApplyPostprocessingOptions;
    readonly summary: ApplyPostprocessingSummary;
    readonly event: ApplyPostprocessingEvent;
  };
  readonly consolidateFolds: {
    readonly options: ConsolidateFoldsOptions;
    readonly summary: ConsolidateFoldsSummary;
    readonly event: ConsolidateFoldsEvent;
  };
  readonly findBestConfiguration: {
    readonly options: FindBestConfigurationOptions;
    readonly summary: FindBestConfigurationSummary;
    readonly event: FindBestConfigurationEvent;
  };
  readonly convert: {
    readonly options: ConvertOptions;
    readonly summary: ConvertSummary;
    readonly event: ConvertEvent;
  };
  readonly simulateSparse: {
    readonly options: SimulateSparseOptions;
    readonly summary: SimulateSparseSummary;
    readonly event: SimulateSparseEvent;
  };
  readonly copyFile: {
    readonly options: CopyFileOptions;
    readonly summary: CopyFileSummary;
    readonly event: CopyFileEvent;
  };
  readonly copyTree: {
    readonly options: CopyTreeOptions;
    readonly summary: CopyTreeSummary;
    readonly event: CopyTreeEvent;
  };
  readonly inspect: {
    readonly options: InspectOptions;
    readonly summary: InspectSummary;
    readonly event: InspectEvent;
  };
}

/** Name of a verb. */
export type VerbName = keyof Verbs;
