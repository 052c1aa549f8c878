import type { EpochEvent } from '../generated/events.js';
import { colourOf, document, text } from './svg.js';

const PANEL = { width: 420, height: 240, left: 52, top: 34, gap: 40 };

interface Series {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

/**
 * Draws the learning curves of a fold: losses beside the online Dice of each class.
 *
 * @param epochs the `epoch` events of a run, in order
 * @param classes names of the foreground classes, in the order of `EpochEvent.dice`
 * @returns an SVG document
 */
export function drawCurves(title: string, epochs: readonly EpochEvent[], classes: readonly string[]): string {
  const losses: Series[] = [
    { name: 'training loss', colour: '#0072b2', values: epochs.map((e) => e.trainLoss) },
    { name: 'validation loss', colour: '#d55e00', values: epochs.map((e) => e.validationLoss) },
  ];
  const dice = classes.map((name, i) => ({
    name: `Dice ${name}`,
    colour: colourOf(i + 1),
    values: epochs.map((e) => e.dice[i] ?? null),
  }));
  const width = 2 * (PANEL.left + PANEL.width) + PANEL.gap;
  const height = PANEL.top + PANEL.height + 48;
  const second = PANEL.left + PANEL.width + PANEL.gap;
  return document(width, height, [
    text(PANEL.left, 20, title, { size: 14 }),
    ...panel(PANEL.left, losses, range(losses)),
    ...panel(second + PANEL.left, dice, [0, 1]),
  ]);
}

/** Range of the finite values with a margin, so that no curve lies on the frame. */
function range(series: readonly Series[]): [number, number] {
  const values = series.flatMap((s) => s.values).filter((v) => v !== null && Number.isFinite(v)) as number[];
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low || Math.abs(high) || 1) * 0.05;
  return [low - margin, high + margin];
}

function panel(left: number, series: readonly Series[], [low, high]: [number, number]): string[] {
  const { width, height, top } = PANEL;
  const count = Math.max(...series.map((s) => s.values.length), 1);
  const x = (i: number): number => left + (count === 1 ? width / 2 : (i / (count - 1)) * width);
  const y = (v: number): number => top + height - ((v - low) / (high - low)) * height;
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((t) => {
    const value = low + t * (high - low);
    return [
      `<line x1="${left}" x2="${left + width}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/>`,
      text(left - 6, y(value) + 4, value.toPrecision(3), { anchor: 'end', size: 10 }),
    ];
  });
  const lines = series.map((s) => {
    const points = s.values.flatMap((v, i) =>
      v === null || !Number.isFinite(v) ? [] : [`${x(i).toFixed(1)},${y(v).toFixed(1)}`],
    );
    return `<polyline fill="none" stroke="${s.colour}" stroke-width="1.8" points="${points.join(' ')}"/>`;
  });
  const legend = series.map((s, i) =>
    text(left + i * (width / series.length), top + height + 34, `— ${s.name}`, { colour: s.colour }),
  );
  return [
    ...grid,
    ...lines,
    text(left, top + height + 16, '1', { size: 10 }),
    text(left + width, top + height + 16, `epoch ${count}`, { anchor: 'end', size: 10 }),
    ...legend,
  ];
}
