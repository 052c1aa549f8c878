import { randomBytes } from 'node:crypto';
import { access, constants, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { NnunetError } from './errors.js';
import type { ErrorCode } from './generated/codes.js';

/**
 * Writes a file atomically: after an interruption it has its former content.
 *
 * @throws NnunetError `ERR_NOT_FOUND`, `ERR_IO`, `ERR_DISK_FULL`, with the file
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw cannotWrite(path, error);
  }
}

/** Makes a rename durable, where the system can flush a folder. */
async function syncFolder(folder: string): Promise<void> {
  const opened = await open(folder, 'r').catch(() => undefined);
  await opened?.sync().catch(() => undefined);
  await opened?.close();
}

/**
 * Checks that a file can be written at `path`, before the work begins.
 *
 * @throws NnunetError `ERR_NOT_FOUND`, `ERR_IO`, with the folder
 */
export async function checkTarget(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    throw cannotWrite(path, error);
  }
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    throw new NnunetError('ERR_IO', `${path}: expected the name of a file, found a folder`, { path });
  }
}

function cannotWrite(path: string, error: unknown): NnunetError {
  const { code, message } = error as NodeJS.ErrnoException;
  const advice = code === 'ENOENT' ? `; create the folder ${dirname(path)} first` : '';
  return new NnunetError(
    SYSTEM_CODES[code ?? ''] ?? 'ERR_IO',
    `${path}: cannot be written: ${message}${advice}`,
    { path, reason: message },
    error,
  );
}

/** Codes of system errors, the same as those of `Code::of_io` in Rust. */
const SYSTEM_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'ERR_NOT_FOUND',
  ENOSPC: 'ERR_DISK_FULL',
  EDQUOT: 'ERR_DISK_FULL',
};
