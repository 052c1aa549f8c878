import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { NnunetError } from '../errors.js';

/** The process that holds a lock. */
export interface LockOwner {
  readonly host: string;
  readonly pid: number;
  /** ISO date. */
  readonly since: string;
}

/** The holder of a lock touches its file this often. */
const BEAT_MS = 3_000;
/** A lock whose file was not touched for so long has no holder: the process ended, or its machine did. */
const SILENT_MS = 60_000;
const POLL_MS = 250;

/**
 * Runs `work` while no other process has the lock file `path`, on this machine or on another one that shares
 * the folder. The lock of a process that ended is taken over: at once on the same machine, else when its file
 * is no longer touched.
 *
 * @param onWait - receives the holder, once for each holder waited for
 * @throws NnunetError `ERR_CANCELLED`
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  onWait: (owner: LockOwner | undefined) => void,
  signal?: AbortSignal,
): Promise<T> {
  const own = JSON.stringify({ host: hostname(), pid: process.pid, since: new Date().toISOString() });
  const silence = new Silence();
  let waitedFor: string | undefined;
  while (!(await create(path, own))) {
    if (signal?.aborted) throw new NnunetError('ERR_CANCELLED', 'cancelled on request');
    const found = await readFile(path, 'utf8').catch(() => undefined);
    if (found !== undefined) {
      if (ended(found) || (await silence.lasts(path))) {
        await takeOver(path, found);
        continue;
      }
      if (found !== '' && found !== waitedFor) onWait(ownerOf(found));
      waitedFor = found || waitedFor;
    }
    await sleep(POLL_MS);
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    // Another process has it if this one was suspended for long.
    if ((await readFile(path, 'utf8').catch(() => '')) === own) await rm(path, { force: true });
  }
}

/** Creates a file that must not exist; returns whether it was created. */
async function create(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes a lock that still has this content. A second file makes sure that only one process does so at a
 * time.
 */
async function takeOver(path: string, content: string): Promise<void> {
  const guard = `${path}.takeover`;
  if (!(await create(guard, ''))) {
    const made = await stat(guard).catch(() => undefined);
    if (made !== undefined && Date.now() - made.mtimeMs > SILENT_MS) await rm(guard, { force: true });
    await sleep(POLL_MS);
    return;
  }
  try {
    const now = await readFile(path, 'utf8').catch(() => undefined);
    if (now === content) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

function ownerOf(content: string): LockOwner | undefined {
  try {
    return JSON.parse(content) as LockOwner;
  } catch {
    return undefined;
  }
}

/** Whether the holder was a process of this machine that has ended. */
function ended(content: string): boolean {
  const owner = ownerOf(content);
  if (owner?.host !== hostname() || !Number.isInteger(owner.pid)) return false;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/**
 * Watches whether a file is touched. Its time is compared with itself, because clocks of two machines differ.
 */
class Silence {
  #touched = 0;
  #seen = Date.now();

  async lasts(path: string): Promise<boolean> {
    const touched = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (touched !== this.#touched) {
      this.#touched = touched;
      this.#seen = Date.now();
    }
    return Date.now() - this.#seen > SILENT_MS;
  }
}
