import { NnunetError } from '../errors.js';

/** `ERR_SHIM`: something of a command of nnU-Net v1 that this package lacks. */
export function lacks(command: string, what: string, meaning: string, todo: string): NnunetError {
  const message = `${command}: nnunet-diag has no counterpart of ${what} (nnU-Net v1: ${meaning}); ${todo}`;
  return new NnunetError('ERR_SHIM', message, { command, what, meaning, todo });
}
