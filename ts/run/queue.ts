import type { VerbEvent } from '../generated/events.js';

/** Events that wait for a reader before steps of the same progress bar replace one another. */
const CAPACITY = 1024;

/**
 * Events that wait for a reader. It loses nothing but steps of progress bars (`progress`, `iteration`): in a full queue
 * a step replaces the last one of its bar, so that memory grows by other events alone.
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

/** The progress bar that an event moves; `undefined` for an event that must arrive. */
function barOf(event: VerbEvent): string | undefined {
  if (event.type === 'progress') return `progress of ${event.unit}`;
  return event.type === 'iteration' ? event.type : undefined;
}
