import type { ProgressEvent } from '../generated/events.js';
import { duration } from './duration.js';

const WIDTH = 20;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Draws a progress bar for a share between 0 and 1. */
export function bar(share: number): string {
  const eighths = Math.round(Math.min(Math.max(share, 0), 1) * WIDTH * 8);
  return ('█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '')).padEnd(WIDTH, '░');
}

/** Elapsed and remaining time of one part of a verb. */
export class Pace {
  #unit = '';
  #began = Date.now();
  /** Units that were finished before the start; they do not count for the speed. */
  #before = 0;

  /** Takes a step; returns elapsed and remaining seconds of the part. `left` is `undefined` before the first unit is done. */
  step({ unit, done, total, case: name }: ProgressEvent): { elapsed: number; left: number | undefined } {
    if (unit !== this.#unit) {
      if (this.#unit !== '') this.#began = Date.now();
      this.#unit = unit;
      this.#before = name === null ? done : 0;
    }
    const elapsed = (Date.now() - this.#began) / 1000;
    const made = done - this.#before;
    return { elapsed, left: made > 0 && done < total ? (elapsed / made) * (total - done) : undefined };
  }
}

/** `1 min 03 s, 2 min 10 s left`. */
export function times(elapsed: number, left: number | undefined): string {
  return left === undefined ? duration(elapsed) : `${duration(elapsed)}, ${duration(left)} left`;
}
