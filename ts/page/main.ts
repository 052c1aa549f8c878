import plotStyle from 'uplot/dist/uPlot.min.css';
import type { Comparison, Fact, Report, Scores, Section, Task, ViewCase } from '../generated/report.js';
import { boxes, histogram, patchesToScale } from './charts.js';
import { curvesView } from './curves.js';
import { h, show } from './dom.js';
import { follow, isLive } from './live.js';
import style from './page.css';
import { type Part, Parts, part, still } from './parts.js';
import { tablePart } from './table.js';
import { viewer } from './viewer.js';

document.head.append(h('style', {}, plotStyle, style));
const page = new Parts(h('div'));
document.body.prepend(page.element);
if (isLive()) {
  document.body.prepend(follow(showReport));
} else {
  showReport(JSON.parse(document.getElementById('report')?.textContent ?? '') as Report);
}

/** Shows a report in place of the one before. */
function showReport({ title, made, program, sections, casesLeftOut }: Report): void {
  document.title = title;
  const titles = sections.map(titleOf);
  page.show([
    still('header', { title, by: `${program}, ${made}` }, (head) =>
      h('header', {}, h('h1', {}, head.title), h('p', {}, head.by)),
    ),
    ...(casesLeftOut > 0 ? [still('left out', casesLeftOut, lackingCases)] : []),
    ...(titles.length > 1 ? [still('sections', titles, navigation)] : []),
    part('main', sections, (first) => {
      const main = new Parts(h('main'));
      const update = (next: readonly Section[]) => main.show(next.map(sectionPart));
      update(first);
      return { element: main.element, update };
    }),
  ]);
}

function lackingCases(count: number): HTMLElement {
  const more = count === 1 ? '1 more case is' : `${count} more cases are`;
  return h('p', { class: 'left-out' }, `Images of ${more} left out to fit the size limit.`);
}

function navigation(titles: readonly string[]): HTMLElement {
  const links = titles.map((name, at) => h('li', {}, h('a', { href: `#section-${at}` }, name)));
  return h('nav', { 'aria-label': 'Sections' }, h('ul', {}, ...links));
}

function sectionPart(section: Section, at: number): Part {
  return part(`${at} ${section.kind} ${titleOf(section)}`, section, (first) => {
    const parts = new Parts(h('section', { id: `section-${at}` }));
    const update = (next: Section) => parts.show([heading('h2', titleOf(next)), ...content(next)]);
    update(first);
    return { element: parts.element, update };
  });
}

function heading(level: 'h2' | 'h3', text: string): Part {
  return still(`${level} ${text}`, text, (now) => h(level, {}, now));
}

function titleOf(section: Section): string {
  if (section.kind === 'comparison') return `Comparison of ${section.first} and ${section.second}`;
  return section.name;
}

function content(section: Section): Part[] {
  switch (section.kind) {
    case 'model':
      return [
        path(section.path),
        facts(section.facts),
        ...(section.recipe ? [still('recipe', section.recipe, (text) => h('p', {}, text))] : []),
        ...(section.command
          ? [still('command', section.command, (text) => h('pre', { tabindex: '0' }, text))]
          : []),
        ...(section.runs.length > 0
          ? [heading('h3', 'Curves'), part('curves', section.runs, curvesView)]
          : []),
        ...scoresParts(section.scores),
        ...casesParts(section.cases),
      ];
    case 'task':
      return taskParts(section);
    case 'predictions':
      return [
        path(section.path),
        ...(section.reference === null ? [] : [path(`reference: ${section.reference}`)]),
        facts(section.facts),
        ...scoresParts(section.scores),
        ...casesParts(section.cases),
      ];
    case 'comparison':
      return comparisonParts(section);
  }
}

function path(text: string): Part {
  return still(`path ${text}`, text, (now) => h('p', { class: 'path' }, now));
}

function facts(list: readonly Fact[]): Part {
  return still('facts', list, (all) =>
    h('dl', {}, ...all.map(({ name, value }) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
  );
}

function casesParts(cases: readonly ViewCase[]): Part[] {
  if (cases.length === 0) return [];
  const bytes = cases.reduce((sum, one) => sum + one.bytes, 0);
  const thinned = cases.filter(({ step }) => step.some((voxels) => voxels > 1)).length;
  const lacking = cases.filter(({ leftOut }) => leftOut.length > 0).length;
  const counts = [
    cases.length === 1 ? '1 case' : `${cases.length} cases`,
    ...(thinned > 0 ? [`${thinned} of them thinned`] : []),
    ...(lacking > 0 ? [`${lacking} without some channels`] : []),
  ];
  const title = `Images (${counts.join(', ')}, ${(bytes / 1e6).toFixed(1)} MB)`;
  return [still('images', title, (text) => h('h3', {}, text)), part('viewer', cases, viewer)];
}

function figures<D>(key: string, data: D, draw: (data: D) => HTMLElement[]): Part {
  return still(key, data, (now) => h('div', { class: 'figures' }, ...draw(now)));
}

function scoresParts(scores: Scores | null): Part[] {
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
    heading('h3', 'Scores'),
    figures('boxes', scores, boxes),
    tablePart('Statistics', heads, statistics),
    tablePart(
      'Cases, worst first',
      ['Case', ...columns],
      cases.map(({ name, values }) => [name, ...values.flat()]),
    ),
  ];
}

function taskParts(task: Task): Part[] {
  const { findings, histograms, table, patches, sizes } = task;
  return [
    path(task.path),
    facts(task.facts),
    heading('h3', 'Findings'),
    findings.length === 0
      ? still('no findings', null, () => h('p', {}, 'No problem was found.'))
      : tablePart(
          'Findings',
          ['Severity', 'Kind', 'Case', 'Message'],
          findings.map((finding) => [finding.severity, finding.code, finding.case, finding.message]),
        ),
    ...(histograms.length > 0
      ? [heading('h3', 'Distributions'), figures('histograms', histograms, (all) => all.map(histogram))]
      : []),
    ...(patches.length > 0 && sizes.length > 0
      ? [heading('h3', 'Planned patches'), figures('patches', task, patchesToScale)]
      : []),
    heading('h3', 'Cases'),
    tablePart(
      'Cases',
      ['Case', ...table.columns.map(({ name, unit }) => (unit ? `${name} (${unit})` : name))],
      table.rows.map((row) => [row.case, ...row.values]),
    ),
    ...casesParts(task.cases),
  ];
}

function comparisonParts({ first, second, rows, pairs }: Comparison): Part[] {
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
    still('order', `First: ${first}. Second: ${second}. A difference is second minus first.`, (text) =>
      h('p', {}, text),
    ),
    tablePart(
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
    tablePart(
      'Pairs',
      ['Case', 'Class', 'Metric', 'First', 'Second'],
      pairs.map((pair) => [pair.case, pair.class, pair.metric, pair.first, pair.second]),
    ),
  ];
}
