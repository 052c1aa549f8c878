import uPlot from 'uplot';
import type { Run, Series } from '../generated/report.js';
import { colour, DASHES } from './colours.js';
import { checkbox, h, show } from './dom.js';

/** Headings of the charts. */
const GROUPS: Readonly<Record<Series['group'], string>> = {
  loss: 'Loss',
  dice: 'Online Dice',
  learningRate: 'Learning rate',
  time: 'Time of an epoch',
  wait: 'Wait for data',
  memory: 'Memory',
  gradient: 'Norm of the gradients',
};

/** What the reader chose. */
interface Settings {
  /** Weight of the mean so far, from 0 to 0.95. */
  smoothing: number;
  logarithmic: boolean;
  hidden: Set<string>;
}

/** A curve in a chart: its name is that of the series, with the run where there are several. */
interface Curve {
  label: string;
  series: Series;
  run: Run;
  colour: string;
  dash: number[];
}

/** Charts of the runs, one for each group of series, with their controls. */
export function curvesView(runs: readonly Run[]): HTMLElement {
  const settings: Settings = { smoothing: 0, logarithmic: false, hidden: new Set() };
  const charts = h('div', { class: 'charts' });
  const drawn: uPlot[] = [];
  const draw = () => {
    for (const chart of drawn.splice(0)) chart.destroy();
    charts.replaceChildren();
    for (const group of Object.keys(GROUPS) as Series['group'][]) {
      const curves = curvesOf(runs, group).filter(({ series, run }) => !isHidden(settings, series, run));
      if (curves.length > 0) drawn.push(chart(charts, GROUPS[group], curves, settings));
    }
  };
  const seen = new ResizeObserver(() => {
    for (const chart of drawn) chart.setSize({ width: widthOf(charts), height: 260 });
  });
  seen.observe(charts);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  requestAnimationFrame(draw);
  return h('div', {}, controls(runs, settings, draw), charts);
}

function isHidden({ hidden }: Settings, series: Series, run: Run): boolean {
  return hidden.has(`run ${run.name}`) || (series.class !== null && hidden.has(`class ${series.class}`));
}

function controls(runs: readonly Run[], settings: Settings, draw: () => void): HTMLElement {
  const smoothing = h('input', { type: 'range', min: '0', max: '0.95', step: '0.05', value: '0' });
  smoothing.addEventListener('input', () => {
    settings.smoothing = Number(smoothing.value);
    draw();
  });
  const toggle = (kind: string, name: string) =>
    checkbox(name, true, (on) => {
      settings.hidden[on ? 'delete' : 'add'](`${kind} ${name}`);
      draw();
    });
  const names = [...new Set(runs.flatMap(({ series }) => series.flatMap((one) => one.class ?? [])))];
  return h(
    'div',
    { class: 'controls' },
    h('label', {}, 'Smoothing ', smoothing),
    checkbox('Logarithmic epochs', false, (on) => {
      settings.logarithmic = on;
      draw();
    }),
    ...(runs.length > 1 ? runs.map(({ name }) => toggle('run', name)) : []),
    ...names.map((name) => toggle('class', name)),
  );
}

/** The curves of a group. Colours tell series apart, line styles tell runs apart. */
function curvesOf(runs: readonly Run[], group: Series['group']): Curve[] {
  const names = [
    ...new Set(runs.flatMap((run) => run.series.filter((s) => s.group === group).map((s) => s.name))),
  ];
  return runs.flatMap((run, at) =>
    run.series
      .filter((series) => series.group === group)
      .map((series) => {
        const index = names.indexOf(series.name);
        const style = runs.length > 1 ? at : index;
        return {
          label: runs.length > 1 ? `${run.name} ${series.name}` : series.name,
          series,
          run,
          colour: colour(index),
          dash: DASHES[style % DASHES.length] ?? [],
        };
      }),
  );
}

