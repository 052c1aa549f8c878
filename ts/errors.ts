import type { ERROR_CODES, ErrorCode } from './generated/codes.js';

/** Facts of an error: file, case, key, found and expected value. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * The only error that this package throws.
 *
 * The message says what was found, what was expected, where, and what to do. Scripts should test `code`.
 */
export class NnunetError extends Error {
  override readonly name = 'NnunetError';
  /** Stable identifier, such as `ERR_LIBTORCH_MISSING`; see {@link ERROR_CODES}. */
  readonly code: ErrorCode;
  /** The facts of the message, for programs. */
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }

  /** Code, message and details. */
  toJSON(): { code: ErrorCode; message: string; details: ErrorDetails } {
    return { code: this.code, message: this.message, details: this.details };
  }
}

/** An option that TypeScript rejects, in the form of the addon's errors; an empty `option` means the options as a whole. */
export function optionError(option: string, problem: string): NnunetError {
  const message = option === '' ? problem : `${option}: ${problem}`;
  return new NnunetError('ERR_OPTIONS', message, { problems: [{ option, problem }] });
}

/** An error as an addon sends it. */
export interface NativeFailure {
  code: ErrorCode;
  message: string;
  details?: ErrorDetails | null;
}

/** Converts a failure message of an addon. */
export function fromFailure(failure: NativeFailure): NnunetError {
  return new NnunetError(failure.code, failure.message, failure.details ?? {});
}

/** Converts an error thrown by an addon; an error of the addon's own has JSON as its message. */
export function fromNative(thrown: unknown): NnunetError {
  if (thrown instanceof NnunetError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const failure = parseFailure(message);
  return failure === undefined ? new NnunetError('ERR_INTERNAL', message, {}, thrown) : fromFailure(failure);
}

function parseFailure(text: string): NativeFailure | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(text) as Partial<NativeFailure>;
    return typeof value.code === 'string' && typeof value.message === 'string'
      ? (value as NativeFailure)
      : undefined;
  } catch {
    return undefined;
  }
}
