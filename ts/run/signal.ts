import { optionError } from '../errors.js';

/**
 * Checks the option `signal`.
 *
 * @throws NnunetError `ERR_OPTIONS`
 */
export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || isSignal(signal)) return signal;
  const found = `${JSON.stringify(signal) ?? String(signal)} of type ${typeof signal}`;
  throw optionError('signal', `expected an AbortSignal, got ${found}`);
}

/** Accepts signals of other realms and libraries, which are not `instanceof AbortSignal`. */
function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== 'object' || value === null) return false;
  const { aborted, addEventListener } = value as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}
