import type { Command } from 'commander';
import { fromNative, NnunetError } from '../errors.js';
import type { StartedEvent } from '../generated/events.js';
import { isOtherRank } from '../ranks/environment.js';
import { addConfigFlags, configured } from './configured.js';
import { addFlags, collect, type Flags } from './flags.js';
import { jsonLine } from './lines.js';
import { wording } from './problems.js';
import { ProgressView } from './progress.js';
import type { AnyRow } from './rows.js';
import { fieldsOf, kebab } from './schema.js';
import type { Screen } from './screen.js';
import { Seen } from './seen.js';
import { addSlurmFlags, slurmOf, submitVerb, withSlurm } from './slurm.js';
import { styled } from './style.js';

/** Exit codes of every verb. */
export const EXIT = { done: 0, failed: 1, usage: 2, unfinished: 85, cancelled: 130 } as const;

/** The reason of a command's signal if a batch system asked it to stop, by SIGTERM or SIGUSR1. */
export class StoppedBySystem extends Error {}

/** Streams and signal of a command. They are parameters so that tests need no process. */
export interface Io {
  readonly out: Screen;
  readonly err: Screen;
  readonly signal?: AbortSignal;
}

/** Flags of every verb that TypeScript does not have. */
export interface Output {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** A configuration file; false for `--no-config`. */
  readonly config?: string | false;
}

/** A verb to run, and how to speak about it. */
export interface Call {
  readonly row: AnyRow;
  readonly options: Readonly<Record<string, unknown>>;
  readonly output: Output;
  readonly io: Io;
  /** Flags whose names appear in errors of options. */
  readonly flags?: Flags;
  /** The configuration file used. */
  readonly config?: string | undefined;
  /** Rewords an error. */
  explain?(error: NnunetError): NnunetError;
  /** Receives the result. */
  done?(result: unknown): void;
}

/** Adds a verb to the program; `finish` receives its exit code. */
export function register(program: Command, row: AnyRow, io: Io, finish: (code: number) => void): void {
  const child = program.command(kebab(row.name)).description(row.summary);
  configure(child, row, io, finish, `${program.name()} `);
}

/** Adds flags, help and action of a verb to `child`. */
function configure(
  child: Command,
  row: AnyRow,
  io: Io,
  finish: (code: number) => void,
  prefix: string,
): void {
  const flags: Flags = { fields: fieldsOf(row.name), positional: row.positional, short: row.short };
  addFlags(child, flags);
  child.option('--json', 'write events and result as JSON lines on standard output');
  child.option('--quiet', 'write nothing but warnings, errors and the result');
  child.option('-v, --verbose', 'also write every setting, the memory needed and every checkpoint');
  addConfigFlags(child);
  addSlurmFlags(child, row.name);
  child.addHelpText('after', `\nExamples:\n${row.examples.map((e) => `  ${prefix}${e}`).join('\n')}\n`);
  child.action(async (...given: unknown[]) => {
    const output = given[row.positional.length] as Output & Record<string, unknown>;
    const options = collect(flags, given.slice(0, row.positional.length), output);
    finish(await runConfigured({ row, options, output, io, flags }));
  });
}

/** Runs a verb with the options of the configuration file, unless the command line has them. */
async function runConfigured(call: Call): Promise<number> {
  const { row, options, output, io, flags } = call;
  try {
    const slurm = slurmOf(row.name, output as Readonly<Record<string, unknown>>);
    const file = await configured(output.config);
    const all = { ...file.defaults(row.name), ...options };
    if (slurm !== undefined) {
      await submitVerb(row.name, all, { ...file.defaults('slurm'), ...slurm }, output.json === true, io.out);
      return EXIT.done;
    }
    const explain = (error: NnunetError) => file.explain(error, row.name, options);
    return await runVerb({ ...call, options: all, config: file.path, explain });
  } catch (thrown) {
    return report(fromNative(thrown), output.json === true, io, withSlurm(flags, row.name));
  }
}

/** Runs a verb, shows its events and result, and returns its exit code. */
export async function runVerb(call: Call): Promise<number> {
  const { row, output, io, flags, config, explain } = call;
  const seen = new Seen();
  const view = new ProgressView(io.err, kebab(row.name), output.verbose);
  try {
    const run = row.run({ ...call.options, signal: io.signal });
    try {
      for await (const event of run) {
        seen.take(event);
        const shown = config !== undefined && event.type === 'started' ? withConfig(event, config) : event;
        if (output.json) io.out.write(jsonLine(shown));
        else if (!output.quiet || event.type === 'warning') view.show(shown);
      }
    } finally {
      view.close();
    }
    const result = await run.result;
    call.done?.(result);
    // The first rank of a training speaks for all.
    if (row.name !== 'train' || !isOtherRank()) {
      io.out.write(output.json ? jsonLine({ type: 'done', result }) : `${row.render(result)}\n`);
    }
    return row.failed(result) ? EXIT.failed : EXIT.done;
  } catch (thrown) {
    const error = fromNative(thrown);
    const kept = error.code === 'ERR_CANCELLED' ? row.cancelled?.(seen) : undefined;
    const code = report(explain?.(error) ?? error, output.json === true, io, flags, kept);
    const resumes = kept !== undefined && io.signal?.reason instanceof StoppedBySystem;
    return resumes ? EXIT.unfinished : code;
  }
}

function withConfig(event: StartedEvent, config: string): StartedEvent {
  return { ...event, settings: { ...event.settings, config } };
}

/** Writes an error and returns its exit code. */
export function report(error: NnunetError, json: boolean, io: Io, flags?: Flags, kept?: string): number {
  const cancelled = error.code === 'ERR_CANCELLED';
  if (json) {
    const details = kept === undefined ? error.details : { ...error.details, kept };
    io.out.write(jsonLine({ type: 'failed', error: new NnunetError(error.code, error.message, details) }));
  } else if (cancelled) {
    io.err.write(`${kept === undefined ? error.message : `stopped: ${kept}`}\n`);
  } else {
    io.err.write(`${styled(io.err, 'red', 'error')}: ${wording(error, flags)}\n`);
  }
  if (cancelled) return EXIT.cancelled;
  if (error.code === 'ERR_TIME_LIMIT') return EXIT.unfinished;
  return ['ERR_OPTIONS', 'ERR_CONFIG'].includes(error.code) ? EXIT.usage : EXIT.failed;
}
