import type { VerbName, Verbs } from '../generated/verbs.js';
import type { Run } from '../run.js';
import { checkDataset } from '../verbs/check.js';
import { convertDataset } from '../verbs/convert.js';
import { copyFile, copyTree } from '../verbs/copy.js';
import { ensemble, findBestConfiguration } from '../verbs/ensemble.js';
import { compare, evaluate } from '../verbs/evaluate.js';
import { inspect } from '../verbs/inspect.js';
import { applyPostprocessing, consolidateFolds, determinePostprocessing } from '../verbs/postprocessing.js';
import { predict } from '../verbs/predict.js';
import { planAndPreprocess, planExperiment } from '../verbs/preprocess.js';
import { preview } from '../verbs/preview.js';
import { report } from '../verbs/report.js';
import { simulateSparse } from '../verbs/simulate.js';
import { makeSplits } from '../verbs/splits.js';
import { train } from '../verbs/train.js';
import { generateWeightmaps } from '../verbs/weightmaps.js';
import { exportModel, installModel } from '../verbs/zips.js';
import { readableJson } from './json.js';
import {
  anyFailed,
  renderBest,
  renderCases,
  renderCheck,
  renderComparison,
  renderConvert,
  renderEvaluation,
  renderExport,
  renderInstall,
  renderPlan,
  renderPostprocessing,
  renderReportFile,
  renderSegmented,
  renderSimulation,
  renderSplits,
  renderTraining,
} from './render.js';
import { type Seen, savedTraining } from './seen.js';

/** Facts about a verb that the schema does not have. */
export interface Row<V extends VerbName = VerbName> {
  readonly name: V;
  readonly summary: string;
  /** Options given by position, in order. The last may be a list. */
  readonly positional: readonly string[];
  /** One-letter flags by option. */
  readonly short: Readonly<Record<string, string>>;
  /** Command lines, without the program's name. */
  readonly examples: readonly string[];
  run(options: Verbs[V]['options']): Run<Verbs[V]['summary'], Verbs[V]['event']>;
  /** The summary as text. */
  render(result: Verbs[V]['summary']): string;
  /** Whether some cases failed. */
  failed?(result: Verbs[V]['summary']): boolean;
  /** What a cancelled run keeps, and how to continue it. */
  cancelled?(seen: Seen): string;
}

/** A row of any verb. */
export interface AnyRow extends Omit<Row, 'run' | 'render' | 'failed'> {
  run(options: object): Run<unknown>;
  render(result: unknown): string;
  failed(result: unknown): boolean;
}

/** Checks a row against the types of its verb and converts it to a row of any verb. */
function row<V extends VerbName>(definition: Row<V>): AnyRow {
  return {
    ...definition,
    run: (options) => definition.run(options as Verbs[V]['options']),
    render: (result) => definition.render(result as Verbs[V]['summary']),
    failed: (result) => definition.failed?.(result as Verbs[V]['summary']) ?? false,
  };
}

const AGAIN = () => 'finished cases are kept; run the same command again to continue';

const weightmapsRow = row<'weightmaps'>({
  name: 'weightmaps',
  summary: 'generate U-Net border weightmaps beside preprocessed cases',
  positional: ['folder'],
  short: { outputDir: 'o', classes: 'c' },
  examples: [
    'weightmaps nnUNet_preprocessed/Task501_IcbmTissue/nnUNetData_plans_v2.1_stage0',
    'weightmaps DIR --sigma 3 --w0 5 -c 1 2 --workers 4',
    'weightmaps DIR -o weightmaps --mode instances --spacing',
  ],
  run: generateWeightmaps,
  render: (s) => renderCases(s, `weightmaps written${s.outputDir ? ` to ${s.outputDir}` : ''}`),
  failed: anyFailed,
  cancelled: () => 'finished weightmaps are kept; run the same command with --skip-existing to continue',
});

