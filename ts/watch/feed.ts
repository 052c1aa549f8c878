/** The data of a page that is served, read again and again from the files of the runs. */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { fromNative } from '../errors.js';
import type { ReportSource } from '../native/generated/core.js';
import type { WatchEvent } from '../watch.js';

/** What a page is told beside the data. */
export interface Status {
  /** Why the files cannot be read at present; null while they can. */
  readonly problem: string | null;
  /** Images and scores: being prepared, not to be prepared (with the reason), or there. */
  readonly images: 'preparing' | 'ready' | 'failed';
  /** Why images and scores could not be prepared. */
  readonly reason: string | null;
}

/**
 * A message to a page. Only data have a number, so that a page that reconnects gets them only if it lacks
 * them.
 */
export type Message =
  | { readonly event: 'report'; readonly id: string; readonly data: string }
  | { readonly event: 'status'; readonly data: string };

/** Images are prepared anew no sooner than after this many times the time that it took. */
const REST = 4;

/** Reads the files, and sends what changed to its listeners. */
export class Feed {
  readonly #source: ReportSource;
  readonly #onEvent: (event: WatchEvent) => void;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<(message: Message) => void>();
  /** Numbers of another process are others. */
  readonly #name = randomBytes(4).toString('hex');
  /**
   * End of the last use of the source. A reading holds a lock; whoever waited for it would stop the event
   * loop.
   */
  #used: Promise<unknown> = Promise.resolve();
  #count = 0;
  #report: string | undefined;
  #status: Status = { problem: null, images: 'preparing', reason: null };
  #preparing: Promise<void> | undefined;
  #notBefore = 0;

  constructor(source: ReportSource, onEvent: (event: WatchEvent) => void) {
    this.#source = source;
    this.#onEvent = onEvent;
  }

  /** Looks at the files every `interval` seconds until {@link Feed.close}. */
  async run(interval: number): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      await this.#look();
      await setTimeout(1000 * interval, undefined, { signal }).catch(() => {});
    }
    await this.#preparing;
  }

  /**
   * Sends the present state, and everything from now on, to a listener.
   *
   * @param last number of the data that the listener has
   * @returns a function that ends it
   */
  listen(listener: (message: Message) => void, last: string | undefined): () => void {
    listener(this.#statusMessage());
    const report = this.#reportMessage();
    if (report !== undefined && report.id !== last) listener(report);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Bytes of a layer, compressed with gzip; null if there is no such layer, or no longer. */
  blob(number: number): Promise<Uint8Array | null> {
    return this.#alone(() => this.#source.blob(number));
  }

  /** Stops reading and cancels what is being prepared. */
  close(): void {
    this.#abort.abort();
    this.#source.close();
    this.#listeners.clear();
  }

  async #look(): Promise<void> {
    try {
      const text = await this.#alone(() => this.#source.read());
      if (this.#abort.signal.aborted) return;
      this.#tell({ problem: null });
      if (text !== this.#report) this.#publish(text);
      if (await this.#isDue()) this.#preparing ??= this.#prepare();
    } catch (thrown) {
      if (this.#abort.signal.aborted) return;
      const { code, message } = fromNative(thrown);
      this.#tell({ problem: `${code}: ${message}` });
    }
  }

  async #isDue(): Promise<boolean> {
    if (this.#preparing !== undefined || Date.now() < this.#notBefore) return false;
    return this.#alone(() => this.#source.isDue());
  }

  async #prepare(): Promise<void> {
    const start = Date.now();
    this.#tell({ images: 'preparing', reason: null });
    try {
      await this.#source.prepare();
      this.#tell({ images: 'ready' });
    } catch (thrown) {
      if (this.#abort.signal.aborted) return;
      const { code, message } = fromNative(thrown);
      this.#tell({ images: 'failed', reason: `${code}: ${message}` });
    } finally {
      this.#notBefore = Date.now() + REST * (Date.now() - start);
      this.#preparing = undefined;
    }
  }

  #publish(text: string): void {
    this.#report = text;
    this.#count += 1;
    const message = this.#reportMessage();
    if (message === undefined) return;
    this.#send(message);
    this.#onEvent({ type: 'update', id: message.id, at: new Date(), readers: this.#listeners.size });
  }

  /** Tells what changed of the status. */
  #tell(change: Partial<Status>): void {
    const [before, now] = [this.#status, { ...this.#status, ...change }];
    if (JSON.stringify(before) === JSON.stringify(now)) return;
    this.#status = now;
    this.#send(this.#statusMessage());
    if (now.problem !== before.problem) {
      this.#onEvent(now.problem === null ? { type: 'recovered' } : { type: 'problem', message: now.problem });
    }
    if (now.images === before.images && now.reason === before.reason) return;
    this.#onEvent({ type: 'images', state: now.images, reason: now.reason });
  }

  #send(message: Message): void {
    for (const listener of this.#listeners) listener(message);
  }

  #statusMessage(): Message {
    return { event: 'status', data: JSON.stringify(this.#status) };
  }

  #reportMessage(): (Message & { event: 'report' }) | undefined {
    if (this.#report === undefined) return undefined;
    return { event: 'report', id: `${this.#name}-${this.#count}`, data: this.#report };
  }

  /** Uses the source when no one else does. */
  #alone<T>(use: () => Promise<T> | T): Promise<T> {
    const result = this.#used.then(use);
    this.#used = result.catch(() => {});
    return result;
  }
}
