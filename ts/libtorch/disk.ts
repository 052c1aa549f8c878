import { rename, statfs } from 'node:fs/promises';
import { NnunetError } from '../errors.js';
import { size } from './report.js';

/** Puts a folder in the place of another one, which comes back if that fails. */
export async function replaceFolder(root: string, by: string, aside: string): Promise<void> {
  const had = await rename(root, aside).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  try {
    await rename(by, root);
  } catch (error) {
    if (had) await rename(aside, root);
    throw error;
  }
}

/**
 * Refuses to start if a disk has less free space than is needed.
 *
 * @throws NnunetError `ERR_DISK_FULL`
 */
export async function checkSpace(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= needed) return;
  throw new NnunetError(
    'ERR_DISK_FULL',
    `${folder}: libtorch needs ${size(needed)} of free disk space to install, found ${size(free)}. Free some space, or ` +
      'set NNUNET_DIAG_CACHE to a folder on another disk.',
    { path: folder, needed, free },
  );
}
