/** Colours of pictures and of the page of reports. */
import { CLASS_COLOURS } from '../generated/colours.js';

export type Rgb = readonly [red: number, green: number, blue: number];

/** Colour of a class, counted from 1. */
export function colourOf(label: number): string {
  const index = Math.round(label - 1) % CLASS_COLOURS.length;
  return CLASS_COLOURS[index] ?? '#999999';
}

/** Differences of a prediction from its reference: their classes 1, 2 and 3, and their colours. */
export const DIFFERENCES = [
  { name: 'missed', colour: '#0072b2' },
  { name: 'added', colour: '#d55e00' },
  { name: 'other class', colour: '#f0e442' },
] as const;

/** The colour map viridis at equal steps. */
const VIRIDIS = [
  '#440154',
  '#482878',
  '#3e4989',
  '#31688e',
  '#26828e',
  '#1f9e89',
  '#35b779',
  '#6ece58',
  '#b5de2b',
  '#fde725',
];

/** Colour of a value from 0 to 1. */
export function heat(unit: number): Rgb {
  const inside = Number.isNaN(unit) ? 0 : Math.min(1, Math.max(0, unit));
  const place = inside * (VIRIDIS.length - 1);
  const step = Math.min(Math.floor(place), VIRIDIS.length - 2);
  const [from, to] = [parseColour(VIRIDIS[step] ?? ''), parseColour(VIRIDIS[step + 1] ?? '')];
  const mix = (c: 0 | 1 | 2): number => Math.round(from[c] + (place - step) * (to[c] - from[c]));
  return [mix(0), mix(1), mix(2)];
}

/** `#e69f00` → `[230, 159, 0]`. */
export function parseColour(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
