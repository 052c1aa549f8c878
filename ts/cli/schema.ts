import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VerbName } from '../generated/verbs.js';
import { packageRoot } from '../version.js';

/**
 * The part of JSON Schema (draft 2020-12) that the command line reads in `ts/generated/schema.json`. The file has one
 * property a verb, whose type is in `$defs`. It is the only source of descriptions, defaults, choices and types of flags.
 */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** Type to which the text of a flag is converted. */
export type Kind = 'boolean' | 'number' | 'text' | 'json';

/** An option of a verb. */
export interface Field {
  /** Name in camelCase. */
  readonly name: string;
  /** First paragraph of its documentation. */
  readonly description: string;
  readonly kind: Kind;
  readonly list: boolean;
  /** `undefined` if there is no default. */
  readonly default: unknown;
  /** Values of an enumeration; for a list, words that stand for the whole list; else empty. */
  readonly choices: readonly string[];
}

let root: Schema | undefined;

function schema(): Schema {
  root ??= JSON.parse(readFileSync(join(packageRoot, 'ts', 'generated', 'schema.json'), 'utf8')) as Schema;
  return root;
}

/** Every verb. */
export function verbNames(): VerbName[] {
  return Object.keys(schema().properties ?? {}) as VerbName[];
}

/** The options of a verb, in the order of its type. */
export function fieldsOf(verb: VerbName): Field[] {
  const { properties = {} } = resolve(schema().properties?.[verb] ?? {});
  return Object.entries(properties).map(([name, property]) => field(name, property));
}

/** What starts no threads: a submission has none, and a page leaves them to the run that it follows. */
const WITHOUT_WORKERS: readonly VerbName[] = ['slurm', 'watch'];

/** The options of a verb that it uses: without `workers` where it starts no threads. */
export function usedFieldsOf(verb: VerbName): Field[] {
  const unused = WITHOUT_WORKERS.includes(verb);
  return fieldsOf(verb).filter(({ name }) => !(unused && name === 'workers'));
}

function field(name: string, property: Schema): Field {
  const type = plain(property);
  const array = [type, ...(type.anyOf ?? [])].find((one) => one.type === 'array');
  const list = array !== undefined;
  const element = array ? plain(array.items ?? {}) : type;
  return {
    name,
    description: (property.description ?? '').split('\n\n')[0]?.replaceAll('\n', ' ') ?? '',
    kind: kindOf(element),
    list,
    default: property.default ?? undefined,
    choices: choicesOf(array === type ? element : type),
  };
}

function resolve(type: Schema): Schema {
  const name = type.$ref?.replace('#/$defs/', '');
  return name === undefined ? type : resolve(schema().$defs?.[name] ?? {});
}

/** A type without references and without null. */
function plain(type: Schema): Schema {
  const resolved = resolve(type);
  const alternatives = (resolved.oneOf ?? resolved.anyOf)?.filter((one) => one.type !== 'null');
  if (alternatives?.length === 1 && alternatives[0] !== undefined) return plain(alternatives[0]);
  if (typeof resolved.type === 'string' || resolved.type === undefined) return resolved;
  const types = resolved.type.filter((name) => name !== 'null');
  return { ...resolved, type: types.length === 1 && types[0] !== undefined ? types[0] : types };
}

function kindOf(type: Schema): Kind {
  switch (type.type) {
    case 'boolean':
      return 'boolean';
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
      return 'text';
    default:
      // Objects, and values of several types, such as a fold (number or `all`) or a region (number or list).
      return choicesOf(type).length > 0 ? 'text' : 'json';
  }
}

function choicesOf(type: Schema): string[] {
  const values = type.enum ?? (type.oneOf ?? type.anyOf)?.map((one) => one.const) ?? [];
  return values.filter((value) => typeof value === 'string');
}

/** `stepSize` → `step-size`. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
