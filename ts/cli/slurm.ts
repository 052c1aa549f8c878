import { type Command, Option } from 'commander';
import { optionError } from '../errors.js';
import type { SlurmOptions } from '../generated/options.js';
import type { VerbName, Verbs } from '../generated/verbs.js';
import { isSubmittable } from '../slurm/jobs-of.js';
import { type SubmitResult, submit } from '../slurm/submit.js';
import { addFlags, collect, type Flags } from './flags.js';
import { jsonLine } from './lines.js';
import { kebab, usedFieldsOf } from './schema.js';
import type { Screen } from './screen.js';

/** The flags of Slurm. Threads are an option of the verb. */
export function slurmFlags(): Flags {
  return { fields: usedFieldsOf('slurm'), positional: [], short: {} };
}

/** The flags of a verb with those of Slurm, for the wording of errors. */
export function withSlurm(flags: Flags | undefined, verb: VerbName): Flags | undefined {
  if (flags === undefined || !isSubmittable(verb)) return flags;
  return { ...flags, fields: [...flags.fields, ...slurmFlags().fields] };
}

/** Adds `--engine` and the flags of Slurm to the command of a verb that Slurm can run. */
export function addSlurmFlags(command: Command, verb: VerbName): void {
  if (!isSubmittable(verb)) return;
  command.optionsGroup('Slurm:');
  const engine = 'Where to run: this machine, or a cluster with Slurm.';
  command.addOption(new Option('--engine <name>', engine).choices(['local', 'slurm']));
  addFlags(command, slurmFlags());
}

/**
 * The flags of Slurm if `--engine slurm` was given.
 *
 * @throws NnunetError `ERR_OPTIONS` for such a flag without it
 */
export function slurmOf(verb: VerbName, flags: Readonly<Record<string, unknown>>): SlurmOptions | undefined {
  if (!isSubmittable(verb)) return undefined;
  const given = collect(slurmFlags(), [], flags);
  if (flags.engine === 'slurm') return given;
  const [first] = Object.keys(given);
  if (first !== undefined) throw optionError(first, 'expected --engine slurm as well');
  return undefined;
}

/** Submits a verb and shows the jobs or, with `--dry-run`, the scripts. */
export async function submitVerb(
  verb: VerbName,
  options: object,
  slurm: SlurmOptions,
  json: boolean,
  out: Screen,
): Promise<void> {
  if (!isSubmittable(verb)) throw optionError('', `${kebab(verb)} runs on this machine only`);
  const result = await submit(verb, options as Verbs[typeof verb]['options'], slurm);
  out.write(json ? jsonLine({ type: 'done', result }) : `${render(result)}\n`);
}

function render(result: SubmitResult): string {
  if (result.kind === 'dryRun') {
    const scripts = result.scripts.map(({ name, script }) => `# ---- ${name}.sh ----\n${script}`);
    return [
      `# Logs and exit codes: ${result.folder}. Create this folder before you submit a script.`,
      ...scripts,
    ].join('\n\n');
  }
  const count = (number: number) => `${number} ${number === 1 ? 'task' : 'tasks'}`;
  return [
    ...result.jobs.map((job) => `${job.name}: ${count(job.tasks.length)}, job ${Object.values(job.ids)[0]}`),
    `scripts, logs and exit codes: ${result.folder}`,
    `to wait for it, give the next submission --dependency afterok:${result.id}`,
  ].join('\n');
}
