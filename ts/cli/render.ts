import { relative } from 'node:path';
import type {
  CaseFailure,
  CheckSummary,
  CompareSummary,
  ConvertSummary,
  DeterminePostprocessingSummary,
  EvaluateReport,
  EvaluateSummary,
  ExportModelSummary,
  FindBestConfigurationSummary,
  InstallModelSummary,
  PlanSummary,
  PredictSummary,
  ReportSummary,
  SimulateSparseSummary,
  SplitsSummary,
  TrainSummary,
} from '../generated/summaries.js';
import { duration } from './duration.js';
import { dice } from './progress.js';
import { table } from './text-table.js';

/** Summary of a verb that writes one result a case. */
interface CasesSummary {
  readonly written: number;
  readonly skipped: number;
  readonly failures: readonly CaseFailure[];
}

export function renderCases({ written, skipped, failures }: CasesSummary, what: string): string {
  const skips = skipped > 0 ? `, ${skipped} skipped because they exist` : '';
  const fails = failures.length > 0 ? `, ${failures.length} failed:` : '';
  return [`${written} ${what}${skips}${fails}`, ...failures.map(renderFailure)].join('\n');
}

function renderFailure({ case: name, code, message }: CaseFailure): string {
  return `  ${name}: ${code}: ${message}`;
}

/** Segmented cases, and the postprocessing of the segmentations. */
export function renderSegmented(
  summary: CasesSummary & Pick<PredictSummary, 'output' | 'postprocessing'>,
): string {
  const regions = summary.postprocessing ?? [];
  const kept = regions.length > 0 ? [`kept only the largest component of ${regionNames(regions)}`] : [];
  return [renderCases(summary, `cases segmented into ${summary.output}`), ...kept].join('\n');
}

/** Labels by region; the labels of a union are joined by `+`. */
function regionNames(regions: readonly (readonly number[])[]): string {
  return regions.map((labels) => labels.join('+')).join(', ');
}

/** The selected postprocessing, and the Dice of each label without and with it. */
export function renderPostprocessing(
  summary: Pick<
    DeterminePostprocessingSummary,
    'output' | 'postprocessing' | 'cases' | 'dice' | 'postprocessedDice'
  >,
): string {
  const { output, postprocessing, cases, dice: before, postprocessedDice: after } = summary;
  const found =
    postprocessing.length > 0
      ? `keep only the largest component of ${regionNames(postprocessing)}`
      : 'no label benefits from postprocessing';
  const score = (value: number | null | undefined) => value?.toFixed(4) ?? '-';
  const rows = Object.keys(before).map((label) => [label, score(before[label]), score(after[label])]);
  return [
    `${cases} cases: ${found} (${output})`,
    ...(rows.length > 0 ? [table(['label', 'Dice', 'postprocessed'], rows)] : []),
  ].join('\n');
}

export function renderBest(summary: FindBestConfigurationSummary): string {
  const score = (value: number | null) => value?.toFixed(4) ?? '-';
  const rows = summary.candidates.map((one) => [
    one.name,
    score(one.meanDice),
    score(one.postprocessedMeanDice),
  ]);
  return [
    table(['model', 'Dice', 'postprocessed'], rows),
    `best for ${summary.task}: ${summary.best} (${summary.output})`,
    '',
    'To segment new cases, run in this order, with your own names of folders:',
    ...summary.commands,
  ].join('\n');
}

export const anyFailed = (summary: { readonly failures: readonly CaseFailure[] }): boolean =>
  summary.failures.length > 0;

export function renderCheck({ task, folder, cases, problems, failures }: CheckSummary): string {
  const failed = failures.map(renderFailure);
  if (problems.length === 0) return [`${task}: ${cases.length} cases, no problem`, ...failed].join('\n');
  const lines = problems.map(({ case: name, file, message, fixed }) => {
    // A message about an unreadable file contains its name.
    const where = file === null || message.includes(file) ? '' : ` ${relative(folder, file)}:`;
    return `  ${name ?? 'task'}:${where} ${message}${fixed ? ' (fixed)' : ''}`;
  });
  return [`${task}: ${cases.length} cases, ${problems.length} problems:`, ...lines, ...failed].join('\n');
}

export function renderPlan({ task, cases, configurations }: PlanSummary): string {
  const lines = configurations.map(
    (c) =>
      `  ${c.configuration}: patch ${c.patchSize.join('×')}, batch ${c.batchSize}, ` +
      `spacing ${c.spacing.map((s) => s.toPrecision(4)).join('×')} mm, median shape ${c.medianShape.join('×')}`,
  );
  return [`${task}: ${cases} cases`, ...lines].join('\n');
}

/** The trained folds, failed validation cases, and last the Dice of whole cases. */
export function renderTraining({ epochs, device, seconds, folds }: TrainSummary): string {
  const lines = folds.flatMap(({ fold, checkpoint, validation }) => {
    const name = folds.length > 1 ? `fold ${fold}: ` : '';
    if (validation === null) return [`${name}${checkpoint}`];
    const { cases, failures } = validation;
    const failed = failures.length > 0 ? [`${failures.length} validation cases failed:`] : [];
    const after = validation.postprocessedDice;
    const kept = (validation.postprocessing?.length ?? 0) > 0 && after !== null;
    const scores = `mean Dice ${dice(validation.dice)}${kept ? `, postprocessed ${dice(after)}` : ''}`;
    return [
      `${name}${checkpoint}`,
      ...failed.map((line) => name + line),
      ...failures.map(renderFailure),
      `${name}${cases.length} validation cases: ${scores} (${validation.folder})`,
    ];
  });
  return [`trained ${epochs} epochs in ${duration(seconds)} on ${device}`, ...lines].join('\n');
}

