import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { NnunetError } from '../errors.js';
import { cancelJobs, isActive, type JobsReport, listJobs, resubmitJobs, tasksOf } from '../slurm/jobs.js';
import { EXIT, type Io } from './command.js';
import { jsonLine } from './lines.js';
import { table } from './text-table.js';

/** Seconds between two looks at the jobs. */
const INTERVAL = 10;

/** Adds `jobs show`, `jobs follow`, `jobs cancel` and `jobs resubmit`. */
export function registerJobs(program: Command, io: Io, finish: (code: number) => void): void {
  const jobs = program
    .command('jobs')
    .description('show, follow, cancel and repeat the jobs of --engine slurm');
  const command = (name: string, description: string) =>
    jobs
      .command(name)
      .description(description)
      .argument('[folder]', 'folder of a submission, or the --jobs-folder of several', 'nnunet-diag-jobs')
      .option('--json', 'write the result as JSON');
  command('show', 'show the state of every task; exit code 1 if one failed').action(
    async (folder: string, flags: { json?: boolean }) => {
      const reports = await listJobs(folder);
      show(reports, flags.json === true, io);
      finish(codeOf(reports));
    },
  );
  command('follow', 'show changes until every task has ended; exit code 1 if one failed')
    .option('--interval <seconds>', 'time between two looks', Number, INTERVAL)
    .action(async (folder: string, flags: { json?: boolean; interval: number }) => {
      finish(await follow(folder, flags.json === true, flags.interval, io));
    });
  command('cancel', 'cancel every task that waits or runs').action(
    async (folder: string, flags: { json?: boolean }) => {
      const result = await cancelJobs(folder);
      io.out.write(flags.json ? jsonLine({ type: 'done', result }) : `cancelled ${list(result)}\n`);
      finish(EXIT.done);
    },
  );
  command('resubmit', 'submit the tasks again that failed, were cancelled or are unknown').action(
    async (folder: string, flags: { json?: boolean }) => {
      const result = await resubmitJobs(folder);
      io.out.write(flags.json ? jsonLine({ type: 'done', result }) : `submitted ${list(result)}\n`);
      finish(EXIT.done);
    },
  );
}

async function follow(folder: string, json: boolean, interval: number, io: Io): Promise<number> {
  const seconds = Number.isFinite(interval) && interval > 0 ? interval : INTERVAL;
  let reports = await listJobs(folder);
  let [shown, problem] = ['', ''];
  for (;;) {
    const now = JSON.stringify(reports);
    const ended = !tasksOf(reports).some(isActive);
    // A program gets one line, at the end.
    if (now !== shown && (ended || !json)) show(reports, json, io);
    shown = now;
    if (ended) return codeOf(reports);
    try {
      await sleep(1000 * seconds, undefined, io.signal ? { signal: io.signal } : {});
    } catch {
      // The jobs go on.
      return EXIT.cancelled;
    }
    try {
      reports = await listJobs(folder);
      problem = '';
    } catch (error) {
      // The jobs go on while a controller restarts, and so does this.
      if (!(error instanceof NnunetError) || error.code !== 'ERR_SLURM') throw error;
      if (error.message !== problem) io.err.write(`${error.message}; looking again\n`);
      problem = error.message;
    }
  }
}

function codeOf(reports: readonly JobsReport[]): number {
  return tasksOf(reports).every((task) => isActive(task) || task.state === 'done') ? EXIT.done : EXIT.failed;
}

function show(reports: readonly JobsReport[], json: boolean, io: Io): void {
  io.out.write(json ? jsonLine({ type: 'done', result: reports }) : `${reports.map(render).join('\n\n')}\n`);
}

function render({ folder, verb, jobs }: JobsReport): string {
  const rows = jobs.flatMap(({ name, tasks }) =>
    tasks.map(({ task, id, state, slurm, exitCode, lastLine }) => [
      ...[name, `${task}`, id, state, slurm ?? '–', exitCode === null ? '–' : `${exitCode}`],
      (lastLine ?? '').slice(0, 100),
    ]),
  );
  return `${verb}: ${folder}\n${table(['job', 'task', 'id', 'state', 'Slurm', 'exit code', 'last line'], rows)}`;
}

function list(ids: readonly string[]): string {
  return ids.length === 0 ? 'no task' : ids.join(' ');
}
