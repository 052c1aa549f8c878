import { type Command, Option } from 'commander';
import { type Field, kebab } from './schema.js';

/** Options of a verb on the command line: fields of the schema, and entries of its row. */
export interface Flags {
  readonly fields: readonly Field[];
  /** Options given by position, in order. */
  readonly positional: readonly string[];
  /** One-letter flags by option. */
  readonly short: Readonly<Record<string, string>>;
}

/** Whether an option is true by default; its flag is then `--no-…`. */
export function isNegated({ kind, default: initial }: Field): boolean {
  return kind === 'boolean' && initial === true;
}

/** Adds a verb's positional arguments and flags to a command. */
export function addFlags(command: Command, { fields, positional, short }: Flags): void {
  for (const name of positional) {
    const field = fields.find((f) => f.name === name);
    if (field === undefined) continue;
    const argument = kebab(name) + (field.list ? '...' : '');
    // Optional for commander: the check of options reports what is missing.
    command.argument(`[${argument}]`, field.description);
  }
  for (const field of fields) {
    if (positional.includes(field.name)) continue;
    const option = optionOf(field, short[field.name]);
    if (field.kind === 'boolean') {
      // A configuration file may hold the value that is not the default; this flag restores the default.
      const other = new Option(`--${isNegated(field) ? '' : 'no-'}${kebab(field.name)}`).hideHelp();
      // commander then has no default for either, if the positive flag comes first.
      for (const one of isNegated(field) ? [other, option] : [option, other]) command.addOption(one);
    } else {
      command.addOption(option);
    }
  }
}

function optionOf(field: Field, short: string | undefined): Option {
  const { name, kind, list, choices, description } = field;
  const argument = kind === 'boolean' ? '' : ` <${list ? 'value...' : PLACEHOLDER[kind]}>`;
  const flag = `${short ? `-${short}, ` : ''}--${isNegated(field) ? 'no-' : ''}${kebab(name)}${argument}`;
  const listed = choices.length > 0 ? ` [${choices.join('|')}]` : '';
  return new Option(flag, `${description}${listed}${defaultOf(field)}`);
}

const PLACEHOLDER = { number: 'n', text: 'text', json: 'value' } as const;

function defaultOf(field: Field): string {
  if (isNegated(field)) return ` On by default; --no-${kebab(field.name)} turns it off.`;
  if (field.default === undefined || field.default === '' || field.kind === 'boolean') return '';
  return ` (default: ${typeof field.default === 'object' ? JSON.stringify(field.default) : field.default})`;
}

/**
 * The options of a parsed command line. Defaults are not filled in and values are not checked: the addon does both for
 * every caller.
 */
export function collect(
  { fields, positional }: Flags,
  args: readonly unknown[],
  flags: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const field of fields) {
    const position = positional.indexOf(field.name);
    const given = position >= 0 ? args[position] : flags[field.name];
    if (given === undefined) continue;
    if (Array.isArray(given) && given.length === 0) continue;
    options[field.name] = typedValue(field, given);
  }
  return options;
}

function typedValue(field: Field, given: unknown): unknown {
  if (!field.list) return convert(given, field.kind);
  const [word, ...more]: unknown[] = [given].flat();
  const stands = field.kind !== 'text' && more.length === 0 && field.choices.some((one) => one === word);
  if (stands) return word;
  const parts = field.kind === 'number' ? split : range;
  const texts = [given].flat().flatMap((text) => (field.kind === 'text' ? [text] : parts(text)));
  return texts.map((text) => convert(text, field.kind));
}

/** `64x64x64` and `64,64,64` are three numbers. */
function split(text: unknown): unknown[] {
  return typeof text === 'string' && /^[\d.]+([x×,][\d.]+)+$/.test(text) ? text.split(/[x×,]/) : [text];
}

/** `0-4` are five numbers, such as folds and labels. */
function range(text: unknown): unknown[] {
  const [, first, last] = /^(\d{1,4})-(\d{1,4})$/.exec(String(text)) ?? [];
  if (first === undefined || last === undefined || Number(first) > Number(last)) return [text];
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => String(Number(first) + i));
}

/** Converts text to its kind. Text of another kind stays as it is; the check of options then rejects it. */
function convert(value: unknown, kind: Field['kind']): unknown {
  if (typeof value !== 'string') return value;
  if (kind === 'json') return parseJson(value);
  if (kind !== 'number') return value;
  const number = Number(value);
  return value.trim() === '' || Number.isNaN(number) ? value : number;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
