import { spawn } from 'node:child_process';
import { NnunetError } from '../errors.js';

/** Outcome of a command of Slurm. */
interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command of Slurm to its end. */
function start(command: string, argv: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { out: '', err: '' };
    child.stdout.on('data', (part) => (text.out += part));
    child.stderr.on('data', (part) => (text.err += part));
    child.on('error', (error: NodeJS.ErrnoException) => {
      const problem =
        error.code === 'ENOENT'
          ? `${command} was not found: run this on a machine with Slurm's commands, or show the scripts with --dry-run`
          : `${command} cannot be started: ${error.message}`;
      reject(new NnunetError('ERR_SLURM', problem, { command }, error));
    });
    child.on('close', (code) => resolve({ code: code ?? 1, ...text }));
  });
}

/**
 * Runs a command of Slurm and returns its output.
 *
 * @throws NnunetError `ERR_SLURM` with Slurm's words
 */
async function output(command: string, argv: readonly string[]): Promise<string> {
  const { code, out, err } = await start(command, argv);
  if (code === 0) return out;
  throw new NnunetError('ERR_SLURM', `${command} failed: ${err.trim() || `exit code ${code}`}`, {
    command,
    argv,
  });
}

/** Submits a script; returns the number of the job. */
export async function sbatch(script: string, flags: readonly string[]): Promise<string> {
  const text = await output('sbatch', ['--parsable', ...flags, script]);
  // `1234` or `1234;cluster`, after messages of the cluster.
  const [id] = (text.trim().split('\n').at(-1) ?? '').split(';');
  if (id !== undefined && /^\d+$/.test(id)) return id;
  throw new NnunetError('ERR_SLURM', `sbatch returned no number of a job, but ${JSON.stringify(text)}`, {
    text,
  });
}

/** Cancels jobs or tasks such as `12_3`. */
export async function scancel(ids: readonly string[]): Promise<void> {
  await output('scancel', ids);
}

/**
 * State in Slurm's words, such as `RUNNING`, of each task such as `12_3` that Slurm still knows. `12_*` stands for the
 * tasks of the job that have no state of their own.
 */
export async function statesOf(ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  // Jobs that Slurm has forgotten are no error of the others, unless only one is asked for.
  const format = [
    '--noheader',
    '--all',
    '--array',
    '--states=all',
    '--format=%F_%K|%T',
    `--jobs=${ids.join(',')}`,
  ];
  const known = await start('squeue', format);
  const forgotten = known.err.includes('Invalid job id');
  if (known.code !== 0 && !forgotten) {
    throw new NnunetError('ERR_SLURM', `squeue failed: ${known.err.trim()}`, { command: 'squeue' });
  }
  const states = parse(known.out);
  const missing = ids.filter((id) => ![...states.keys()].some((task) => task.startsWith(`${id}_`)));
  if (missing.length === 0) return states;
  // Clusters without accounting have no such record.
  const past = await start('sacct', [
    ...['--noheader', '--allocations', '--parsable2', '--duplicates', '--format=JobID,State'],
    `--jobs=${missing.join(',')}`,
  ]).catch(() => undefined);
  return past?.code === 0 ? new Map([...parse(past.out), ...states]) : states;
}

/** End of the name of the record of tasks that never began. */
export const NEVER_BEGUN = '_*';

function parse(text: string): Map<string, string> {
  const lines = text.split('\n').map((line) => line.split('|'));
  const entries = lines.flatMap(([task, state]) => {
    // `CANCELLED by 1000`
    const [word] = (state ?? '').split(' ');
    // Tasks that were cancelled before they began have one record: `12_N/A` in squeue, `12_[1-3]` in sacct.
    const name = task?.replace(/_(N\/A|\[.*\])$/, NEVER_BEGUN);
    return name && word ? [[name, word] as const] : [];
  });
  return new Map(entries);
}
