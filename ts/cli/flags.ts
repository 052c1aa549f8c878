import { type Command, Option } from 'commander';
import type { z } from 'zod';
import type { VerbSpec } from '../schema.js';

/** A field of a schema, as the command line sees it. */
export interface FlagType {
  readonly kind: 'string' | 'number' | 'boolean' | 'list' | 'json';
  readonly element: 'string' | 'number';
  readonly choices: readonly string[] | undefined;
  readonly initial: unknown;
}

/** What `_zod.def` holds of the types used in this package's schemas. */
interface Definition {
  type: string;
  innerType?: z.ZodType;
  element?: z.ZodType;
  options?: readonly z.ZodType[];
  entries?: Record<string, string>;
  defaultValue?: unknown;
}

function definitionOf(schema: z.ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

/** Reads a field's type, choices and default through its wrappers. */
export function flagType(schema: z.ZodType): FlagType {
  let definition = definitionOf(schema);
  let initial: unknown;
  while (definition.innerType !== undefined) {
    if (definition.type === 'default') initial = definition.defaultValue;
    definition = definitionOf(definition.innerType);
  }
  const choices = definition.entries === undefined ? undefined : Object.values(definition.entries);
  const scalar = (d: Definition): 'string' | 'number' =>
    d.type === 'number' || d.type === 'int' ? 'number' : 'string';
  if (definition.type === 'array' && definition.element !== undefined) {
    const inner = definitionOf(definition.element);
    const entries = inner.entries === undefined ? undefined : Object.values(inner.entries);
    return { kind: 'list', element: scalar(inner), choices: entries, initial };
  }
  if (definition.type === 'object') return { kind: 'json', element: 'string', choices, initial };
  if (definition.type === 'boolean') return { kind: 'boolean', element: 'string', choices, initial };
  return { kind: scalar(definition), element: scalar(definition), choices, initial };
}

/** `stepSize` → `step-size`. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Adds a verb's positional arguments and flags to a command. */
export function addFlags(command: Command, spec: VerbSpec): void {
  for (const key of spec.positional) {
    const schema = spec.options.shape[key] as z.ZodType;
    const many = flagType(schema).kind === 'list' ? '...' : '';
    const name = kebab(key) + many;
    command.argument(schema.isOptional() ? `[${name}]` : `<${name}>`, schema.description ?? '');
  }
  for (const [key, value] of Object.entries(spec.options.shape)) {
    if (!spec.positional.includes(key)) command.addOption(optionOf(key, value as z.ZodType));
  }
}

function optionOf(key: string, schema: z.ZodType): Option {
  const type = flagType(schema);
  const short = (schema.meta() as { short?: string } | undefined)?.short;
  const negated = type.kind === 'boolean' && type.initial === true;
  const placeholders = {
    boolean: '',
    list: ' <value...>',
    number: ' <n>',
    string: ' <value>',
    json: ' <json>',
  };
  const argument = placeholders[type.kind];
  const flag = `${short ? `-${short}, ` : ''}--${negated ? 'no-' : ''}${kebab(key)}${argument}`;
  const shown =
    type.initial === undefined || type.kind === 'boolean' ? '' : ` (default: ${String(type.initial)})`;
  const choices = type.choices ? ` [${type.choices.join('|')}]` : '';
  return new Option(flag, `${schema.description ?? ''}${choices}${shown}`);
}

/**
 * The options that a parsed command line gives. Only what was typed is passed on: the schema fills in defaults, and
 * refuses what is not a number where one is due.
 */
export function collect(spec: VerbSpec, args: readonly unknown[], flags: Record<string, unknown>): object {
  const options: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(spec.options.shape)) {
    const position = spec.positional.indexOf(key);
    const given = position >= 0 ? args[position] : flags[key];
    const type = flagType(schema as z.ZodType);
    // commander sets a negatable flag to true when it was not typed.
    if (given === undefined || (type.kind === 'boolean' && given === type.initial)) continue;
    if (Array.isArray(given) && given.length === 0) continue;
    options[key] = Array.isArray(given)
      ? given.map((v) => convert(v, type.element))
      : convert(given, type.kind);
  }
  return options;
}

function convert(value: unknown, kind: FlagType['kind']): unknown {
  if (kind === 'json' && typeof value === 'string') return parseJson(value);
  if (kind !== 'number' || typeof value !== 'string') return value;
  const number = Number(value);
  return value.trim() === '' || Number.isNaN(number) ? value : number;
}

/** Text that is no JSON is passed on: the schema then says what it expected and what it got. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
