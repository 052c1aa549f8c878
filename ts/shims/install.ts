import { randomUUID } from 'node:crypto';
import { access, chmod, mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NnunetError } from '../errors.js';
import { SHIMS } from './list.js';

/** A line of every file that this package writes, by which it knows its own files. */
const MARK = 'made by nnunet-diag shims install';

/** The program that the commands run. */
const ENTRY = join(dirname(fileURLToPath(import.meta.url)), 'main.js');

/** Result of {@link installShims}. */
export interface ShimsResult {
  /** Absolute path of the folder. */
  readonly folder: string;
  /** Files written, in the order of `shims list`. */
  readonly files: readonly string[];
  /** Whether the folder is in `PATH`. */
  readonly onPath: boolean;
}

/**
 * Writes the commands of nnU-Net v1 into a folder, as small scripts that run this package.
 *
 * Each file is replaced atomically. A file of another program is never replaced, unless `overwrite` is set.
 *
 * @throws NnunetError `ERR_SHIM` if files of other programs are in the way, before anything is written;
 * `ERR_STORAGE_IO` if
 *   the folder cannot be written
 */
export async function installShims(
  folder: string,
  { overwrite = false }: { overwrite?: boolean | undefined } = {},
): Promise<ShimsResult> {
  const target = resolve(folder);
  const files = SHIMS.map(({ name }) => ({
    path: join(target, process.platform === 'win32' ? `${name}.cmd` : name),
    text: process.platform === 'win32' ? windowsScript(name) : posixScript(name),
  }));
  try {
    await mkdir(target, { recursive: true });
    const strange = overwrite
      ? []
      : await filter(
          files.map(({ path }) => path),
          isStrange,
        );
    if (strange.length > 0) throw occupied(target, strange);
    for (const { path, text } of files) await write(path, text);
  } catch (error) {
    if (error instanceof NnunetError) throw error;
    const words = error instanceof Error ? error.message : String(error);
    const message = `cannot write commands to ${target}: ${words}; choose a folder that you may write to`;
    throw new NnunetError('ERR_STORAGE_IO', message, { path: target }, error);
  }
  return { folder: target, files: files.map(({ path }) => path), onPath: await isOnPath(target) };
}

function occupied(folder: string, files: readonly string[]): NnunetError {
  const message =
    `${folder} already has commands of another program: ${files.join(', ')}; ` +
    'choose another folder, which is earlier in PATH, or pass --overwrite to replace them';
  return new NnunetError('ERR_SHIM', message, { folder, files });
}

/**
 * A script of a POSIX shell. It runs the Node that runs now, since a job may have another PATH, else the one
 * in PATH.
 */
function posixScript(name: string): string {
  return `#!/bin/sh
# ${MARK}
node=${quoted(process.execPath)}
[ -x "$node" ] || node=node
exec "$node" ${quoted(ENTRY)} ${name} "$@"
`;
}

/** Text as one word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function windowsScript(name: string): string {
  // In a batch file, % begins a variable.
  const [node, entry] = [process.execPath, ENTRY].map((path) => `"${path.replaceAll('%', '%%')}"`);
  return `@echo off\r\nrem ${MARK}\r\n${node} ${entry} ${name} %*\r\nexit /b %errorlevel%\r\n`;
}

/** Whether a file exists and is not one of this package. */
async function isStrange(path: string): Promise<boolean> {
  try {
    return !(await readFile(path, 'utf8')).includes(MARK);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

async function filter<T>(items: readonly T[], keep: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept = await Promise.all(items.map(keep));
  return items.filter((_, i) => kept[i]);
}

async function write(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o755);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    // The mode above is limited by the umask.
    await chmod(temporary, 0o755);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function isOnPath(folder: string): Promise<boolean> {
  const real = await realpath(folder);
  const places = (process.env.PATH ?? '').split(delimiter).filter((place) => place !== '');
  const found = await filter(places, async (place) => {
    try {
      await access(place);
      return (await realpath(place)) === real;
    } catch {
      return false;
    }
  });
  return found.length > 0;
}
