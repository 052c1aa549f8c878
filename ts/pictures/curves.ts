import { fromNative } from '../errors.js';
import type { EpochEvent } from '../generated/events.js';
import { core } from '../native/core.js';

/**
 * Draws the learning curves of a fold as in `progress.png`: training and validation loss, mean online Dice, and the Dice
 * of each class.
 *
 * @param epochs the `epoch` events of a run, in order, or the lines of its `progress.jsonl`
 * @param classes names of the foreground classes, in the order of `EpochEvent.dice`; others have numbers
 * @returns an SVG document
 * @throws NnunetError `ERR_OPTIONS` if an epoch lacks a value
 */
export function drawCurves(title: string, epochs: readonly EpochEvent[], classes: readonly string[]): string {
  try {
    return core().drawCurves(title, JSON.stringify(epochs), [...classes]);
  } catch (thrown) {
    throw fromNative(thrown);
  }
}
