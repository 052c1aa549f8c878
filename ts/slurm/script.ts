import { join } from 'node:path';
import type { SlurmOptions } from '../generated/options.js';
import { packageRoot } from '../version.js';
import { sbatchPath, shellWord } from './quote.js';
import { secondsOf, slurmTime, warningOf } from './time.js';

/** The options with their defaults. */
export type AllSlurmOptions = Omit<SlurmOptions, 'shards' | 'jobsFolder' | 'dryRun'> & {
  readonly shards: number;
  readonly jobsFolder: string;
  readonly dryRun: boolean;
};

/** A job array to write as a script. */
export interface ArrayJob {
  /** Name of its files, such as `2-preprocess`. */
  readonly name: string;
  /** Words of the command line of a task, after the program. */
  readonly argv: readonly string[];
  /** Text with `$task` that ends the command line, for a shell. */
  readonly perTask: readonly string[];
  /** Numbers of the tasks. */
  readonly tasks: readonly number[];
  /** Whether a task that was stopped continues when it is started again. */
  readonly continues: boolean;
  /** Memory of a task. */
  readonly memory: TaskMemory;
  /** How the job before it must have ended. */
  readonly after: AfterCondition;
}

/** Memory of a task, and how it came about. */
export interface TaskMemory {
  /** In Slurm's form, such as `3072M`; `undefined` leaves it to the cluster. */
  readonly mem: string | undefined;
  /** A comment of the script in one line; `undefined` without one. */
  readonly comment: string | undefined;
}

/** How the job before one must have ended: without a failed task, or in any way. */
export type AfterCondition = 'afterok' | 'afterany';

/** Environment variables that a verb reads. The script sets those that are set now. */
const VARIABLES = [
  ...['nnUNet_raw_data_base', 'nnUNet_preprocessed', 'RESULTS_FOLDER'],
  ...['NNUNET_DIAG_LIBTORCH', 'LIBTORCH', 'NNUNET_DIAG_CACHE', 'DIAG_NNUNET_ALT_RESAMPLING'],
];

/** The text of the script of a job. */
export function scriptOf(job: ArrayJob, folder: string, options: AllSlurmOptions): string {
  const file = (ending: string) => `${shellWord(join(folder, job.name))}-"$task".${ending}`;
  const program = [process.execPath, join(packageRoot, 'dist', 'ts', 'cli', 'main.js')];
  const command = [...program, ...job.argv, '--no-config'].map(shellWord);
  const variables = VARIABLES.filter((name) => process.env[name] !== undefined);
  return [
    '#!/bin/bash',
    ...directives(job, folder, options).map((words) => `#SBATCH ${words}`),
    ...(job.memory.comment === undefined ? [] : [`# ${job.memory.comment}`]),
    ...(job.memory.mem === undefined ? [] : [`#SBATCH --mem=${job.memory.mem}`]),
    '',
    `# ${job.name}: one task of a job array of nnunet-diag. Without Slurm: bash ${job.name}.sh TASK`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: text of a shell script
    'task=${SLURM_ARRAY_TASK_ID:-${1:?give the number of the task}}',
    `cd ${shellWord(process.cwd())} || exit 1`,
    ...variables.map((name) => `export ${name}=${shellWord(process.env[name] ?? '')}`),
    `exit_file=${file('exit')}`,
    'rm -f -- "$exit_file"',
    '',
    `${[...command, ...job.perTask].join(' ')} &`,
    'child=$!',
    '# Slurm sends USR1 before the time limit, and TERM to every process when it takes the node away or cancels the job.',
    'terminated=',
    `trap 'again=1; kill -USR1 "$child" 2> /dev/null' USR1`,
    `trap 'again=1; terminated=1; kill -USR1 "$child" 2> /dev/null' TERM`,
    'while :; do',
    '  again=',
    '  wait "$child"',
    '  code=$?',
    '  [ -n "$again" ] || break',
    'done',
    '',
    `printf '%s\\n' "$code" > "$exit_file.part" && mv -- "$exit_file.part" "$exit_file"`,
    ...(job.continues ? REQUEUE : []),
    'exit "$code"',
    '',
  ].join('\n');
}

const REQUEUE = [
  '# 85: stopped in time and can continue. After TERM the job is queued again only if Slurm does not do it: a preempted job',
  '# that ends within its grace time still counts as running, but not one that was cancelled or lost its node.',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: text of a shell script
  'if [ "$code" -eq 85 ] && [ -n "${SLURM_JOB_ID:-}" ]; then',
  '  if [ -z "$terminated" ] || scontrol show job "$SLURM_JOB_ID" --oneliner | grep -q " JobState=RUNNING "; then',
  '    scontrol requeue "$SLURM_JOB_ID"',
  '  fi',
  'fi',
];

/** The flags of `sbatch`, one line each. */
function directives(job: ArrayJob, folder: string, options: AllSlurmOptions): string[] {
  const seconds = options.time === undefined ? undefined : secondsOf(options.time);
  const limit = options.atOnce === undefined ? '' : `%${options.atOnce}`;
  const flag = (name: string, value: unknown) => (value === undefined ? [] : [`--${name}=${value}`]);
  return [
    `--job-name=nnunet-diag-${job.name}`,
    `--array=${job.tasks.join(',')}${limit}`,
    `--output=${sbatchPath(join(folder, job.name)).slice(0, -1)}-%a.log"`,
    '--open-mode=append',
    '--requeue',
    `--signal=B:USR1@${warningOf(seconds)}`,
    ...flag('time', seconds === undefined ? undefined : slurmTime(seconds)),
    ...flag('partition', options.partition),
    ...flag('account', options.account),
    ...flag('gres', options.gres),
    ...flag('cpus-per-task', options.cpus),
    ...(options.sbatch ?? []),
  ];
}