/** The mean of the values so far, with weights that fall exponentially. */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  let [sum, total] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    total = weight * total + 1 - weight;
    return sum / total;
  });
}

function chart(parent: HTMLElement, title: string, curves: readonly Curve[], settings: Settings): uPlot {
  const epochs = [...new Set(curves.flatMap(({ run }) => run.epochs))].sort((a, b) => a - b);
  // A logarithm needs epochs from 1 on.
  const shift = settings.logarithmic ? 1 : 0;
  const ink = getComputedStyle(document.body).color;
  const axis = { stroke: ink, grid: { stroke: 'rgba(128,128,128,0.25)' }, ticks: { stroke: ink } };
  const unit = curves.find(({ series }) => series.unit !== '')?.series.unit;
  const readout = h('p', { class: 'readout', 'aria-live': 'polite' }, 'Point at the curves to read values.');
  const series = curves.map(({ label, colour: stroke, dash }) => ({
    label,
    stroke,
    dash,
    width: 2,
    spanGaps: true,
    points: { show: epochs.length < 3 },
  }));
  const values = curves.map(({ series: { values }, run }) => {
    const found = new Map(smooth(values, settings.smoothing).map((value, at) => [run.epochs[at], value]));
    return epochs.map((epoch) => found.get(epoch) ?? null);
  });
  const holder = h('div', { class: 'chart', tabindex: '0', role: 'group', 'aria-label': `${title}: curves` });
  parent.append(h('h4', {}, unit ? `${title} (${unit})` : title), holder, legend(curves), readout);
  const plot = new uPlot(
    {
      width: widthOf(parent),
      height: 260,
      legend: { show: false },
      scales: { x: { time: false, distr: settings.logarithmic ? 3 : 1 } },
      axes: [
        { ...axis, label: settings.logarithmic ? 'epoch + 1' : 'epoch' },
        { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => show(tick)) },
      ],
      series: [{}, ...series],
      hooks: {
        draw: [(u) => markResumptions(u, curves, shift, ink)],
        setCursor: [
          (u) => {
            const at = u.cursor.idx;
            if (at === null || at === undefined || (u.cursor.left ?? -1) < 0) return;
            const texts = curves.map(({ label }, index) => `${label} ${show(values[index]?.[at])}`);
            readout.textContent = `Epoch ${epochs[at]}: ${texts.join(', ')}`;
          },
        ],
      },
    },
    [epochs.map((epoch) => epoch + shift), ...values],
    holder,
  );
  holder.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = Math.min(epochs.length - 1, Math.max(0, (plot.cursor.idx ?? -1) + step));
    plot.setCursor({ left: plot.valToPos((epochs[at] ?? 0) + shift, 'x'), top: 10 });
  });
  return plot;
}

function legend(curves: readonly Curve[]): HTMLElement {
  const items = curves.map(({ label, colour: stroke, dash }) => {
    const line = h('span', { class: 'line', 'aria-hidden': 'true' });
    line.style.borderTop = `3px ${dash.length === 0 ? 'solid' : (dash[0] ?? 0) > 2 ? 'dashed' : 'dotted'} ${stroke}`;
    return h('li', {}, line, label);
  });
  return h('ul', { class: 'legend' }, ...items);
}

/** Draws a vertical line at the first epoch after an interruption. */
function markResumptions(u: uPlot, curves: readonly Curve[], shift: number, ink: string): void {
  const epochs = new Set(curves.flatMap(({ run }) => run.resumptions));
  const { ctx, bbox } = u;
  ctx.save();
  ctx.strokeStyle = ink;
  ctx.fillStyle = ink;
  ctx.textAlign = 'left';
  ctx.setLineDash([3, 5]);
  for (const epoch of epochs) {
    const x = u.valToPos(epoch + shift, 'x', true);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText('resumed', x + 4, bbox.top + 12);
  }
  ctx.restore();
}

function widthOf(element: HTMLElement): number {
  return Math.max(260, Math.min(1000, element.clientWidth));
}
