import { open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NEVER_BEGUN, sbatch, scancel, statesOf } from './commands.js';
import { readSubmission, type SubmittedJob, submissionFolders, writeSubmission } from './store.js';
import { dependencyFlags } from './submit.js';

/** State of a task. */
export type TaskState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'unknown';

/** A task of a job array. */
export interface JobTask {
  /** Number in the array. */
  readonly task: number;
  /** Number of the task in Slurm, such as `12_3`. */
  readonly id: string;
  /** State. A task that can continue and is queued again is `waiting`. */
  readonly state: TaskState;
  /** State in Slurm's words, such as `TIMEOUT`; null after Slurm has forgotten the job. */
  readonly slurm: string | null;
  /** Exit code of the verb; null before its end, and if the task was killed. */
  readonly exitCode: number | null;
  /** File with the output. */
  readonly log: string;
  /** Last line of the output; null without one. */
  readonly lastLine: string | null;
}

/** A submission and its tasks. */
export interface JobsReport {
  /** Folder of the submission. */
  readonly folder: string;
  /** The verb. */
  readonly verb: string;
  /** The job arrays in their order. */
  readonly jobs: readonly {
    /** Name of the job, such as `2-preprocess`. */
    readonly name: string;
    /** Its tasks. */
    readonly tasks: readonly JobTask[];
  }[];
}

/**
 * The tasks of submissions, from `squeue`, `sacct` and the files of the tasks.
 *
 * @param folder - folder of a submission, or of several
 * @throws NnunetError `ERR_NOT_FOUND`, `ERR_SLURM`
 */
export async function listJobs(folder = 'nnunet-diag-jobs'): Promise<JobsReport[]> {
  const folders = await submissionFolders(folder);
  const submissions = await Promise.all(folders.map(readSubmission));
  const ids = submissions.flatMap(({ jobs }) => jobs.flatMap((job) => Object.values(job.ids)));
  const states = await statesOf([...new Set(ids)]);
  return Promise.all(
    submissions.map(async ({ verb, jobs }, i) => ({
      folder: folders[i] ?? '',
      verb,
      jobs: await Promise.all(
        jobs.map(async (job) => ({
          name: job.name,
          tasks: await Promise.all(job.tasks.map((task) => taskOf(job, task, states))),
        })),
      ),
    })),
  );
}

/**
 * Cancels every task that waits or runs.
 *
 * @returns the cancelled tasks, such as `12_3`
 * @throws NnunetError `ERR_NOT_FOUND`, `ERR_SLURM`
 */
export async function cancelJobs(folder?: string): Promise<string[]> {
  const ids = tasksOf(await listJobs(folder))
    .filter(isActive)
    .map(({ id }) => id);
  if (ids.length > 0) await scancel(ids);
  return ids;
}

/**
 * Submits again the tasks that failed or were cancelled, and no others. Each job still waits for the one before it.
 *
 * @returns the tasks, such as `14_3`
 * @throws NnunetError `ERR_NOT_FOUND`, `ERR_SLURM`
 */
export async function resubmitJobs(folder?: string): Promise<string[]> {
  const again: string[] = [];
  for (const report of await listJobs(folder)) {
    const submission = await readSubmission(report.folder);
    const jobs = [...submission.jobs];
    let after: string[] = [];
    for (const [i, job] of jobs.entries()) {
      const tasks = report.jobs[i]?.tasks ?? [];
      const failed = tasks
        .filter(({ state }) => !isActive({ state }) && state !== 'done')
        .map(({ task }) => task);
      if (failed.length > 0) {
        const dependency = after.length > 0 ? `${job.after}:${after.join(':')}` : undefined;
        const id = await sbatch(job.script, [`--array=${failed.join(',')}`, ...dependencyFlags(dependency)]);
        const ids = { ...job.ids, ...Object.fromEntries(failed.map((task) => [task, id])) };
        jobs[i] = { ...job, ids };
        await writeSubmission(report.folder, { ...submission, jobs });
        again.push(...failed.map((task) => `${id}_${task}`));
      }
      const active = tasks.filter(isActive).map(({ task }) => task);
      const pending = [...failed, ...active].map((task) => jobs[i]?.ids[task]);
      after = [...new Set(pending.filter((id) => id !== undefined))];
    }
  }
  return again;
}

/** Every task of some submissions. */
export function tasksOf(reports: readonly JobsReport[]): JobTask[] {
  return reports.flatMap(({ jobs }) => jobs.flatMap(({ tasks }) => tasks));
}

/** Whether a task waits or runs. */
export function isActive({ state }: Pick<JobTask, 'state'>): boolean {
  return state === 'waiting' || state === 'running';
}

async function taskOf(
  job: SubmittedJob,
  task: number,
  states: ReadonlyMap<string, string>,
): Promise<JobTask> {
  const id = `${job.ids[task]}_${task}`;
  const base = join(dirname(job.script), `${job.name}-${task}`);
  const slurm = states.get(id) ?? states.get(`${job.ids[task]}${NEVER_BEGUN}`) ?? null;
  const [exit, log] = await Promise.all([content(`${base}.exit`), ending(`${base}.log`)]);
  const code = /^\d+\n$/.test(exit) ? Number(exit) : null;
  return {
    task,
    id,
    state: stateOf(slurm, code),
    slurm,
    exitCode: code,
    log: `${base}.log`,
    lastLine:
      log
        .trimEnd()
        .split(/[\r\n]/)
        .at(-1) || null,
  };
}

const WAITING = ['PENDING', 'REQUEUED', 'REQUEUE_HOLD', 'REQUEUE_FED', 'SPECIAL_EXIT', 'RESV_DEL_HOLD'];
const RUNNING = [
  'RUNNING',
  'COMPLETING',
  'CONFIGURING',
  'RESIZING',
  'SIGNALING',
  'STAGE_OUT',
  'STOPPED',
  'SUSPENDED',
];

/** The state of a task. A task that ended says how in its file; one that was killed has none. */
function stateOf(slurm: string | null, code: number | null): TaskState {
  if (slurm !== null && WAITING.includes(slurm)) return 'waiting';
  if (slurm !== null && RUNNING.includes(slurm)) return 'running';
  if (slurm === 'CANCELLED') return 'cancelled';
  if (code !== null) return code === 0 ? 'done' : 'failed';
  if (slurm === null) return 'unknown';
  return slurm === 'COMPLETED' ? 'done' : 'failed';
}

/** The last kilobytes of a file; empty without one. */
async function ending(path: string): Promise<string> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return '';
  try {
    const length = 4096;
    const start = Math.max(0, (await file.stat()).size - length);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The content of a file; empty without one. */
async function content(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
