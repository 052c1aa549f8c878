import type { Command } from 'commander';
import { fromNative, NnunetError } from '../errors.js';
import { addFlags, collect, type Flags } from './flags.js';
import { jsonLine } from './lines.js';
import { wording } from './problems.js';
import { ProgressView } from './progress.js';
import type { AnyRow } from './rows.js';
import { fieldsOf } from './schema.js';
import type { Screen } from './screen.js';
import { Seen } from './seen.js';
import { styled } from './style.js';

/** Exit codes of every verb. */
export const EXIT = { done: 0, failed: 1, usage: 2, cancelled: 130 } as const;

/** Streams and signal of a command. They are parameters so that tests need no process. */
export interface Io {
  readonly out: Screen;
  readonly err: Screen;
  readonly signal?: AbortSignal;
}

/** Flags of every verb that TypeScript does not have. */
interface Output {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Adds a verb to the program; `finish` receives its exit code. */
export function register(program: Command, row: AnyRow, io: Io, finish: (code: number) => void): void {
  const child = program.command(row.name).description(row.summary);
  configure(child, row, io, finish, `${program.name()} `);
}

/** Adds flags, help and action of a verb to `child`. */
export function configure(
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
  child.addHelpText('after', `\nExamples:\n${row.examples.map((e) => `  ${prefix}${e}`).join('\n')}\n`);
  child.action(async (...given: unknown[]) => {
    const output = given[row.positional.length] as Output & Record<string, unknown>;
    const options = collect(flags, given.slice(0, row.positional.length), output);
    finish(await execute(row, flags, { ...options, signal: io.signal }, output, io));
  });
}

async function execute(row: AnyRow, flags: Flags, options: object, output: Output, io: Io): Promise<number> {
  const seen = new Seen();
  const view = new ProgressView(io.err, row.name, output.verbose);
  try {
    const run = row.run(options);
    try {
      for await (const event of run) {
        seen.take(event);
        if (output.json) io.out.write(jsonLine(event));
        else if (!output.quiet || event.type === 'warning') view.show(event);
      }
    } finally {
      view.close();
    }
    const result = await run.result;
    io.out.write(output.json ? jsonLine({ type: 'done', result }) : `${row.render(result)}\n`);
    return row.failed(result) ? EXIT.failed : EXIT.done;
  } catch (thrown) {
    const error = fromNative(thrown);
    const kept = error.code === 'ERR_CANCELLED' ? row.cancelled?.(seen) : undefined;
    return report(error, output.json === true, io, flags, kept);
  }
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
  return error.code === 'ERR_OPTIONS' ? EXIT.usage : EXIT.failed;
}
