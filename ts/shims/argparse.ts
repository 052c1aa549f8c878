/**
 * Reads arguments as Python's `argparse` does: abbreviations, `--flag=value`, `-f0`, joined one-letter flags,
 * lists, `--`.
 * Messages are those of `argparse`.
 */

import { advice } from '../nearest.js';

/** An argument of a command. A name without a dash is a position. */
export interface Argument {
  readonly names: readonly string[];
  /** Number of values: none (a switch), one, at least one (`+`), or any (`*`). */
  readonly values: 0 | 1 | '+' | '*';
  readonly type?: 'text' | 'int' | 'float' | undefined;
  readonly required?: boolean | undefined;
  /**
   * Given in full only: nnU-Net v1 does not have it, so it must not make abbreviations of v1's flags
   * ambiguous.
   */
  readonly own?: boolean | undefined;
}

/** A value of an argument: true for a switch. */
export type Value = true | string | number | readonly (string | number)[];

/** Values by the first name of their argument. Arguments that are not given have none. */
export type Values = ReadonlyMap<string, Value>;

/** Wrong usage of a command. */
export class UsageError extends Error {}

const HELP: Argument = { names: ['-h', '--help'], values: 0 };

const isPosition = ({ names }: Argument): boolean => !names[0]?.startsWith('-');

/** Names of an argument as `argparse` writes them: `-c/--continue_training`. */
export const labelOf = ({ names }: Argument): string => names.join('/');

/**
 * Reads a command line.
 *
 * @returns `'help'` if `-h` or `--help` is given
 * @throws UsageError
 */
export function parse(args: readonly Argument[], argv: readonly string[]): Values | 'help' {
  const reader = new Reader([HELP, ...args.filter((one) => !isPosition(one))], args.filter(isPosition));
  if (!reader.read(argv)) return 'help';
  const missing = args.filter((one) => (isPosition(one) || one.required) && !reader.given.has(key(one)));
  if (missing.length > 0) {
    throw new UsageError(`the following arguments are required: ${missing.map(labelOf).join(', ')}`);
  }
  if (reader.extras.length > 0) {
    const names = args.flatMap((one) => one.names).filter((name) => name.startsWith('-'));
    const strange = reader.extras.filter((word) => /^--?\w\w/.test(word));
    const near = strange.map((word) => advice(cut(word)[0], names)).find((words) => words !== '') ?? '';
    throw new UsageError(`unrecognized arguments: ${reader.extras.join(' ')}${near}`);
  }
  return reader.given;
}

const key = ({ names }: Argument): string => names[0] ?? '';

/** A flag as it stands on the command line. */
interface Flag {
  readonly argument: Argument;
  /** The name that it was matched with. */
  readonly name: string;
  /** Value in the same word: `--flag=value`, `-f0`. */
  readonly joined: string | undefined;
}

class Reader {
  readonly given = new Map<string, Value>();
  readonly extras: string[] = [];
  readonly #flags: readonly Argument[];
  readonly #positions: Argument[];

  constructor(flags: readonly Argument[], positions: readonly Argument[]) {
    this.#flags = flags;
    this.#positions = [...positions];
  }

