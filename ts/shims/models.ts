import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NnunetError } from '../errors.js';
import { UsageError } from './argparse.js';

/**
 * The folder of a model in `RESULTS_FOLDER`, from the number or name of its task; `trainer` is `TRAINER__PLANS`, and
 * `argument` names the argument of the task in messages.
 */
export function modelFolder(configuration: string, task: string, trainer: string, argument: string): string {
  const tasks = join(results(), 'nnUNet', configuration);
  return join(tasks, taskOf(task, tasks, argument), trainer);
}

/** The name of a task that has models of a configuration in `RESULTS_FOLDER`. */
export function taskName(configuration: string, task: string, argument: string): string {
  return taskOf(task, join(results(), 'nnUNet', configuration), argument);
}

function results(): string {
  const folder = (process.env.RESULTS_FOLDER ?? '').trim().replace(/^["']+|["']+$/g, '');
  if (folder !== '') return folder;
  const message = 'the folder of trained models is not set; set the variable RESULTS_FOLDER';
  throw new NnunetError('ERR_FOLDER_UNSET', message, { variable: 'RESULTS_FOLDER' });
}

/** The name of a task that has models, from its number or name. */
function taskOf(given: string, folder: string, argument: string): string {
  if (given.startsWith('Task')) return given;
  if (!/^\s*\d+\s*$/.test(given)) {
    throw new UsageError(`argument ${argument}: expected a number or TaskXXX_NAME, got '${given}'`);
  }
  const prefix = `Task${String(Number(given)).padStart(3, '0')}_`;
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(prefix)) : [];
  if (names.length === 1 && names[0] !== undefined) return names[0];
  const [code, found] =
    names.length === 0
      ? (['ERR_NOT_FOUND', `no model of ${prefix}* in ${folder}; train one, or correct -t or -m`] as const)
      : (['ERR_TASK_AMBIGUOUS', `-t ${given} may be ${names.join(', ')}; pass the name`] as const);
  throw new NnunetError(code, found, { path: folder, task: given, candidates: names });
}
