import { fromNative, optionError } from '../errors.js';
import type { VerbName, Verbs } from '../generated/verbs.js';
import { core } from '../native/core.js';
import { torch } from '../native/torch.js';
import { Run } from '../run.js';

/** The run of a verb. */
export type RunOf<V extends VerbName> = Run<Verbs[V]['summary'], Verbs[V]['event']>;

/** Runs a verb of the `core` addon on its own thread, which checks its options. */
export function startCore<V extends VerbName>(verb: V, options: Verbs[V]['options']): RunOf<V> {
  return new Run(() => {
    const text = toJson(options);
    return (onMessage) => ({ cancel: core().start(verb, text, onMessage) });
  }, signalOf(options));
}

/** Runs a verb of the `torch` addon on its own thread. Its options are checked before libtorch is opened. */
export function startTorch<V extends VerbName>(verb: V, options: Verbs[V]['options']): RunOf<V> {
  return new Run(() => {
    const text = checked(verb, options);
    return (onMessage) => ({ cancel: torch().start(verb, text, onMessage) });
  }, signalOf(options));
}

/** The option `signal` of a value of any type. */
export function signalOf(options: unknown): unknown {
  return typeof options === 'object' && options !== null
    ? (options as { signal?: unknown }).signal
    : undefined;
}

/**
 * Checks the options of a verb in the addon and returns them as JSON, with all defaults.
 *
 * @throws NnunetError `ERR_OPTIONS` with every option that is unknown, missing or invalid
 */
export function checked(verb: VerbName, options: unknown): string {
  const text = toJson(options);
  try {
    return core().validate(verb, text);
  } catch (thrown) {
    throw fromNative(thrown);
  }
}

/** Options as JSON, without the signal. */
export function toJson(options: unknown): string {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw optionError('', `expected an object of options, got ${show(options)}`);
  }
  const { signal: _, ...plain } = options as Record<string, unknown>;
  requirePlain(plain, '');
  return JSON.stringify(plain);
}

/** Rejects values that JSON would change silently: NaN, infinities, functions, big integers, typed arrays. */
function requirePlain(value: unknown, path: string): void {
  const plain =
    value === null || ['string', 'boolean', 'undefined'].includes(typeof value) || Number.isFinite(value);
  if (plain) return;
  if (typeof value !== 'object' || ArrayBuffer.isView(value)) {
    throw optionError(path, `expected a value that JSON can hold, got ${show(value)}`);
  }
  for (const [key, inner] of Object.entries(value as object)) {
    requirePlain(inner, path === '' ? key : `${path}.${key}`);
  }
}

function show(value: unknown): string {
  if (ArrayBuffer.isView(value)) return value.constructor.name;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
