import uPlot from 'uplot';
import type { Run, Series } from '../generated/report.js';
import { colourOf } from '../pictures/colours.js';
import { dashOf, lineColour } from './colours.js';
import { checkbox, h, show } from './dom.js';
import type { View } from './parts.js';

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

/** Distances of ticks: epochs are whole numbers. */
const TICKS = [1, 10, 100, 1000, 10_000].flatMap((tens) => [tens, 2 * tens, 5 * tens]);

/** What the reader chose. */
interface Settings {
  /** Weight of the mean so far, from 0 to 0.95. */
  smoothing: number;
  logarithmic: boolean;
  hidden: Set<string>;
  /** First and last epoch shown, by heading; charts that are not zoomed are missing. */
  zooms: Map<string, readonly [number, number]>;
}

/** A curve in a chart: its name is that of the class or series, with the run where there are several. */
interface Curve {
  label: string;
  series: Series;
  run: Run;
  colour: string;
  dash: number[];
}

/** A chart on the page. */
interface Chart {
  title: string;
  /** Names of its curves; a chart with others is made anew. */
  labels: string;
  plot: uPlot;
  update(curves: readonly Curve[]): void;
  /** Removes it from the page. */
  remove(): void;
}

/**
 * Charts of the runs, one for each group of series, with their controls. Zooms and choices outlive changes of
 * the data.
 */
export function curvesView(first: readonly Run[]): View<readonly Run[]> {
  let runs = first;
  const settings: Settings = { smoothing: 0, logarithmic: false, hidden: new Set(), zooms: new Map() };
  const charts = h('div', { class: 'charts' });
  let drawn: Chart[] = [];
  const shown = () =>
    (Object.keys(GROUPS) as Series['group'][]).flatMap((group) => {
      const curves = curvesOf(runs, group).filter(({ series, run }) => !isHidden(settings, series, run));
      return curves.length > 0 ? [{ title: GROUPS[group], curves }] : [];
    });
  const draw = () => {
    for (const chart of drawn) chart.remove();
    drawn = shown().map(({ title, curves }) => makeChart(charts, title, curves, settings));
  };
  const refresh = () => {
    const wanted = shown();
    const same =
      wanted.length === drawn.length &&
      wanted.every(({ title, curves }, at) => {
        const old = drawn[at];
        return old?.title === title && old.labels === labelsOf(curves);
      });
    if (!same) return draw();
    wanted.forEach(({ curves }, at) => {
      drawn[at]?.update(curves);
    });
  };
  const seen = new ResizeObserver(() => {
    for (const { plot } of drawn) plot.setSize({ width: widthOf(charts), height: 260 });
  });
  seen.observe(charts);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  requestAnimationFrame(refresh);
  const { element, update: showToggles } = controls(runs, settings, draw);
  return {
    element: h('div', {}, element, charts),
    update(next) {
      runs = next;
      showToggles(runs);
      refresh();
    },
  };
}

function isHidden({ hidden }: Settings, series: Series, run: Run): boolean {
  return hidden.has(`run ${run.name}`) || (series.class !== null && hidden.has(`class ${series.class}`));
}

/** Controls of all charts; there is a toggle for each run, of several, and for each class. */
function controls(first: readonly Run[], settings: Settings, draw: () => void): View<readonly Run[]> {
  const smoothing = h('input', { type: 'range', min: '0', max: '0.95', step: '0.05', value: '0' });
  smoothing.addEventListener('input', () => {
    settings.smoothing = Number(smoothing.value);
    draw();
  });
  const element = h(
    'div',
    { class: 'controls' },
    h('label', {}, 'Smoothing ', smoothing),
    checkbox('Logarithmic epochs', false, (on) => {
      settings.logarithmic = on;
      draw();
    }),
  );
  const toggles = new Map<string, HTMLElement>();
  const add = (kind: string, name: string) => {
    const key = `${kind} ${name}`;
    if (toggles.has(key)) return;
    const toggle = checkbox(name, true, (on) => {
      settings.hidden[on ? 'delete' : 'add'](key);
      draw();
    });
    toggles.set(key, toggle);
    element.append(toggle);
  };
  const update = (runs: readonly Run[]) => {
    if (runs.length > 1) for (const { name } of runs) add('run', name);
    for (const name of classesOf(runs)) add('class', name);
  };
  update(first);
  return { element, update };
}

