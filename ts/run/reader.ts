import type { VerbEvent } from '../generated/events.js';
import type { EventQueue } from './queue.js';

/** End of a run, with its error if it failed. */
export type End = { readonly error?: unknown };

interface Waiting<E> {
  resolve(result: IteratorResult<E, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorResult<never, undefined> = { done: true, value: undefined };

/** One iterator over the events of a run. */
export class Reader<E extends VerbEvent> implements AsyncIterableIterator<E, undefined> {
  readonly #queue: EventQueue<E>;
  readonly #leave: (reader: Reader<E>) => Promise<void>;
  /** Calls of `next` that wait for an event. */
  #waiting: Waiting<E>[] = [];
  #end: End | undefined;
  #left = false;

  /** `queue` has the earlier events. `leave` is called once if the iterator is left before the end. */
  constructor(queue: EventQueue<E>, leave: (reader: Reader<E>) => Promise<void>) {
    this.#queue = queue;
    this.#leave = leave;
  }

  push(event: E): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#queue.push(event);
    else waiting.resolve({ done: false, value: event });
  }

  /** Ends the iterator: after the waiting events, `next` rejects once with the error, or returns `done`. */
  end(end: End): void {
    this.#end = end;
    for (const waiting of this.#waiting.splice(0)) this.#answer(waiting);
  }

  next(): Promise<IteratorResult<E, undefined>> {
    return new Promise((resolve, reject) => {
      const event = this.#left ? undefined : this.#queue.shift();
      if (event !== undefined) resolve({ done: false, value: event });
      else if (this.#left || this.#end !== undefined) this.#answer({ resolve, reject });
      else this.#waiting.push({ resolve, reject });
    });
  }

  /** Called by `break`; see {@link Run}. */
  async return(): Promise<IteratorResult<E, undefined>> {
    if (!this.#left) {
      this.#left = true;
      for (const waiting of this.#waiting.splice(0)) waiting.resolve(DONE);
      await this.#leave(this);
    }
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #answer({ resolve, reject }: Waiting<E>): void {
    const { error } = this.#left ? {} : (this.#end ?? {});
    this.#left = true;
    if (error === undefined) resolve(DONE);
    else reject(error);
  }
}
