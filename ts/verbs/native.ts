import { core } from '../native/core.js';
import { torch } from '../native/torch.js';
import { Run } from '../run.js';

/** Runs a verb of the `core` addon on its own thread. */
export function runCore<R>(verb: string, options: object, workers: number, signal?: AbortSignal): Run<R> {
  return new Run<R>(
    () => (onMessage) => ({ cancel: core().start(verb, JSON.stringify(options), workers, onMessage) }),
    signal,
  );
}

/** Runs a verb of the `torch` addon on its own thread; opens libtorch first. */
export function runTorch<R>(verb: string, options: object, workers: number, signal?: AbortSignal): Run<R> {
  return new Run<R>(
    () => (onMessage) => ({ cancel: torch().start(verb, JSON.stringify(options), workers, onMessage) }),
    signal,
  );
}
