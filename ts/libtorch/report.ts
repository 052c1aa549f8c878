import type { ProgressEvent, StartedEvent, WarningEvent } from '../generated/events.js';

/** Events of an installation, in the form of the verbs' events. */
export type LibtorchInstallEvent = StartedEvent | ProgressEvent | WarningEvent;

/** Sends what an installation does to its caller. */
export class Report {
  readonly #onStep: (step: string) => void;
  readonly #onEvent: (event: LibtorchInstallEvent) => void;

  constructor(onStep: (step: string) => void = () => {}, onEvent: typeof this.event = () => {}) {
    this.#onStep = onStep;
    this.#onEvent = onEvent;
  }

  step(words: string): void {
    this.#onStep(words);
  }

  event(event: LibtorchInstallEvent): void {
    this.#onEvent(event);
  }

  warn(code: string, message: string): void {
    this.#onEvent({ type: 'warning', code, message, case: null });
  }

  /** A meter for bytes of several files. */
  meter(unit: string, total: number): Meter {
    return new Meter(unit, total, (event) => this.#onEvent(event));
  }
}

/** Adds up the bytes of files that are worked on one after another. */
export class Meter {
  #finished = 0;
  #total: number;
  readonly #unit: string;
  readonly #send: (event: ProgressEvent) => void;

  constructor(unit: string, total: number, send: (event: ProgressEvent) => void) {
    this.#unit = unit;
    this.#total = total;
    this.#send = send;
  }

  /** `bytes` of the current file are done. */
  at(bytes: number, file: string): void {
    const done = Math.min(this.#finished + bytes, this.#total);
    this.#send({ type: 'progress', done, total: this.#total, unit: this.#unit, case: file });
  }

  /** The current file is finished; `expected` is what the total counts for it. */
  finish(bytes: number, file: string, expected = bytes): void {
    this.#total += bytes - expected;
    this.#finished += bytes;
    this.at(0, file);
  }
}

/** Bytes in words. */
export function size(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
