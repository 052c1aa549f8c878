/** Labels compared with a reference: whether they lie on its grid, their Dice, and where they differ most. */
import { fromNative, optionError } from '../errors.js';
import { core } from '../native/core.js';
import type { Volume } from '../volume.js';
import { axesOf } from './orientation.js';

/** Largest deviation of labels from the image's grid, as that of `evaluate`. */
const TOLERANCE = 1e-3;

/** Refuses labels that do not lie where the image lies. */
export function checkGrid(image: Volume, labels: Volume, name: string): void {
  const [expected, found] = [image.shape.join(' × '), labels.shape.join(' × ')];
  if (expected !== found)
    throw optionError('panels', `${name}: expected the shape of the image, ${expected}, got ${found}`);
  if (axesOf(image.direction) === undefined) return;
  const place = ({ spacing, origin, direction }: Volume) => ({
    spacing: [...spacing],
    origin: [...origin],
    direction: [...direction],
  });
  const deviation = core().placeDeviation(place(image), place(labels));
  if (deviation <= TOLERANCE) return;
  throw optionError(
    'panels',
    `${name}: expected spacing, origin and direction of the image, found a deviation of ${deviation.toPrecision(2)} voxels`,
  );
}

/** Dice of classes 1, 2, …; NaN where neither has the class. */
export function diceOf(
  reference: Float32Array,
  prediction: Float32Array,
  shape: readonly number[],
  classes: number,
): number[] {
  const labels = Array.from({ length: classes }, (_, i) => i + 1);
  try {
    return core().dice(wholeLabels(reference), wholeLabels(prediction), [...shape], labels);
  } catch (thrown) {
    throw fromNative(thrown);
  }
}

/** Labels as whole numbers; all below 0 are unlabelled. */
function wholeLabels(values: Float32Array): Int16Array {
  // `from` with a function is many times slower on whole volumes.
  const whole = new Int16Array(values.length);
  for (let i = 0; i < whole.length; i += 1) {
    whole[i] = Math.max(-1, Math.min(32767, Math.round(values[i] ?? 0)));
  }
  return whole;
}

/** The slice with most different voxels of all predictions along an axis; of equal ones, that nearest to the middle. */
export function largestError(
  reference: Volume,
  predictions: readonly Volume[],
  axis: number,
): { readonly index: number; readonly voxels: number } {
  const { shape } = reference;
  const middle = Math.floor((shape[axis] ?? 1) / 2);
  const counts = new Array<number>(shape[axis] ?? 1).fill(0);
  const step = shape.slice(axis + 1).reduce((product, n) => product * n, 1);
  for (const labels of predictions) {
    for (let i = 0; i < reference.data.length; i += 1) {
      const truth = reference.data[i] ?? 0;
      if (truth < 0 || truth === labels.data[i]) continue;
      const slice = Math.floor(i / step) % counts.length;
      counts[slice] = (counts[slice] ?? 0) + 1;
    }
  }
  const better = (best: number, voxels: number, i: number): number => {
    const most = counts[best] ?? 0;
    const nearer = Math.abs(i - middle) < Math.abs(best - middle);
    return voxels > most || (voxels === most && nearer) ? i : best;
  };
  const index = counts.reduce(better, 0);
  return { index, voxels: counts[index] ?? 0 };
}

const number = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(3));

/** The mean over classes that have a Dice. */
export function meanText(dice: readonly number[]): string {
  const found = dice.filter((value) => !Number.isNaN(value));
  // 0 / 0 without any.
  const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
  return `${dice.length > 1 ? 'mean Dice' : 'Dice'} ${number(mean)}`;
}

/** The mean, and each class. */
export function diceLines(dice: readonly number[], classes: readonly string[]): string[] {
  if (dice.length <= 1) return dice.map((value) => `Dice ${number(value)}`);
  return [meanText(dice), ...dice.map((value, i) => `${classes[i]} ${number(value)}`)];
}
