import { NnunetError } from '../errors.js';

/** A text as one word of a shell. Words without special characters stay as they are. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * A path in a line `#SBATCH --output=…`, in double quotes. `%` begins a pattern of Slurm there, so that one of the
 * path is doubled.
 *
 * @throws NnunetError `ERR_SLURM` for a path with a line break or a backslash, which Slurm cannot read in a script
 */
export function sbatchPath(path: string): string {
  if (/[\n\r\\]/.test(path)) {
    const problem = `${JSON.stringify(path)}: Slurm reads no path with a line break or a backslash; choose another jobsFolder`;
    throw new NnunetError('ERR_SLURM', problem, { path });
  }
  return `"${path.replaceAll('%', '%%').replaceAll('"', '\\"')}"`;
}
