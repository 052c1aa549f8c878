import type { ErrorCode } from './generated/codes.js';

/** The facts behind an error: file, case, key, what was found, what was expected. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * The one error this package throws.
 *
 * `code` is stable (`ERR_NIFTI_HEADER`, `ERR_LIBTORCH_MISSING`, …) and is what a script should test; the message says
 * what was found, what was expected, where, and what to do; `details` holds the same facts for programs.
 */
export class NnunetError extends Error {
  override readonly name = 'NnunetError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }

  toJSON(): { code: ErrorCode; message: string; details: ErrorDetails } {
    return { code: this.code, message: this.message, details: this.details };
  }
}

/** An error as an addon sends it. */
export interface NativeFailure {
  code: ErrorCode;
  message: string;
  details?: ErrorDetails | null;
}

/** Turns a failure message of an addon into the error that users see. */
export function fromFailure(failure: NativeFailure): NnunetError {
  return new NnunetError(failure.code, failure.message, failure.details ?? {});
}

/** Turns whatever an addon threw into an {@link NnunetError}; its reason is JSON where the addon made it. */
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
