import { access, constants, stat, statfs } from 'node:fs/promises';

/** One of nnU-Net's folders. */
export interface FolderReport {
  /** Environment variable that names the folder. */
  readonly variable: string;
  /** Value of the variable; `null` if it is not set. */
  readonly path: string | null;
  /** What was found at `path`. */
  readonly state: 'not set' | 'missing' | 'no folder' | 'not writable' | 'writable';
  /** Free disk space in bytes; `null` unless the folder is there. */
  readonly free: number | null;
}

/** Looks at the folder that an environment variable names. */
export async function folderReport(variable: string): Promise<FolderReport> {
  const path = process.env[variable];
  if (!path) return { variable, path: null, state: 'not set', free: null };
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return { variable, path, state: 'missing', free: null };
  if (!found.isDirectory()) return { variable, path, state: 'no folder', free: null };
  const disk = await statfs(path).catch(() => undefined);
  const free = disk === undefined ? null : disk.bavail * disk.bsize;
  const writable = await access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
  return { variable, path, state: writable ? 'writable' : 'not writable', free };
}

/** Memory limit of the container or control group in bytes; `null` if there is none. */
export function memoryLimit(total: number): number | null {
  const limit = process.constrainedMemory();
  // Without a limit, Node returns 0 or a number beyond every machine.
  return limit > 0 && limit < total ? limit : null;
}

/** Files that this process may have open at a time; `null` if the system has no such limit. */
export function openFileLimit(): number | null {
  const report = process.report?.getReport() as unknown as
    | { userLimits?: { open_files?: { soft?: number | string } } }
    | undefined;
  const soft = report?.userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : null;
}

/** Whether a version satisfies a range of the forms `>=20.17.0` and `^20.17.0`, joined by `||`. */
export function satisfies(version: string, range: string): boolean {
  const [major = 0, minor = 0, patch = 0] = numbers(version);
  return range.split('||').some((part) => {
    const [needMajor = 0, needMinor = 0, needPatch = 0] = numbers(part);
    if (major !== needMajor) return !part.includes('^') && major > needMajor;
    return minor > needMinor || (minor === needMinor && patch >= needPatch);
  });
}

function numbers(text: string): number[] {
  return (text.match(/\d+/g) ?? []).map(Number);
}
