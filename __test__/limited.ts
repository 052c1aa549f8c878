/** Programs with a limit on what they write, as on a full disk. */
import { spawnSync } from 'node:child_process';

/** Windows has no limit on the size of files, so tests that need one are skipped there. */
export const canLimitFiles = process.platform !== 'win32';

/** Runs a program with files of at most `blocks` blocks of 512 bytes. */
export function limited(
  blocks: number | 'unlimited',
  words: readonly string[],
): { code: number | null; out: string; err: string } {
  const script = `ulimit -f ${blocks} && exec "$@"`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', ...words], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}
