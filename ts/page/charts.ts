import type { Histogram, Scores, Task } from '../generated/report.js';
import { colourOf } from '../pictures/colours.js';
import { lineColour } from './colours.js';
import { h, show, svg } from './dom.js';

/** Value at a share of sorted values, between neighbours where it falls between them. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const [low = 0, high = 0] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

/** A figure: a drawing that scales with the page, and its caption. */
function figure(title: string, width: number, height: number, parts: SVGElement[]): HTMLElement {
  const drawing = svg(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': title },
    ...parts,
  );
  drawing.style.maxWidth = `${width}px`;
  return h('figure', {}, h('figcaption', {}, title), drawing);
}

function words(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end' = 'start'): SVGElement {
  return svg('text', { x, y, 'text-anchor': anchor, 'font-size': 12, fill: 'currentColor' }, text);
}

/** A box with quartiles and median, and every case as a point, for each class. One figure a metric. */
export function boxes(scores: Scores): HTMLElement[] {
  return scores.metrics.flatMap((metric, m) => {
    const rows = scores.classes.map(({ name, label }, c) => ({
      name,
      colour: colourOf(label ?? c + 1),
      points: scores.cases.flatMap(({ name: of, values }) => {
        const value = values[c]?.[m];
        return value === null || value === undefined ? [] : [{ value, of }];
      }),
    }));
    const all = rows.flatMap(({ points }) => points.map(({ value }) => value));
    if (all.length === 0) return [];
    const low = Math.min(...all);
    const high = Math.max(...all);
    // Equal values are in the middle.
    const at = (value: number) => 110 + (high > low ? (value - low) / (high - low) : 0.5) * 280;
    const parts = rows.flatMap(({ name, colour, points }, r) => {
      const y = 20 + 36 * r;
      const sorted = points.map(({ value }) => value).sort((a, b) => a - b);
      const label = words(100, y + 4, name.length > 14 ? `${name.slice(0, 13)}…` : name, 'end');
      if (sorted.length === 0) return [label];
      const [q1, q2, q3] = [quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)];
      return [
        label,
        svg('rect', {
          x: at(q1),
          y: y - 10,
          width: Math.max(1, at(q3) - at(q1)),
          height: 20,
          fill: 'none',
          stroke: 'currentColor',
        }),
        svg('line', {
          x1: at(q2),
          x2: at(q2),
          y1: y - 10,
          y2: y + 10,
          stroke: 'currentColor',
          'stroke-width': 3,
        }),
        ...points.map(({ value, of }, p) =>
          svg(
            'circle',
            { cx: at(value), cy: y + ((p % 5) - 2) * 3, r: 3.5, fill: colour, 'fill-opacity': 0.7 },
            svg('title', {}, `${of}: ${show(value)}`),
          ),
        ),
      ];
    });
    const height = 36 * rows.length + 30;
    const title = metric.unit ? `${metric.name} (${metric.unit})` : metric.name;
    const ends =
      high > low
        ? [words(110, height - 6, show(low)), words(390, height - 6, show(high), 'end')]
        : [words(250, height - 6, show(low), 'middle')];
    return [figure(title, 400, height, [...parts, ...ends])];
  });
}

/** Bars of a histogram. */
export function histogram({ name, unit, edges, counts }: Histogram): HTMLElement {
  const most = Math.max(1, ...counts);
  const width = 330 / Math.max(1, counts.length);
  const bars = counts.map((count, at) =>
    svg(
      'rect',
      {
        x: 40 + at * width,
        y: 130 - (count / most) * 110,
        width: Math.max(1, width - 1),
        height: (count / most) * 110,
        fill: lineColour(0),
      },
      svg('title', {}, `${show(edges[at])} to ${show(edges[at + 1])}: ${count}`),
    ),
  );
  return figure(unit ? `${name} (${unit})` : name, 380, 160, [
    ...bars,
    svg('line', { x1: 40, x2: 370, y1: 130, y2: 130, stroke: 'currentColor' }),
    words(34, 26, String(most), 'end'),
    words(34, 134, '0', 'end'),
    // A bar alone is one value, in its middle.
    ...(counts.length === 1
      ? [words(205, 150, show(((edges[0] ?? 0) + (edges[1] ?? 0)) / 2), 'middle')]
      : [words(40, 150, show(edges[0])), words(370, 150, show(edges.at(-1)), 'end')]),
  ]);
}

/** An extent for readers; a 2D patch has none along one axis. */
function extentOf(mm: number): string {
  return mm > 0 ? `${show(mm)} mm` : '1 slice';
}

/** The planned patches over the extents of the cases, to scale: two views, one with y and one with z upwards. */
export function patchesToScale({ patches, sizes }: Task): HTMLElement[] {
  return (
    [
      ['x', 2, 'y', 1],
      ['x', 2, 'z', 0],
    ] as const
  ).map(([nameX, x, nameY, y]) => {
    const extents = patches.map(({ configuration, patch, spacing, axes }) => {
      const along = (axis: number) => {
        const at = axes.indexOf(axis);
        return at < 0 ? 0 : (patch[at] ?? 0) * (spacing[at] ?? 0);
      };
      return { configuration, width: along(x), height: along(y) };
    });
    const widest = Math.max(1, ...sizes.map(({ size }) => size[x]), ...extents.map(({ width }) => width));
    const tallest = Math.max(1, ...sizes.map(({ size }) => size[y]), ...extents.map(({ height }) => height));
    const scale = Math.min(320 / widest, 220 / tallest);
    const box = (width: number, height: number, style: Record<string, string | number>, text: string) =>
      svg(
        'rect',
        {
          x: 10,
          y: 10,
          width: Math.max(1, width * scale),
          height: Math.max(1, height * scale),
          fill: 'none',
          ...style,
        },
        svg('title', {}, text),
      );
    const parts = [
      ...sizes.map(({ case: name, size }) =>
        box(size[x], size[y], { stroke: 'currentColor', 'stroke-opacity': 0.35 }, name),
      ),
      ...extents.flatMap(({ configuration, width, height }, at) => [
        box(
          width,
          height,
          { stroke: lineColour(at), 'stroke-width': 3, 'stroke-dasharray': at * 4 },
          configuration,
        ),
        words(
          10,
          tallest * scale + 30 + 16 * at,
          `${configuration}: ${extentOf(width)} × ${extentOf(height)}`,
        ),
        svg('rect', {
          x: 300,
          y: tallest * scale + 22 + 16 * at,
          width: 30,
          height: 4,
          fill: lineColour(at),
        }),
      ]),
    ];
    const title = `Patches (coloured) and cases (grey), ${nameX} across and ${nameY} down`;
    return figure(title, 350, tallest * scale + 30 + 16 * extents.length, parts);
  });
}