/** Every verb of `nnunet-diag`, in the order of `--help`. */
export const ROWS: readonly AnyRow[] = [
  row<'check'>({
    name: 'check',
    summary: 'check a raw task (geometry, labels, missing files) and list all problems',
    positional: ['task'],
    short: {},
    examples: ['check 501', 'check 501 --tolerance 1e-4 --fix', 'check ./Task501_IcbmTissue --json'],
    run: checkDataset,
    render: renderCheck,
    failed: (summary) => !summary.ok,
  }),
  row<'plan'>({
    name: 'plan',
    summary: 'crop, compute the fingerprint, and plan spacing, patch and network',
    positional: ['task'],
    short: { configurations: 'c' },
    examples: ['plan 501', 'plan 501 -c 3d_fullres --patch-size 40x56x40 --batch-size 2'],
    run: planExperiment,
    render: renderPlan,
    cancelled: AGAIN,
  }),
  row<'preprocess'>({
    name: 'preprocess',
    summary: 'crop, plan, then resample and normalise every case',
    positional: ['task'],
    short: { configurations: 'c' },
    examples: ['preprocess 501', 'preprocess 501 -c 3d_fullres --workers 4 --memory-budget 8'],
    run: planAndPreprocess,
    render: (s) =>
      [...(s.plan ? [renderPlan(s.plan)] : []), renderCases(s.preprocess, 'cases preprocessed')].join('\n'),
    failed: (summary) => anyFailed(summary.preprocess),
    cancelled: AGAIN,
  }),
  row<'splits'>({
    name: 'splits',
    summary: 'write the folds of a task: nnU-Net’s five, folds by patient, or your own',
    positional: ['task'],
    short: {},
    examples: [
      'splits 501',
      "splits 501 --group-pattern '^(patient\\d+)_'",
      'splits 501 --groups patients.csv --overwrite',
      'splits 501 --from splits_final.json',
    ],
    run: makeSplits,
    render: renderSplits,
  }),
  weightmapsRow,
  row<'preview'>({
    name: 'preview',
    summary: 'draw training batches: augmented patches with labels and weightmaps',
    positional: ['task'],
    short: { configuration: 'c', fold: 'f', output: 'o' },
    examples: [
      'preview 501 -c 3d_fullres --trainer nnUNetTrainerV2Weighted -o preview.svg',
      'preview 502 -c 2d -f all --trainer nnUNetTrainerV2Sparse --epoch 10 --batches 3 -o preview.png',
      'preview 501 -c 3d_fullres --phase validation --patch-size 64x64x64 --batch-size 4',
    ],
    run: preview,
    render: ({ output, task, batches, cases }) =>
      `${task}: drew ${cases.length} samples of ${batches} ${batches === 1 ? 'batch' : 'batches'} in ${output}`,
  }),
  row<'train'>({
    name: 'train',
    summary: 'train one fold of a configuration',
    positional: ['task'],
    short: { configuration: 'c', fold: 'f', outputFolder: 'o' },
    examples: [
      'train 501 -c 3d_fullres -f 0',
      'train 502 -c 3d_fullres -f all --trainer nnUNetTrainerV2Sparse --epochs 200 --seed 1',
      'train 501 -c 2d -f 3 --continue',
      'train 501 -c 3d_lowres --folds 0-4 --npz --stop-after 23h',
      'train 501 -c 3d_fullres -f 0 --gpus 2',
    ],
    run: train,
    render: renderTraining,
    failed: (s) => s.folds.some(({ validation }) => (validation?.failures.length ?? 0) > 0),
    cancelled: savedTraining,
  }),
  row<'predict'>({
    name: 'predict',
    summary: 'segment every case of a folder with a trained model',
    positional: [],
    short: { input: 'i', output: 'o', model: 'm', folds: 'f' },
    examples: [
      'predict -i imagesTs -o predictions -m RESULTS/nnUNet/3d_fullres/Task501_X/nnUNetTrainerV2__nnUNetPlansv2.1',
      'predict -i imagesTs -o predictions -m MODEL -f 0 1 --step-size 0.75 --no-mirroring',
      'predict -i imagesTs -o predictions -m MODEL --checkpoint best --no-postprocessing',
      'predict -i imagesTs -o predictions -m CASCADE_MODEL --lowres-model LOWRES_MODEL',
    ],
    run: predict,
    render: renderSegmented,
    failed: anyFailed,
    cancelled: AGAIN,
  }),
  row<'evaluate'>({
    name: 'evaluate',
    summary: 'compare predictions with references and write summary.json',
    positional: ['referenceDir', 'predictionDir'],
    short: { labels: 'l', output: 'o' },
    examples: [
      'evaluate labelsTs predictions -l 1 2 3',
      'evaluate labelsTs predictions -l 1 --ignore-label -1',
      'evaluate labelsTs predictions -l 1 2 3 --metrics surface volume lesions --surface-tolerance 2',
      'evaluate labelsTs predictions -l 1 2 3 --shard 2/4',
      'evaluate labelsTs predictions -l 1 2 3 --merge-shards 4',
    ],
    run: evaluate,
    render: renderEvaluation,
    failed: anyFailed,
  }),
  row<'compare'>({
    name: 'compare',
    summary: 'compare two folders of predictions: differences and Wilcoxon’s signed-rank test',
    positional: ['referenceDir', 'firstDir', 'secondDir'],
    short: { labels: 'l', output: 'o' },
    examples: [
      'compare labelsTs predictions_2d predictions_3d -l 1 2 3',
      'compare labelsTs predictions_2d predictions_3d -l 1 2 3 --metrics surface lesions -o comparison.json',
    ],
    run: compare,
    render: renderComparison,
    failed: anyFailed,
  }),
  row<'report'>({
    name: 'report',
    summary: 'show models, tasks or predictions as one HTML file',
    positional: ['paths'],
    short: { output: 'o' },
    examples: [
      'report RESULTS/nnUNet/3d_fullres/Task501_X/nnUNetTrainerV2__nnUNetPlansv2.1 -o model.html',
      'report raw/nnUNet_raw_data/Task501_X -o task.html',
      'report predictions_2d predictions_3d --reference labelsTs --images imagesTs -o report.html',
    ],
    run: report,
    render: renderReportFile,
    failed: anyFailed,
    cancelled: () => 'no report was written',
  }),
  row<'ensemble'>({
    name: 'ensemble',
    summary: 'average the softmax of several models',
    positional: ['folders'],
    short: { output: 'o' },
    examples: [
      'ensemble -o ensemble predictions_2d predictions_3d_fullres',
      'ensemble -o ensemble predictions_2d predictions_3d_fullres --rules postprocessing.json --save-softmax',
    ],
    run: ensemble,
    render: (summary) => renderSegmented({ ...summary, skipped: 0 }),
    failed: anyFailed,
  }),
  row<'determinePostprocessing'>({
    name: 'determinePostprocessing',
    summary: 'find the labels that benefit from keeping only their largest component',
    positional: ['referenceDir', 'predictionDir'],
    short: { output: 'o' },
    examples: [
      'determine-postprocessing labelsTs predictions -o postprocessing.json',
      'determine-postprocessing labelsTs predictions --postprocessed-dir postprocessed --minimum-sizes',
    ],
    run: determinePostprocessing,
    render: renderPostprocessing,
  }),
  row<'applyPostprocessing'>({
    name: 'applyPostprocessing',
    summary: 'keep only the largest component of the labels in a postprocessing.json',
    positional: [],
    short: { input: 'i', output: 'o' },
    examples: ['apply-postprocessing -i predictions -o postprocessed --rules postprocessing.json'],
    run: applyPostprocessing,
    render: (s) => renderCases({ ...s, skipped: 0 }, `cases written to ${s.output}, ${s.changed} changed`),
    failed: anyFailed,
  }),
  row<'consolidateFolds'>({
    name: 'consolidateFolds',
    summary: 'evaluate all folds of a model as one, and determine its postprocessing',
    positional: ['model'],
    short: { folds: 'f' },
    examples: ['consolidate-folds RESULTS/nnUNet/3d_fullres/Task501_X/nnUNetTrainerV2__nnUNetPlansv2.1'],
    run: consolidateFolds,
    render: renderPostprocessing,
  }),
  row<'findBestConfiguration'>({
    name: 'findBestConfiguration',
    summary: 'compare configurations and their ensembles by cross-validation, and say how to predict',
    positional: ['task'],
    short: { configurations: 'c', folds: 'f' },
    examples: [
      'find-best-configuration 501 -c 2d 3d_fullres',
      'find-best-configuration Task501_X --strict --no-ensembling',
    ],
    run: findBestConfiguration,
    render: renderBest,
  }),
  row<'exportModel'>({
    name: 'exportModel',
    summary: 'pack trained models into a zip file that nnU-Net v1 installs, too',
    positional: ['models'],
    short: { output: 'o', folds: 'f' },
    examples: [
      'export-model RESULTS/nnUNet/3d_fullres/Task501_X/nnUNetTrainerV2__nnUNetPlansv2.1 -o Task501.zip',
      'export-model MODEL_2D MODEL_3D -o Task501.zip --folds 0 1 --overwrite',
    ],
    run: exportModel,
    render: renderExport,
    cancelled: () => 'no zip file was written',
  }),
  row<'installModel'>({
    name: 'installModel',
    summary: 'install the models of a zip file of nnU-Net v1, v2 or export-model',
    positional: ['zip'],
    short: { output: 'o' },
    examples: ['install-model Task501.zip', 'install-model Task501.zip -o models --overwrite'],
    run: installModel,
    render: renderInstall,
    cancelled: () => 'nothing was installed',
  }),
  row<'convert'>({
    name: 'convert',
    summary: 'convert a data set of nnU-Net v2 or the Decathlon to a raw task, or a task or model to v2',
    positional: ['source'],
    short: { output: 'o' },
    examples: [
      'convert Dataset027_ACDC',
      'convert Task04_Hippocampus --task Task504_Hippocampus',
      'convert Task501_MRI --to v2 -o nnUNet_raw',
      'convert MODEL_FOLDER --to v2 -o nnUNet_results --task Dataset501_MRI',
    ],
    run: convertDataset,
    render: renderConvert,
    failed: anyFailed,
    cancelled: AGAIN,
  }),
  row<'simulateSparse'>({
    name: 'simulateSparse',
    summary: 'make sparse labels (slices, scribbles, voxels) from a task with dense ones',
    positional: ['task', 'name'],
    short: {},
    examples: [
      'simulate-sparse 501 Task611_IcbmSlices --slices 3',
      'simulate-sparse 501 Task612_IcbmScribbles --pattern scribbles --share 0.03 --axes z y',
      'simulate-sparse 501 Task613_IcbmVoxels --pattern voxels --share 0.01 --seed 1',
    ],
    run: simulateSparse,
    render: renderSimulation,
    failed: anyFailed,
  }),
  row<'copyFile'>({
    name: 'copyFile',
    summary: 'copy the content of a file, without mode, times and owner',
    positional: ['source', 'target'],
    short: {},
    examples: ['copy-file /data/case_0000.nii.gz /scratch'],
    run: copyFile,
    render: (summary) => `copied to ${summary.target}`,
  }),
  row<'copyTree'>({
    name: 'copyTree',
    summary: 'copy the content of a folder, without mode, times and owner',
    positional: ['source', 'target'],
    short: {},
    examples: [
      "copy-tree /data/Task501_X /scratch/Task501_X --ignore '*.tmp'",
      'copy-tree /data/Task501_X /scratch/Task501_X --continue',
    ],
    run: copyTree,
    render: ({ files, folders, kept, target }) =>
      `${files} files in ${folders} folders copied to ${target}${kept > 0 ? `, ${kept} were there` : ''}`,
  }),
  row<'inspect'>({
    name: 'inspect',
    summary: 'show the content of a file of nnU-Net, or what a model of nnU-Net v2 is, as JSON',
    positional: ['file'],
    short: {},
    examples: [
      'inspect nnUNet_preprocessed/Task501_X/nnUNetPlansv2.1_plans_3D.pkl',
      'inspect case_0000.nii.gz',
      'inspect nnUNet_results/Dataset501_X/nnUNetTrainer__nnUNetPlans__3d_fullres',
    ],
    run: inspect,
    render: (content) => readableJson(content),
  }),
];
