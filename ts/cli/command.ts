import type { Command } from 'commander';
import type { VerbEvent } from '../events.js';
import { ProgressView, type Screen } from '../progress.js';
import type { Run } from '../run.js';
import type { VerbSpec } from '../schema.js';
import { addFlags, collect } from './flags.js';

/** Exit codes of every verb. */
export const EXIT = { done: 0, failed: 1, usage: 2, cancelled: 130 } as const;

/** Where a command writes, and what stops it; given by the caller so that tests need no process. */
export interface Io {
  readonly out: Screen;
  readonly err: Screen;
  readonly signal?: AbortSignal;
}

/** How one verb is run and shown. */
export interface VerbCommand<R> {
  readonly spec: VerbSpec;
  run(options: object): Run<R>;
  /** The result for people. */
  render(result: R): string;
  /** Whether some cases failed though the verb finished. */
  failed?(result: R): boolean;
}

/** A verb's command, whatever its result. */
export type AnyVerbCommand = VerbCommand<unknown>;

/** Hides a command's result type, so that commands of all verbs fit one list. */
export function command<R>(definition: VerbCommand<R>): AnyVerbCommand {
  return {
    spec: definition.spec,
    run: definition.run,
    render: (result) => definition.render(result as R),
    failed: (result) => definition.failed?.(result as R) ?? false,
  };
}

/** Adds a verb to the program; `finish` gets its exit code. */
export function register(
  program: Command,
  definition: AnyVerbCommand,
  io: Io,
  finish: (code: number) => void,
): void {
  const { spec } = definition;
  const child = program.command(spec.name).description(spec.summary);
  configure(child, definition, io, finish, `${program.name()} `);
}

/** Gives `child` the flags, help and action of a verb. */
export function configure(
  child: Command,
  definition: AnyVerbCommand,
  io: Io,
  finish: (code: number) => void,
  prefix: string,
): void {
  const { spec } = definition;
  addFlags(child, spec);
  child.option('--json', 'write events and result as JSON lines on standard output');
  child.option('--quiet', 'write nothing but warnings, errors and the result');
  child.addHelpText('after', `\nExamples:\n${spec.examples.map((e) => `  ${prefix}${e}`).join('\n')}\n`);
  child.action(async (...given: unknown[]) => {
    const flags = given[spec.positional.length] as Record<string, unknown> & {
      json?: boolean;
      quiet?: boolean;
    };
    const options = collect(spec, given.slice(0, spec.positional.length), flags);
    const run = definition.run({ ...options, signal: io.signal });
    await follow(run, spec.name, io, flags);
    const result = await run.result;
    if (flags.json) io.out.write(`${JSON.stringify({ type: 'done', result })}\n`);
    else io.out.write(`${definition.render(result)}\n`);
    finish(definition.failed?.(result) ? EXIT.failed : EXIT.done);
  });
}

async function follow(
  run: Run<unknown>,
  name: string,
  io: Io,
  flags: { json?: boolean; quiet?: boolean },
): Promise<void> {
  const view = new ProgressView(io.err, name);
  try {
    for await (const event of run) show(event, view, io, flags);
  } finally {
    view.close();
  }
}

function show(
  event: VerbEvent,
  view: ProgressView,
  io: Io,
  flags: { json?: boolean; quiet?: boolean },
): void {
  if (flags.json) io.out.write(`${JSON.stringify(event)}\n`);
  else if (!flags.quiet || event.type === 'warning') view.show(event);
}
