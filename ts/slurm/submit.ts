import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { optionError } from '../errors.js';
import type { SlurmOptions } from '../generated/options.js';
import type { Verbs } from '../generated/verbs.js';
import { checked } from '../verbs/start.js';
import type { Values } from './argv.js';
import { sbatch, scancel } from './commands.js';
import { isSubmittable, jobsOf, type SubmittableVerb } from './jobs-of.js';
import { memoryOf } from './memory.js';
import { type AllSlurmOptions, scriptOf } from './script.js';
import { type SubmittedJob, writeSubmission } from './store.js';

/** A script that would be submitted. */
export interface JobScript {
  /** Name of the job, such as `2-preprocess`. */
  readonly name: string;
  /** Content of the script, for `sbatch`. */
  readonly script: string;
}

/** Result of {@link submit}. */
export type SubmitResult =
  | {
      /** The jobs were handed to Slurm. */
      readonly kind: 'submitted';
      /** Folder of scripts, logs and exit codes. */
      readonly folder: string;
      /** The job arrays in their order. */
      readonly jobs: readonly SubmittedJob[];
      /** Number of the last job: the next submission waits for it with `dependency: 'afterok:<id>'`. */
      readonly id: string;
    }
  | {
      /** Nothing was submitted or written. */
      readonly kind: 'dryRun';
      /** Folder of logs and exit codes in the scripts. It must exist before they run. */
      readonly folder: string;
      /** The scripts in their order. */
      readonly scripts: readonly JobScript[];
    };

/**
 * Hands a verb to Slurm: folds and parts of the cases become tasks of job arrays. Preprocessing by parts is three jobs
 * (crop, plan, preprocess), evaluation by parts is two (evaluate, merge). Each waits for the one before it.
 *
 * A task that its time limit stops is queued again and continues; a training always runs with `continue`. The results are
 * those of one run on one machine.
 *
 * ```ts
 * const data = await submit('preprocess', { task: '501' }, { shards: 20, partition: 'cpu', time: '2h' });
 * if (data.kind === 'submitted') {
 *   const dependency = `afterok:${data.id}`;
 *   const folds = { task: '501', configuration: '3d_fullres', folds: [0, 1, 2, 3, 4] } as const;
 *   await submit('train', folds, { dependency, gres: 'gpu:1', time: '24h' });
 * }
 * ```
 *
 * @param verb - the verb
 * @param options - its options, as for its function
 * @param slurm - resources and folder of the jobs
 * @throws NnunetError `ERR_OPTIONS`; `ERR_SLURM` with the words of `sbatch`. Jobs of the submission that Slurm had accepted
 *   are then cancelled.
 */
export async function submit<V extends SubmittableVerb>(
  verb: V,
  options: Omit<Verbs[V]['options'], 'signal'>,
  slurm: Omit<SlurmOptions, 'workers' | 'signal'> = {},
): Promise<SubmitResult> {
  if (!isSubmittable(verb)) throw optionError('', `${String(verb)} is no verb that Slurm can run`);
  const all = withDefaults(slurm);
  checked(verb, options);
  // First, because it refuses options that no job can have.
  const wanted = jobsOf(verb, options as Values, all);
  const memory = await memoryOf(verb, plain(options as Values), all);
  const jobs = wanted.map((job) => ({ ...job, memory }));
  if (all.dryRun) {
    const folder = resolve(all.jobsFolder);
    return {
      kind: 'dryRun',
      folder,
      scripts: jobs.map((job) => ({ name: job.name, script: scriptOf(job, folder, all) })),
    };
  }
  await mkdir(all.jobsFolder, { recursive: true });
  const time = new Date().toISOString().replace(/\..*/, '').replaceAll(/[-:]/g, '').replace('T', '-');
  const folder = await mkdtemp(join(resolve(all.jobsFolder), `${verb}-${time}-`));
  const submitted: SubmittedJob[] = [];
  let id = '';
  try {
    for (const job of jobs) {
      const script = join(folder, `${job.name}.sh`);
      await writeFile(script, scriptOf(job, folder, all), { mode: 0o755 });
      const after = submitted.length === 0 ? all.dependency : `${job.after}:${id}`;
      id = await sbatch(script, dependencyFlags(after));
      const ids = Object.fromEntries(job.tasks.map((task) => [task, id]));
      submitted.push({ name: job.name, script, tasks: job.tasks, ids, after: job.after });
      await writeSubmission(folder, { verb, jobs: submitted });
    }
  } catch (error) {
    // Half of a chain would wait for nothing.
    const accepted = submitted.flatMap((job) => Object.values(job.ids));
    if (accepted.length > 0) await scancel([...new Set(accepted)]).catch(() => {});
    throw error;
  }
  return { kind: 'submitted', folder, jobs: submitted, id };
}

/** The checked options with their defaults. Absent ones are null in the addon. */
function withDefaults(slurm: object): AllSlurmOptions {
  const entries = Object.entries(JSON.parse(checked('slurm', slurm)) as object);
  return Object.fromEntries(entries.filter(([, value]) => value !== null)) as unknown as AllSlurmOptions;
}

/** The options that JSON holds. */
function plain({ signal: _, ...options }: Values): Values {
  return options;
}

/** A job whose dependency failed is cancelled, because it would wait for ever. */
export function dependencyFlags(dependency: string | undefined): string[] {
  return dependency ? [`--dependency=${dependency}`, '--kill-on-invalid-dep=yes'] : [];
}
