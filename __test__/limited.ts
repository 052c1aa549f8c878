/** Programs that may write only so much, as on a disk that fills up. */
import { spawnSync } from 'node:child_process';

/** Windows knows no limit on the size of files, so that tests which need one are left out there. */
export const canLimitFiles = process.platform !== 'win32';

/** Runs a program in a shell that lets no file grow beyond `blocks` of 512 bytes. */
export function limited(
  blocks: number | 'unlimited',
  words: readonly string[],
): { code: number | null; out: string; err: string } {
  const script = `ulimit -f ${blocks} && exec "$@"`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', ...words], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}
