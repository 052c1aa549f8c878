/** What a folder holds, without what differs between two runs with equal results. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Files that tell when and how fast a run was. */
const TIMED = /(progress\.(png|jsonl)|debug\.json|training_log_\*\.txt|tfevents\.\*)$/;

/** Every file of a folder by its path below it, as a digest or, where times are left out, as text. */
export async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: Record<string, string> = {};
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const name = path
      .slice(folder.length + 1)
      .replace(/training_log_[0-9_]+\.txt$/, 'training_log_*.txt')
      .replace(/tfevents\.[0-9]+\.[^/]*$/, 'tfevents.*');
    found[name] = TIMED.test(name) ? 'times' : timeless(name, await readFile(path), folder);
  }
  return found;
}

function timeless(name: string, bytes: Buffer, folder: string): string {
  if (name.endsWith('.json'))
    return bytes
      .toString()
      .replace(/"(timestamp|id)": .*/g, '')
      .replaceAll(folder, '');
  if (name.endsWith('progress.csv')) return withoutTimes(bytes.toString());
  return createHash('sha256').update(bytes).digest('hex');
}

/** The table without its columns of times and memory. */
function withoutTimes(csv: string): string {
  const rows = csv
    .trim()
    .split('\n')
    .map((row) => row.split(','));
  const kept = (rows[0] ?? []).map((column) => !/second|wait|memory/i.test(column));
  return rows.map((row) => row.filter((_, i) => kept[i]).join()).join('\n');
}

/** The files that only one of two folders has, or that differ. */
export function differences(found: Record<string, string>, expected: Record<string, string>): string[] {
  const names = [...new Set([...Object.keys(found), ...Object.keys(expected)])].sort();
  const how = (name: string): string =>
    found[name] === undefined ? 'missing' : expected[name] === undefined ? 'unexpected' : 'different';
  return names.filter((name) => found[name] !== expected[name]).map((name) => `${name}: ${how(name)}`);
}
