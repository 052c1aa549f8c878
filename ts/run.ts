import { fromFailure, type NativeFailure, NnunetError } from './errors.js';
import type { VerbEvent } from './events.js';

/** Events kept for a reader that has not started, or is slow; beyond it progress steps are dropped, oldest first. */
const BACKLOG = 1024;

type Message<R> = VerbEvent | { type: 'done'; result: R } | { type: 'failed'; error: NativeFailure };

/** Native work under way. */
export interface Work<R> {
  /** Asks it to stop at its next safe point. */
  cancel(): void;
  /** Gives the result of work that is done, where that is more than the JSON of its last message. */
  take?(): R | Promise<R>;
}

/** Starts native work, which reports through `onMessage`. */
export type Starter<R> = (onMessage: (message: string) => void) => Work<R>;

/**
 * Work under way on its own thread.
 *
 * Await {@link Run.result} for the outcome, or iterate for the events first:
 *
 * ```ts
 * const run = train({ task: '501', configuration: '3d_fullres', fold: '0' });
 * for await (const event of run) if (event.type === 'epoch') console.log(event.trainLoss);
 * const summary = await run.result;
 * ```
 *
 * An `AbortSignal` or {@link Run.cancel} ends it at its next safe point; the result then rejects with
 * `ERR_CANCELLED`. Iteration ends when the work does; failures surface through `result` alone.
 */
export class Run<R> implements AsyncIterable<VerbEvent> {
  /** Resolves with the summary, or rejects with an {@link NnunetError}. */
  readonly result: Promise<R>;
  #events: VerbEvent[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #cancel: (() => void) | undefined;
  #cancelled = false;

  /** @internal */
  constructor(start: () => Promise<Starter<R>> | Starter<R>, signal?: AbortSignal) {
    this.result = this.#drive(start, signal);
    // A caller who only iterates must not be killed by an unhandled rejection of the promise it never looks at.
    this.result.catch(() => {});
  }

  /** Asks the work to stop at its next safe point. Idempotent. */
  cancel(): void {
    this.#cancelled = true;
    this.#cancel?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<VerbEvent> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) {
        yield event;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  async #drive(start: () => Promise<Starter<R>> | Starter<R>, signal?: AbortSignal): Promise<R> {
    const abort = () => this.cancel();
    try {
      if (signal?.aborted) throw cancelled();
      signal?.addEventListener('abort', abort, { once: true });
      const begin = await start();
      if (this.#cancelled) throw cancelled();
      return await new Promise<R>((resolve, reject) => {
        const work = begin((text) => {
          const message = JSON.parse(text) as Message<R>;
          if (message.type === 'done') resolve(outcome(work, message.result));
          else if (message.type === 'failed') reject(fromFailure(message.error));
          else this.#push(message);
        });
        this.#cancel = () => work.cancel();
      });
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#ended = true;
      this.#wake?.();
    }
  }

  #push(event: VerbEvent): void {
    if (this.#events.length >= BACKLOG) {
      const step = this.#events.findIndex((e) => e.type === 'progress' || e.type === 'iteration');
      this.#events.splice(Math.max(step, 0), 1);
    }
    this.#events.push(event);
    this.#wake?.();
  }
}

/** The result of work that is done; a promise, so that an error in taking it rejects the run. */
async function outcome<R>(work: Work<R>, result: R): Promise<R> {
  return work.take === undefined ? result : work.take();
}

function cancelled(): NnunetError {
  return new NnunetError('ERR_CANCELLED', 'cancelled on request');
}