/** Names of all classes, in the order of their labels. */
function classesOf(runs: readonly Run[]): string[] {
  return [...new Set(runs.flatMap(({ series }) => series.flatMap((one) => one.class ?? [])))];
}

const nameOf = (series: Series) => series.class ?? series.name;

/** The curves of a group. Colours tell series apart, line styles tell runs apart. */
function curvesOf(runs: readonly Run[], group: Series['group']): Curve[] {
  const names = [...new Set(runs.flatMap((run) => run.series.filter((s) => s.group === group).map(nameOf)))];
  const classes = classesOf(runs);
  return runs.flatMap((run, at) =>
    run.series
      .filter((series) => series.group === group)
      .map((series) => {
        const name = nameOf(series);
        const index = series.class === null ? names.indexOf(name) : classes.indexOf(series.class);
        return {
          label: runs.length > 1 ? `${run.name} ${name}` : name,
          series,
          run,
          colour: series.class === null ? lineColour(index) : colourOf(index + 1),
          dash: dashOf(runs.length > 1 ? at : index),
        };
      }),
  );
}

const labelsOf = (curves: readonly Curve[]) => curves.map(({ label }) => label).join('\n');

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

/** Epochs and values of curves. */
function tableOf(curves: readonly Curve[], { smoothing }: Settings) {
  const epochs = [...new Set(curves.flatMap(({ run }) => run.epochs))].sort((a, b) => a - b);
  const values = curves.map(({ series, run }) => {
    const found = new Map(smooth(series.values, smoothing).map((value, at) => [run.epochs[at], value]));
    return epochs.map((epoch) => found.get(epoch) ?? null);
  });
  return { epochs, values };
}

function makeChart(parent: HTMLElement, title: string, given: readonly Curve[], settings: Settings): Chart {
  let curves = given;
  let { epochs, values } = tableOf(curves, settings);
  // A logarithm needs epochs from 1 on.
  const shift = settings.logarithmic ? 1 : 0;
  const rows = (): uPlot.AlignedData => [epochs.map((epoch) => epoch + shift), ...values];
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
    points: { show: (u: uPlot) => (u.data[0]?.length ?? 0) < 3 },
  }));
  const holder = h('div', { class: 'chart', tabindex: '0', role: 'group', 'aria-label': `${title}: curves` });
  const element = h(
    'div',
    {},
    h('h4', {}, unit ? `${title} (${unit})` : title),
    holder,
    legend(curves),
    readout,
  );
  parent.append(element);
  const whole = () => [(epochs[0] ?? 0) + shift, (epochs.at(-1) ?? 0) + shift] as const;
  // A new chart begins with the whole range.
  const zoomed = settings.zooms.get(title);
  const plot = new uPlot(
    {
      width: widthOf(parent),
      height: 260,
      legend: { show: false },
      scales: { x: { time: false, distr: settings.logarithmic ? 3 : 1 } },
      axes: [
        settings.logarithmic
          ? { ...axis, label: 'epoch + 1' }
          : { ...axis, label: 'epoch', incrs: TICKS, values: (_, ticks) => ticks.map(String) },
        { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => show(tick)) },
      ],
      series: [{}, ...series],
      hooks: {
        draw: [(u) => markResumptions(u, curves, shift, ink)],
        setScale: [
          (u, scale) => {
            const { min, max } = u.scales.x ?? {};
            if (scale !== 'x' || typeof min !== 'number' || typeof max !== 'number') return;
            const [from, to] = whole();
            if (min <= from && max >= to) settings.zooms.delete(title);
            else settings.zooms.set(title, [min - shift, max - shift]);
          },
        ],
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
    rows(),
    holder,
  );
  const zoom = (chosen: readonly [number, number] | undefined) => {
    if (chosen !== undefined) plot.setScale('x', { min: chosen[0] + shift, max: chosen[1] + shift });
  };
  zoom(zoomed);
  holder.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = Math.min(epochs.length - 1, Math.max(0, (plot.cursor.idx ?? -1) + step));
    plot.setCursor({ left: plot.valToPos((epochs[at] ?? 0) + shift, 'x'), top: 10 });
  });
  return {
    title,
    labels: labelsOf(curves),
    plot,
    update(next) {
      curves = next;
      ({ epochs, values } = tableOf(curves, settings));
      const chosen = settings.zooms.get(title);
      plot.setData(rows(), chosen === undefined);
      zoom(chosen);
    },
    remove() {
      plot.destroy();
      element.remove();
    },
  };
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
