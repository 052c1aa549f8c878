import plotStyle from 'uplot/dist/uPlot.min.css';
import type { Comparison, Fact, Report, Scores, Section, Task, ViewCase } from '../generated/report.js';
import { boxes, histogram, patchesToScale } from './charts.js';
import { curvesView } from './curves.js';
import { type Child, h, show } from './dom.js';
import style from './page.css';
import { sortableTable } from './table.js';
import { viewer } from './viewer.js';

const text = document.getElementById('report')?.textContent ?? '';
document.head.append(h('style', {}, plotStyle, style));
render(JSON.parse(text) as Report);

function render({ title, made, program, sections }: Report): void {
  document.title = title;
  const titles = sections.map(titleOf);
  const links = titles.map((name, at) => h('li', {}, h('a', { href: `#section-${at}` }, name)));
  document.body.prepend(
    h('header', {}, h('h1', {}, title), h('p', {}, `${program}, ${made}`)),
    ...(links.length > 1 ? [h('nav', { 'aria-label': 'Sections' }, h('ul', {}, ...links))] : []),
    h(
      'main',
      {},
      ...sections.map((section, at) =>
        h('section', { id: `section-${at}` }, h('h2', {}, titles[at] ?? ''), ...content(section)),
      ),
    ),
  );
}

function titleOf(section: Section): string {
  if (section.kind === 'comparison') return `Comparison of ${section.first} and ${section.second}`;
  return section.name;
}

function content(section: Section): Child[] {
  switch (section.kind) {
    case 'model':
      return [
        path(section.path),
        facts(section.facts),
        ...(section.recipe ? [h('p', {}, section.recipe)] : []),
        ...(section.command ? [h('pre', { tabindex: '0' }, section.command)] : []),
        ...(section.runs.length > 0 ? [h('h3', {}, 'Curves'), curvesView(section.runs)] : []),
        ...scoresView(section.scores),
        ...casesView(section.cases),
      ];
    case 'task':
      return taskView(section);
    case 'predictions':
      return [
        path(section.path),
        ...(section.reference === null ? [] : [path(`reference: ${section.reference}`)]),
        facts(section.facts),
        ...scoresView(section.scores),
        ...casesView(section.cases),
      ];
    case 'comparison':
      return comparisonView(section);
  }
}

function path(text: string): HTMLElement {
  return h('p', { class: 'path' }, text);
}

function facts(list: readonly Fact[]): HTMLElement {
  return h('dl', {}, ...list.map(({ name, value }) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

function casesView(cases: readonly ViewCase[]): Child[] {
  if (cases.length === 0) return [];
  const bytes = cases.reduce((sum, one) => sum + one.bytes, 0);
  return [h('h3', {}, `Images (${cases.length} cases, ${(bytes / 1e6).toFixed(1)} MB)`), viewer(cases)];
}

function scoresView(scores: Scores | null): Child[] {
  if (scores === null) return [];
  const { classes, metrics, cases, summary } = scores;
  const unit = (metric: Scores['metrics'][number]) =>
    metric.unit ? `${metric.name} (${metric.unit})` : metric.name;
  const columns = classes.flatMap(({ name }) => metrics.map((metric) => `${name}: ${unit(metric)}`));
  const statistics = summary.map((row) => [
    classes[row.class]?.name ?? '',
    metrics.find(({ key }) => key === row.metric)?.name ?? row.metric,
    row.n,
    row.mean,
    row.sd,
    row.median,
    row.low,
    row.high,
  ]);
  const heads = ['Class', 'Metric', 'Cases', 'Mean', 'SD', 'Median', '95 % from', '95 % to'];
  return [
    h('h3', {}, 'Scores'),
    h('div', { class: 'figures' }, ...boxes(scores)),
    sortableTable('Statistics', heads, statistics),
    sortableTable(
      'Cases, worst first',
      ['Case', ...columns],
      cases.map(({ name, values }) => [name, ...values.flat()]),
    ),
  ];
}

function taskView(task: Task): Child[] {
  const { findings, histograms, table, patches, sizes } = task;
  return [
    path(task.path),
    facts(task.facts),
    h('h3', {}, 'Findings of the check'),
    findings.length === 0
      ? h('p', {}, 'No problem was found.')
      : sortableTable(
          'Findings',
          ['Severity', 'Kind', 'Case', 'Message'],
          findings.map((finding) => [finding.severity, finding.code, finding.case, finding.message]),
        ),
    ...(histograms.length > 0
      ? [h('h3', {}, 'Distributions'), h('div', { class: 'figures' }, ...histograms.map(histogram))]
      : []),
    ...(patches.length > 0 && sizes.length > 0
      ? [h('h3', {}, 'Planned patches'), h('div', { class: 'figures' }, ...patchesToScale(task))]
      : []),
    h('h3', {}, 'Cases'),
    sortableTable(
      'Cases',
      ['Case', ...table.columns.map(({ name, unit }) => (unit ? `${name} (${unit})` : name))],
      table.rows.map((row) => [row.case, ...row.values]),
    ),
    ...casesView(task.cases),
  ];
}

function comparisonView({ first, second, rows, pairs }: Comparison): Child[] {
  const interval = (low: number | null, high: number | null) => `${show(low)} to ${show(high)}`;
  const heads = [
    'Class',
    'Metric',
    'Cases',
    'First',
    'Second',
    'Difference',
    '95 % interval',
    'p',
    'p (Holm)',
    'Effect',
  ];
  return [
    h('p', {}, `First: ${first}. Second: ${second}. A difference is second minus first.`),
    sortableTable(
      'Paired comparison',
      heads,
      rows.map((row) => [
        row.class,
        row.metric,
        row.n,
        row.first,
        row.second,
        row.difference,
        interval(row.low, row.high),
        row.p,
        row.adjusted,
        row.effect,
      ]),
    ),
    sortableTable(
      'Pairs',
      ['Case', 'Class', 'Metric', 'First', 'Second'],
      pairs.map((pair) => [pair.case, pair.class, pair.metric, pair.first, pair.second]),
    ),
  ];
}
