import { fromFailure, type NativeFailure, NnunetError } from './errors.js';
import type { VerbEvent } from './generated/events.js';
import { EventQueue } from './run/queue.js';
import { type End, Reader } from './run/reader.js';
import { checkSignal } from './run/signal.js';

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
 * **Events.** Every iterator gets every event from its creation on; the first one also gets the events before it. A slow
 * reader misses steps of progress bars (`progress`, `iteration`), never another event.
 *
 * **Failure.** The same {@link NnunetError} rejects `result` and every iterator; a script needs to look at one of them
 * only. A failure that it looks for in neither is an unhandled rejection, which ends the process.
 *
 * **Cancellation.** An `AbortSignal` or {@link Run.cancel} ends the work at its next safe point; a training writes its
 * checkpoint there. The error is then `ERR_CANCELLED`, its `cause` the signal's reason; it is no unhandled rejection.
 * `break`, or an error, in the loop of the last iterator cancels too, and the loop is left once the work has ended;
 * `await using run = …` does the same at the end of its block. To stop reading without cancelling, call the iterator's
 * `next` by hand.
 *
 * **End of the process.** `process.exit()`, an uncaught error and the end of a `worker_thread` cancel the work and wait
 * for its safe point, at most ten seconds.
 *
 * @typeParam R - the result
 * @typeParam E - the events of the verb
 */
export class Run<R, E extends VerbEvent = VerbEvent> implements AsyncIterable<E>, AsyncDisposable {
  /** Resolves with the summary, or rejects with an {@link NnunetError}. */
  readonly result: Promise<R>;
  /** Fulfilled once the work has ended, however it did. */
  readonly #over: Promise<void>;
  // Of all events inside, so that a `Run<R, TrainEvent>` is a `Run<R, VerbEvent>` too.
  readonly #readers = new Set<Reader<VerbEvent>>();
  /** Events that the first iterator takes over. */
  #backlog: EventQueue<VerbEvent> | undefined = new EventQueue();
  #end: End | undefined;
  #cancel: (() => void) | undefined;
  #cancelled = false;

  /**
   * Whatever `start` throws or rejects with, and a `signal` that is none, rejects the result.
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

  /** Asks the work to stop at its next safe point. Idempotent. */
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
    // A verb sends the events of its own type only.
    return reader as AsyncIterableIterator<E, undefined>;
  }

  /** Cancels the work and waits until it has ended. */
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

  /** Somebody will see a failure: the promise of the result need not be looked at. */
  #look(): void {
    this.result.catch(() => {});
  }

  /** An iterator is left before it came to the end. */
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

/** The result of work that is done; a promise, so that an error in taking it rejects the run. */
async function outcome<R>(work: Work<R>, result: R): Promise<R> {
  return work.take === undefined ? result : work.take();
}

/** The same error with a cause. */
function because({ code, message, details }: NnunetError, reason: unknown): NnunetError {
  return new NnunetError(code, message, details, reason);
}
