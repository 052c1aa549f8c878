import { EXIT, type Io, type Output, report, runVerb } from '../cli/command.js';
import { ROWS } from '../cli/rows.js';
import { fromNative, NnunetError, optionError } from '../errors.js';
import { checked } from '../verbs/start.js';
import { labelOf, parse, UsageError, type Value, type Values } from './argparse.js';
import { helpOf, usageOf } from './help.js';
import { lacks } from './lacks.js';
import { shimNamed } from './list.js';
import type { Shim, ShimArgument, Step } from './table.js';

/** What a command line of nnU-Net v1 means here. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly output: Output;
}

/**
 * Translates a command line of nnU-Net v1. Nothing is run.
 *
 * @returns `'help'` if the help is asked for
 * @throws UsageError for arguments that nnU-Net v1 rejects too; NnunetError `ERR_SHIM` for what this package
 * lacks
 */
export function translate(shim: Shim, argv: readonly string[]): Plan | 'help' {
  const given = parse(shim.args, argv);
  if (given === 'help') return given;
  const args = shim.args.filter((one) => given.has(one.names[0] ?? ''));
  for (const one of args) checkChoice(one, given);
  const { verb } = shim;
  if (typeof verb !== 'string') throw lacks(shim.name, 'this command', shim.summary, verb.missing);
  const options: Record<string, unknown> = { ...shim.fixed };
  const output: Record<string, unknown> = {};
  for (const one of args) {
    const { here } = one;
    const value = given.get(one.names[0] ?? '') as Value;
    if ('refused' in here && !here.unless?.includes(value)) {
      throw lacks(shim.name, shown(one, value), one.meaning, here.refused);
    }
    if ('output' in here) output[here.output] = true;
    if (!('option' in here)) continue;
    const mapped = here.value === undefined ? value : here.value(value);
    if (mapped !== undefined) options[here.option] = mapped;
  }
  const steps = shim.steps?.(options, given) ?? [{ verb, options }];
  return { steps, output };
}

function checkChoice(argument: ShimArgument, given: Values): void {
  const value = String(given.get(argument.names[0] ?? ''));
  if (argument.choices === undefined || argument.choices.includes(value)) return;
  const expected = argument.choices.join(', ');
  throw new UsageError(`argument ${labelOf(argument)}: expected one of ${expected}, got '${value}'`);
}

const shown = ({ names, values }: ShimArgument, value: Value): string =>
  values === 0 ? (names[0] ?? '') : `${names[0]} ${[value].flat().join(' ')}`;

/**
 * Runs a command of nnU-Net v1.
 *
 * @returns the exit code: 0 done, 1 failed or some cases failed, 2 wrong usage, 130 cancelled
 */
export async function shimMain(name: string, argv: readonly string[], io: Io): Promise<number> {
  const shim = shimNamed(name);
  if (shim === undefined) {
    return report(optionError('', `no command of nnU-Net v1 is called "${name}"`), false, io);
  }
  const json = argv.includes('--json') && shim.args.some(({ names }) => names.includes('--json'));
  try {
    const plan = translate(shim, argv);
    if (plan === 'help') {
      io.out.write(helpOf(shim));
      return EXIT.done;
    }
    return await runPlan(shim, plan, io);
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) return report(fromNative(thrown), json, io);
    if (json) return report(optionError('', thrown.message), json, io);
    io.err.write(`${usageOf(shim)}\n${name}: error: ${thrown.message}\n`);
    return EXIT.usage;
  }
}

async function runPlan(shim: Shim, { steps, output }: Plan, io: Io): Promise<number> {
  // All steps are checked before the first one runs.
  try {
    for (const { verb, options } of steps) checked(verb, options);
  } catch (thrown) {
    throw rename(fromNative(thrown), shim);
  }
  const queue = [...steps];
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    let result: unknown;
    const { verb, options, next } = step;
    const row = ROWS.find((one) => one.name === verb);
    if (row === undefined) throw new NnunetError('ERR_INTERNAL', `no verb ${verb}`);
    const code = await runVerb({
      ...{ row: withNames(row, shim), options, output, io },
      explain: (error) => rename(error, shim),
      done: (made) => {
        result = made;
      },
    });
    if (code !== EXIT.done) return code;
    queue.unshift(...(next?.(result) ?? []));
  }
  return EXIT.done;
}

/** A row whose advice names the flags of nnU-Net v1. */
function withNames(row: (typeof ROWS)[number], shim: Shim): (typeof ROWS)[number] {
  const again = shim.args.find(({ here }) => 'option' in here && String(here.option) === 'continue');
  const { cancelled } = row;
  if (again === undefined || cancelled === undefined) return row;
  return { ...row, cancelled: (seen) => cancelled(seen).replace('--continue', again.names[0] ?? '') };
}

/** Problems of options that came from arguments name the arguments. */
function rename(error: NnunetError, shim: Shim): NnunetError {
  const { problems } = error.details as { problems?: readonly { option: string; problem: string }[] };
  if (error.code !== 'ERR_OPTIONS' || problems === undefined) return error;
  const named = problems.map(({ option, problem }) => {
    const name = option.split('.')[0] ?? '';
    const from = shim.args.find(({ here }) => 'option' in here && String(here.option) === name);
    return { option: from === undefined ? option : labelOf(from), problem };
  });
  const message = named.map(({ option, problem }) => `${option}: ${problem}`).join('; ');
  return new NnunetError(error.code, message, { ...error.details, problems: named }, error.cause);
}