/** Validation cases named in a line of the table. */
const NAMED = 4;

export function renderSplits({ file, backup, origin, cases, groups, folds }: SplitsSummary): string {
  const some = (names: readonly string[]) =>
    names.slice(0, NAMED).join(' ') + (names.length > NAMED ? ` and ${names.length - NAMED} more` : '');
  const rows = folds.map(({ train, val }, i) => [`${i}`, `${train.length}`, `${val.length}`, some(val)]);
  const what = origin === 'preprocessed' ? 'preprocessed cases' : 'cases of dataset.json';
  const patients = groups === null ? '' : ` of ${groups} patients`;
  return [
    `${file}: ${cases} ${what}${patients}`,
    table(['fold', 'train', 'val', 'validation cases'], rows),
    ...(backup === null ? [] : [`copy of the previous splits: ${backup}`]),
  ].join('\n');
}

export function renderConvert(summary: ConvertSummary): string {
  const { convention, folder, training, test, ignoreLabel, folds, failures } = summary;
  if (convention === 'nnunetV1Model') return `${folder}: folds ${folds.join(', ')}`;
  const toV2 = convention === 'nnunetV1';
  const change = toV2 ? `-1, unlabelled, became ${ignoreLabel}` : `${ignoreLabel} became -1, unlabelled`;
  const ignored = ignoreLabel === null ? '' : `; label ${change}`;
  const head = `${folder}: ${training} training and ${test} test cases${ignored}`;
  return [head, ...failures.map(renderFailure)].join('\n');
}

export function renderSimulation(summary: SimulateSparseSummary): string {
  const { folder, cases, test, share, classes, failures } = summary;
  const least = Math.min(...cases.map((c) => c.share));
  const most = Math.max(...cases.map((c) => c.share));
  const span = cases.length > 1 ? ` (${percent(least)} to ${percent(most)} of a case)` : '';
  const rows = classes.map((c) => [
    `${c.label}`,
    `${c.voxels}`,
    `${c.annotated}`,
    percent(c.annotated / c.voxels),
  ]);
  return [
    `${folder}: ${cases.length} training and ${test} test cases, ${percent(share)} annotated${span}`,
    ...(rows.length > 0 ? [table(['label', 'voxels', 'annotated', 'share'], rows)] : []),
    ...failures.map(renderFailure),
  ].join('\n');
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(3)} %`;
}

export function renderEvaluation({ output, shard, results, report, failures }: EvaluateSummary): string {
  if (shard !== null) {
    const [part, parts] = shard.split('/');
    const next = `when all parts are there: the same command with --merge-shards ${parts} instead of --shard`;
    const cases = `${results.all.length} cases of part ${part} of ${parts}, ${output}`;
    return [cases, next, ...failures.map(renderFailure)].join('\n');
  }
  const lines = Object.entries(results.mean).map(
    ([label, metrics]) => `  label ${label}: Dice ${metrics.Dice?.toFixed(4) ?? '–'}`,
  );
  const more = report === null ? [] : renderReport(report);
  return [`${results.all.length} cases, ${output}`, ...lines, ...more, ...failures.map(renderFailure)].join(
    '\n',
  );
}

function renderReport({ statistics, files }: EvaluateReport): string[] {
  const rows = statistics.map(({ region, metric, cases, mean, low, high }) => [
    region ?? 'all classes',
    metric,
    String(cases),
    figure(mean),
    low === null || high === null ? '–' : `${figure(low)} – ${figure(high)}`,
  ]);
  return [table(['region', 'metric', 'cases', 'mean', 'interval'], rows), `tables: ${files.join(', ')}`];
}

/** The tests of a comparison. */
export function renderComparison({ output, cases, tests, failures }: CompareSummary): string {
  const rows = tests.map((one) => [
    one.region ?? 'all classes',
    one.metric,
    String(one.cases),
    figure(one.firstMean),
    figure(one.secondMean),
    figure(one.difference),
    figure(one.p),
    figure(one.adjustedP),
    figure(one.rankBiserial),
  ]);
  const head = ['region', 'metric', 'cases', 'first', 'second', 'difference', 'p', 'p (Holm)', 'effect'];
  return [`${cases} cases, ${output}`, table(head, rows), ...failures.map(renderFailure)].join('\n');
}

/** Four digits; undefined numbers are null. */
function figure(value: number | null): string {
  return value === null ? '–' : String(Number(value.toPrecision(4)));
}

export function renderExport({ output, models, ensembles, files, size }: ExportModelSummary): string {
  const lines = models.map(({ name, folds }) => `  ${name}: folds ${folds.join(' ')}`);
  const also = ensembles > 0 ? [`  postprocessing of ${ensembles} ensembles`] : [];
  return [`${files} files packed into ${output}, ${megabytes(size)}`, ...lines, ...also].join('\n');
}

export function renderReportFile(summary: ReportSummary): string {
  const { output, bytes, kinds, cases, thinned, withoutChannels, failures } = summary;
  const smaller = thinned > 0 ? `, ${thinned} of them at a lower resolution` : '';
  const lacking = withoutChannels > 0 ? `, ${withoutChannels} without some channels` : '';
  const counted = cases === 1 ? '1 case' : `${cases} cases`;
  const head = `${output}: ${kinds.join(', ')}; images of ${counted}${smaller}${lacking}; ${megabytes(bytes)}`;
  return [head, ...failures.map(renderFailure)].join('\n');
}

export function renderInstall({ models, ensembles, files, bytes }: InstallModelSummary): string {
  const lines = models.map(({ folder, folds }) => `  ${folder}: folds ${folds.join(' ')}`);
  const also = ensembles.map(({ folder }) => `  ${folder}`);
  return [`${files} files installed, ${megabytes(bytes)}`, ...lines, ...also].join('\n');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