  /** Returns false if the help is asked for. */
  read(argv: readonly string[]): boolean {
    const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
    const words = [
      ...argv.slice(0, end).map((word) => ({ word, flag: this.#flag(word), last: false })),
      // Words after `--` are positions only.
      ...argv.slice(end + 1).map((word) => ({ word, flag: undefined, last: true })),
    ];
    let at = 0;
    while (at < words.length) {
      const { word = '', flag } = words[at] ?? {};
      at += 1;
      if (flag === undefined) {
        const position = this.#positions.shift();
        if (position === undefined) this.extras.push(word);
        else this.given.set(key(position), convert(position, word));
      } else if (flag === 'unknown') {
        this.extras.push(word);
      } else {
        const rest = words.slice(at);
        const next = rest.findIndex((one) => one.flag !== undefined || one.last);
        const free = (next < 0 ? rest : rest.slice(0, next)).map((one) => one.word);
        const taken = this.#take(flag, free);
        if (taken === 'help') return false;
        at += taken;
      }
    }
    return true;
  }

  /** Stores a flag and returns how many of the words after it belong to it. */
  #take({ argument, name, joined }: Flag, free: readonly string[]): number | 'help' {
    const { values } = argument;
    if (values === 0) {
      this.given.set(key(argument), true);
      const more = joined === undefined ? 0 : this.#joinedSwitches(argument, name, joined, free);
      return argument === HELP ? 'help' : more;
    }
    if (joined !== undefined) {
      const value = convert(argument, joined);
      this.given.set(key(argument), values === 1 ? value : ([value].flat() as Value));
      return 0;
    }
    if (free.length === 0 && values !== '*') {
      const expected = values === 1 ? 'one argument' : 'at least one argument';
      throw new UsageError(`argument ${labelOf(argument)}: expected ${expected}`);
    }
    if (values === 1) {
      this.given.set(key(argument), convert(argument, free[0] ?? ''));
      return 1;
    }
    this.given.set(
      key(argument),
      free.map((word) => convert(argument, word) as string | number),
    );
    return free.length;
  }

  /** `-cf` is `-c -f` where `-c` takes no value. */
  #joinedSwitches(
    argument: Argument,
    name: string,
    joined: string,
    free: readonly string[],
  ): number | 'help' {
    const next = `-${joined[0] ?? ''}`;
    const inner = name.startsWith('--') ? undefined : this.#flags.find(({ names }) => names.includes(next));
    if (inner === undefined) {
      throw new UsageError(`argument ${labelOf(argument)}: ignored explicit argument '${joined}'`);
    }
    return this.#take({ argument: inner, name: next, joined: joined.slice(1) || undefined }, free);
  }

  /** The flag that a word stands for; `undefined` for a value. */
  #flag(word: string): Flag | 'unknown' | undefined {
    if (!word.startsWith('-') || word === '-') return undefined;
    const exact = this.#named(word);
    if (exact !== undefined) return { argument: exact, name: word, joined: undefined };
    const [before, after] = cut(word);
    const whole = this.#named(before);
    if (whole !== undefined && after !== undefined) return { argument: whole, name: before, joined: after };
    const found = word.startsWith('--') ? this.#longer(before, after) : this.#shorter(word);
    if (found.length > 1) {
      const names = found.map(({ name }) => name).join(', ');
      throw new UsageError(`ambiguous option: ${word} could match ${names}`);
    }
    if (found[0] !== undefined) return found[0];
    // No flag looks like a negative number.
    if (/^-\d+$|^-\d*\.\d+$/.test(word) || word.includes(' ')) return undefined;
    return 'unknown';
  }

  #named(name: string): Argument | undefined {
    return this.#flags.find(({ names }) => names.includes(name));
  }

  /** Flags that `--abbreviation` may stand for. */
  #longer(prefix: string, joined: string | undefined): Flag[] {
    return this.#names()
      .filter(({ name, argument }) => name.startsWith(prefix) && !argument.own)
      .map(({ argument, name }) => ({ argument, name, joined }));
  }

  /** Flags that `-abbreviation` or `-f0` may stand for. */
  #shorter(word: string): Flag[] {
    return this.#names().flatMap(({ argument, name }): Flag[] => {
      if (name === word.slice(0, 2)) return [{ argument, name, joined: word.slice(2) }];
      return name.startsWith(word) && !argument.own ? [{ argument, name, joined: undefined }] : [];
    });
  }

  #names(): { argument: Argument; name: string }[] {
    return this.#flags.flatMap((argument) => argument.names.map((name) => ({ argument, name })));
  }
}

function cut(word: string): [string, string | undefined] {
  const at = word.indexOf('=');
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

/** Converts text as Python's `int` and `float` do. */
function convert(argument: Argument, text: string): string | number {
  const { type = 'text' } = argument;
  if (type === 'text') return text;
  const plain = text.trim().replace(/(?<=\d)_(?=\d)/g, '');
  const form = type === 'int' ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  if (form.test(plain)) return Number(plain);
  throw new UsageError(`argument ${labelOf(argument)}: invalid ${type} value: '${text}'`);
}
