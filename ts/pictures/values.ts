/** Facts about values, and numbers as text. */

export type Range = readonly [low: number, high: number];

/** Lowest and highest of the finite values; `[0, 0]` without any. */
export function rangeOf(values: Float32Array): Range {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low && value > -Infinity) low = value;
    if (value > high && value < Infinity) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}

/** Number of values that count. */
export function count(values: Float32Array, counts: (value: number) => boolean): number {
  let sum = 0;
  for (const value of values) if (counts(value)) sum += 1;
  return sum;
}

/** A share as a percentage. */
export function percent(share: number): string {
  const value = 100 * share;
  if (value > 0 && value < 0.05) return '<0.1 %';
  return `${value > 0 && value < 1 ? value.toFixed(1) : value.toFixed(0)} %`;
}
