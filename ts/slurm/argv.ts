import { ROWS } from '../cli/rows.js';
import { type Field, fieldsOf, kebab } from '../cli/schema.js';
import type { VerbName } from '../generated/verbs.js';

/** Options of a verb, by name. */
export type Values = Readonly<Record<string, unknown>>;

/** The words of a command line that gives a verb these options: its positional arguments, then its flags. */
export function argvOf(verb: VerbName, options: Values): string[] {
  const positional = ROWS.find((row) => row.name === verb)?.positional ?? [];
  const fields = fieldsOf(verb).filter(({ name }) => options[name] !== undefined && options[name] !== null);
  const at = (name: string) => positional.indexOf(name);
  const given = fields.filter(({ name }) => at(name) >= 0).sort((a, b) => at(a.name) - at(b.name));
  return [
    ...given.flatMap((field) => texts(field, options[field.name]).map(argument)),
    ...fields.filter(({ name }) => at(name) < 0).flatMap((field) => flag(field, options[field.name])),
  ];
}

/** A positional argument that begins with a dash would be read as a flag. */
function argument(text: string): string {
  return text.startsWith('-') ? `./${text}` : text;
}

function flag(field: Field, value: unknown): string[] {
  const name = kebab(field.name);
  if (field.kind === 'boolean') return [value === true ? `--${name}` : `--no-${name}`];
  const words = texts(field, value);
  // A value that begins with a dash, such as the label -1, ends a list.
  return words.some((word) => word.startsWith('-'))
    ? words.map((word) => `--${name}=${word}`)
    : [`--${name}`, ...words];
}

function texts(field: Field, value: unknown): string[] {
  const values = field.list && Array.isArray(value) ? value : [value];
  return values.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
}
