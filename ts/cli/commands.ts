import { relative } from 'node:path';
import type { CaseFailure } from '../events.js';
import { duration } from '../progress.js';
import { table } from '../table.js';
import { type CheckSummary, checkDataset, checkSpec } from '../verbs/check.js';
import { type ConvertSummary, convertDataset, convertSpec } from '../verbs/convert.js';
import { type EvaluateSummary, evaluate, evaluateSpec } from '../verbs/evaluate.js';
import { inspect, inspectSpec } from '../verbs/inspect.js';
import { type PredictSummary, predict, predictSpec } from '../verbs/predict.js';
import {
  type PlanSummary,
  type PreprocessSummary,
  planAndPreprocess,
  planExperiment,
  planSpec,
  preprocessSpec,
} from '../verbs/preprocess.js';
import { type PreviewSummary, preview, previewSpec } from '../verbs/preview.js';
import { makeSplits, type SplitsSummary, splitsSpec } from '../verbs/splits.js';
import { type TrainSummary, train, trainSpec } from '../verbs/train.js';
import { generateWeightmaps, type WeightmapsSummary, weightmapsSpec } from '../verbs/weightmaps.js';
import { type AnyVerbCommand, command } from './command.js';
import { readableJson } from './json.js';

/** What verbs over many cases have in common. */
interface CasesSummary {
  readonly written: number;
  readonly skipped: number;
  readonly failures: readonly CaseFailure[];
}

function renderCases({ written, skipped, failures }: CasesSummary, what: string): string {
  const skips = skipped > 0 ? `, ${skipped} there already` : '';
  const fails = failures.length > 0 ? `, ${failures.length} failed:` : '';
  return [`${written} ${what}${skips}${fails}`, ...failures.map(renderFailure)].join('\n');
}

function renderFailure({ case: name, code, message }: CaseFailure): string {
  return `  ${name}: ${code}: ${message}`;
}

const anyFailed = (summary: { readonly failures: readonly CaseFailure[] }): boolean =>
  summary.failures.length > 0;

export const weightmapsCommand = command<WeightmapsSummary>({
  spec: weightmapsSpec,
  run: (options) => generateWeightmaps(options as Parameters<typeof generateWeightmaps>[0]),
  render: (summary) =>
    renderCases(summary, `weightmaps written${summary.outputDir ? ` to ${summary.outputDir}` : ''}`),
  failed: anyFailed,
});

/** Every verb of `nnunet-diag`, in the order of `--help`. */
export const allCommands: readonly AnyVerbCommand[] = [
  command<CheckSummary>({
    spec: checkSpec,
    run: (options) => checkDataset(options as Parameters<typeof checkDataset>[0]),
    render: renderCheck,
    failed: (summary) => !summary.ok,
  }),
  command<PlanSummary>({
    spec: planSpec,
    run: (options) => planExperiment(options as Parameters<typeof planExperiment>[0]),
    render: renderPlan,
  }),
  command<PreprocessSummary>({
    spec: preprocessSpec,
    run: (options) => planAndPreprocess(options as Parameters<typeof planAndPreprocess>[0]),
    render: (summary) =>
      `${renderPlan(summary.plan)}\n${renderCases(summary.preprocess, 'cases preprocessed')}`,
    failed: (summary) => anyFailed(summary.preprocess),
  }),
  command<SplitsSummary>({
    spec: splitsSpec,
    run: (options) => makeSplits(options as Parameters<typeof makeSplits>[0]),
    render: renderSplits,
  }),
  weightmapsCommand,
  command<PreviewSummary>({
    spec: previewSpec,
    run: (options) => preview(options as Parameters<typeof preview>[0]),
    render: ({ output, task, batches, cases }) =>
      `${task}: drew ${cases.length} samples of ${batches} ${batches === 1 ? 'batch' : 'batches'} in ${output}`,
  }),
  command<TrainSummary>({
    spec: trainSpec,
    run: (options) => train(options as Parameters<typeof train>[0]),
    render: (s) => `trained ${s.epochs} epochs in ${duration(s.seconds)} on ${s.device}: ${s.checkpoint}`,
  }),
  command<PredictSummary>({
    spec: predictSpec,
    run: (options) => predict(options as Parameters<typeof predict>[0]),
    render: (summary) => renderCases(summary, `cases segmented into ${summary.output}`),
    failed: anyFailed,
  }),
  command<EvaluateSummary>({
    spec: evaluateSpec,
    run: (options) => evaluate(options as Parameters<typeof evaluate>[0]),
    render: renderEvaluation,
    failed: anyFailed,
  }),
  command<ConvertSummary>({
    spec: convertSpec,
    run: (options) => convertDataset(options as Parameters<typeof convertDataset>[0]),
    render: renderConvert,
    failed: anyFailed,
  }),
  command<unknown>({
    spec: inspectSpec,
    run: (options) => inspect(options as Parameters<typeof inspect>[0]),
    render: (content) => readableJson(content),
  }),
];

function renderCheck({ task, folder, cases, problems }: CheckSummary): string {
  if (problems.length === 0) return `${task}: ${cases.length} cases, no problem`;
  const lines = problems.map(({ case: name, file, message, fixed }) => {
    // Messages about unreadable files name them already.
    const where = file === null || message.includes(file) ? '' : ` ${relative(folder, file)}:`;
    return `  ${name ?? 'task'}:${where} ${message}${fixed ? ' (fixed)' : ''}`;
  });
  return [`${task}: ${cases.length} cases, ${problems.length} problems:`, ...lines].join('\n');
}

function renderPlan({ task, cases, configurations }: PlanSummary): string {
  const lines = configurations.map(
    (c) =>
      `  ${c.configuration}: patch ${c.patchSize.join('×')}, batch ${c.batchSize}, ` +
      `spacing ${c.spacing.map((s) => s.toPrecision(4)).join('×')} mm, median shape ${c.medianShape.join('×')}`,
  );
  return [`${task}: ${cases} cases`, ...lines].join('\n');
}

/** Names of validation cases that a line of the table has room for. */
const NAMED = 4;

function renderSplits({ file, backup, origin, cases, groups, folds }: SplitsSummary): string {
  const some = (names: readonly string[]) =>
    names.slice(0, NAMED).join(' ') + (names.length > NAMED ? ` and ${names.length - NAMED} more` : '');
  const rows = folds.map(({ train, val }, i) => [`${i}`, `${train.length}`, `${val.length}`, some(val)]);
  const what = origin === 'preprocessed' ? 'preprocessed cases' : 'cases of dataset.json';
  const patients = groups === null ? '' : ` of ${groups} patients`;
  return [
    `${file}: ${cases} ${what}${patients}`,
    table(['fold', 'train', 'val', 'validation cases'], rows),
    ...(backup === null ? [] : [`the former splits are kept as ${backup}`]),
  ].join('\n');
}

function renderConvert(summary: ConvertSummary): string {
  const { folder, training, test, ignoreLabel, failures } = summary;
  const ignored = ignoreLabel === null ? '' : `; label ${ignoreLabel} became -1, unlabelled`;
  const head = `${folder}: ${training} training and ${test} test cases${ignored}`;
  return [head, ...failures.map(renderFailure)].join('\n');
}

function renderEvaluation({ output, results, failures }: EvaluateSummary): string {
  const lines = Object.entries(results.mean).map(
    ([label, metrics]) => `  label ${label}: Dice ${metrics.Dice?.toFixed(4) ?? '–'}`,
  );
  return [`${results.all.length} cases, ${output}`, ...lines, ...failures.map(renderFailure)].join('\n');
}
