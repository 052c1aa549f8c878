import { fromFailure, type NativeFailure, NnunetError } from './errors.js';
import type { VerbEvent } from './generated/events.js';
import { EventQueue } from './run/queue.js';
import { type End, Reader } from './run/reader.js';
import { checkSignal } from './run/signal.js';

type Message<R> = VerbEvent | { type: 'done'; result: R } | { type: 'failed'; error: NativeFailure };

/** A running verb of an addon. */
export interface Work<R> {
  /** Requests cancellation at the next safe point. */
  cancel(): void;
  /** Returns the result once, if it is more than the JSON of the last message. */
  take?(): R | Promise<R>;
}

/** Starts a verb of an addon, which sends its messages to `onMessage`. */
export type Starter<R> = (onMessage: (message: string) => void) => Work<R>;

/**
 * A running verb. It runs on its own thread.
 *
 * Iterate it for events and await {@link Run.result} for the summary:
 *
 * ```ts
 * const run = train({ task: '501', configuration: '3d_fullres', fold: '0' });
 * for await (const event of run) if (event.type === 'epoch') console.log(event.trainLoss);
 * const summary = await run.result;
 * ```
 *
 * **Events.** Every iterator gets every event from its creation on; the first iterator also gets the earlier events. A
 * slow reader misses `progress` and `iteration` events, never another event.
 *
 * **Failure.** The same {@link NnunetError} rejects `result` and every iterator. A script needs to handle it in one place
 * only. If it handles it nowhere, the error is an unhandled rejection, which ends the process.
 *
 * **Cancellation.** An `AbortSignal` or {@link Run.cancel} ends the verb at its next safe point. A training writes a
 * checkpoint there. The error is `ERR_CANCELLED`; its `cause` is the reason of the signal. It is never an unhandled
 * rejection. `break` or an error in the loop of the last iterator also cancels the run; the loop ends when the verb has
 * ended. `await using run = …` does the same at the end of its block. To stop reading without cancelling, call `next` of
 * the iterator instead of using a loop.
 *
 * **Exit.** `process.exit()`, an uncaught error and the end of a `worker_thread` cancel the verb and wait for its safe
 * point, at most ten seconds.
 *
 * @typeParam R - the summary of the verb
 * @typeParam E - the events of the verb
 */
export class Run<R, E extends VerbEvent = VerbEvent> implements AsyncIterable<E>, AsyncDisposable {
  /** Resolves with the summary, or rejects with an {@link NnunetError}. */
  readonly result: Promise<R>;
  /** Fulfilled when the verb has ended, with or without an error. */
  readonly #over: Promise<void>;
  // Readers of `VerbEvent`, so that `Run<R, TrainEvent>` is assignable to `Run<R, VerbEvent>`.
  readonly #readers = new Set<Reader<VerbEvent>>();
  /** Events for the first iterator. */
  #backlog: EventQueue<VerbEvent> | undefined = new EventQueue();
  #end: End | undefined;
  #cancel: (() => void) | undefined;
  #cancelled = false;

  /**
   * An error of `start` and an invalid `signal` reject the result.
   *
   * @internal
   */
  constructor(start: () => Promise<Starter<R>> | Starter<R>, signal?: unknown) {
    const outcome = this.#drive(start, signal);
    this.result = outcome.then((result) => result);
    this.#over = outcome.then(
      () => {},
      (error) => {
        if (this.#wasCancelled(error)) this.#look();
      },
    );
  }

  /** Requests cancellation at the next safe point. Idempotent. */
  cancel(): void {
    this.#cancelled = true;
    this.#cancel?.();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<E, undefined> {
    this.#look();
    const reader = new Reader<VerbEvent>(this.#backlog ?? new EventQueue(), (left) => this.#leave(left));
    this.#backlog = undefined;
    if (this.#end === undefined) this.#readers.add(reader);
    else reader.end(this.#end);
    // A verb sends events of its own type only.
    return reader as AsyncIterableIterator<E, undefined>;
  }

  /** Cancels the run and waits until the verb has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    await this.#over;
  }

  async #drive(start: () => Promise<Starter<R>> | Starter<R>, given: unknown): Promise<R> {
    const abort = () => this.cancel();
    let signal: AbortSignal | undefined;
    try {
      signal = checkSignal(given);
      if (signal?.aborted) this.cancel();
      signal?.addEventListener('abort', abort, { once: true });
      this.#refuseCancelled();
      const begin = await start();
      this.#refuseCancelled();
      const result = await this.#work(begin);
      this.#finish({});
      return result;
    } catch (thrown) {
      const error = signal?.aborted && this.#wasCancelled(thrown) ? because(thrown, signal.reason) : thrown;
      this.#finish({ error });
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #work(begin: Starter<R>): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const work = begin((text) => {
        const message = JSON.parse(text) as Message<R>;
        if (message.type === 'done') resolve(outcome(work, message.result));
        else if (message.type === 'failed') reject(fromFailure(message.error));
        else this.#push(message);
      });
      this.#cancel = () => work.cancel();
    });
  }

  #push(event: VerbEvent): void {
    this.#backlog?.push(event);
    for (const reader of this.#readers) reader.push(event);
  }

  #finish(end: End): void {
    this.#end = end;
    for (const reader of this.#readers) reader.end(end);
    this.#readers.clear();
  }

  /** Marks the result as handled, because an iterator reports the error. */
  #look(): void {
    this.result.catch(() => {});
  }

  /** Called when an iterator is left before the end. */
  async #leave(reader: Reader<VerbEvent>): Promise<void> {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.cancel();
    await this.#over;
    const error = this.#end?.error;
    if (error !== undefined && !this.#wasCancelled(error)) throw error;
  }

  #refuseCancelled(): void {
    if (this.#cancelled) throw new NnunetError('ERR_CANCELLED', 'cancelled on request');
  }

  #wasCancelled(error: unknown): error is NnunetError {
    return this.#cancelled && error instanceof NnunetError && error.code === 'ERR_CANCELLED';
  }
}

/** The result of a finished verb. It is a promise, so that an error of `take` rejects the run. */
async function outcome<R>(work: Work<R>, result: R): Promise<R> {
  return work.take === undefined ? result : work.take();
}

/** The same error with a cause. */
function because({ code, message, details }: NnunetError, reason: unknown): NnunetError {
  return new NnunetError(code, message, details, reason);
}
