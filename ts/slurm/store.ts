import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { NnunetError } from '../errors.js';
import { writeWhole } from '../files.js';
import type { AfterCondition } from './script.js';

const FILE = 'submission.json';

/** A job array that was handed to Slurm. */
export interface SubmittedJob {
  /** Name of its files, such as `2-preprocess`. */
  readonly name: string;
  /** Path of the script. */
  readonly script: string;
  /** Numbers of the tasks. */
  readonly tasks: readonly number[];
  /** Number of the job in Slurm, by task: another one after the task was submitted again. */
  readonly ids: Readonly<Record<string, string>>;
  /** How the job before it must have ended: `afterok` or `afterany`. */
  readonly after: AfterCondition;
}

/** The record of a submission in its folder. */
export interface Submission {
  /** Verb of the jobs. */
  readonly verb: string;
  /** Its jobs; each waits for the one before it. */
  readonly jobs: readonly SubmittedJob[];
}

/** Replaces the record of a submission. */
export async function writeSubmission(folder: string, submission: Submission): Promise<void> {
  await writeWhole(join(folder, FILE), `${JSON.stringify(submission, undefined, 2)}\n`);
}

/**
 * The record of a submission.
 *
 * @throws NnunetError `ERR_SLURM` if the file is not one
 */
export async function readSubmission(folder: string): Promise<Submission> {
  const path = join(folder, FILE);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new NnunetError('ERR_SLURM', `${path} cannot be read: ${words(error)}`, { path }, error);
  }
  if (isSubmission(content)) return content;
  const problem = 'is no record of a submission; name a folder that --engine slurm wrote';
  throw new NnunetError('ERR_SLURM', `${path} ${problem}`, { path });
}

/**
 * The folders of submissions below a folder, oldest first: itself if it is one.
 *
 * @throws NnunetError `ERR_NOT_FOUND` if there is none
 */
export async function submissionFolders(folder: string): Promise<string[]> {
  const path = resolve(folder);
  if (existsSync(join(path, FILE))) return [path];
  const names = existsSync(path) ? (await readdir(path)).sort() : [];
  const found = names.map((name) => join(path, name)).filter((one) => existsSync(join(one, FILE)));
  if (found.length > 0) return found;
  const problem = `${path} has no jobs; name the jobsFolder of a submission`;
  throw new NnunetError('ERR_NOT_FOUND', problem, { path });
}

function isSubmission(value: unknown): value is Submission {
  const { verb, jobs } = (value ?? {}) as Partial<Submission>;
  return typeof verb === 'string' && Array.isArray(jobs) && jobs.every(isJob);
}

function isJob(value: unknown): value is SubmittedJob {
  const { name, script, tasks, ids, after } = (value ?? {}) as Partial<SubmittedJob>;
  const texts = [name, script].every((one) => typeof one === 'string');
  const numbers = Array.isArray(tasks) && tasks.every((one) => Number.isInteger(one));
  const byTask =
    typeof ids === 'object' && ids !== null && Object.values(ids).every((id) => typeof id === 'string');
  return texts && numbers && byTask && (after === 'afterok' || after === 'afterany');
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));
