import type { VerbEvent } from '../generated/events.js';

/** Number of waiting events from which a step replaces the previous step of its progress bar. */
const CAPACITY = 1024;

/**
 * Events that wait for a reader. In a full queue a step (`progress`, `iteration`) replaces the previous step of its
 * progress bar. All other events are kept.
 */
export class EventQueue<E extends VerbEvent> {
  readonly #events: E[] = [];

  push(event: E): void {
    const bar = barOf(event);
    if (bar !== undefined && this.#events.length >= CAPACITY) this.#removeLast(bar);
    this.#events.push(event);
  }

  #removeLast(bar: string): void {
    for (let i = this.#events.length - 1; i >= 0; i -= 1) {
      const event = this.#events[i];
      if (event !== undefined && barOf(event) === bar) {
        this.#events.splice(i, 1);
        return;
      }
    }
  }

  shift(): E | undefined {
    return this.#events.shift();
  }
}

/** Progress bar of a step; `undefined` for other events. */
function barOf(event: VerbEvent): string | undefined {
  if (event.type === 'progress') return `progress of ${event.unit}`;
  return event.type === 'iteration' ? event.type : undefined;
}
