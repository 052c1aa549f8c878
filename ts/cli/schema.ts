import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VerbName } from '../generated/verbs.js';
import { packageRoot } from '../native/load.js';

/**
 * What the command line reads of `ts/generated/schema.json`, which is a JSON Schema (draft 2020-12): one property a verb, whose
 * type is among `$defs`. Descriptions, defaults, choices and types of flags come from there and from nowhere else.
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
  readonly required?: readonly string[];
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** How the text of a flag becomes a value. */
export type Kind = 'boolean' | 'number' | 'text' | 'json';

/** An option of a verb, as the command line sees it. */
export interface Field {
  /** In camelCase. */
  readonly name: string;
  /** First paragraph of its documentation. */
  readonly description: string;
  readonly kind: Kind;
  readonly list: boolean;
  readonly required: boolean;
  /** `undefined` where there is none. */
  readonly default: unknown;
  /** The texts that it can be, if it is an enumeration. */
  readonly choices: readonly string[];
}

let root: Schema | undefined;

function schema(): Schema {
  root ??= JSON.parse(readFileSync(join(packageRoot, 'ts', 'generated', 'schema.json'), 'utf8')) as Schema;
  return root;
}

/** The options of a verb, in the order of its type. */
export function fieldsOf(verb: VerbName): Field[] {
  const { properties = {}, required = [] } = resolve(schema().properties?.[verb] ?? {});
  return Object.entries(properties).map(([name, property]) => field(name, property, required.includes(name)));
}

function field(name: string, property: Schema, required: boolean): Field {
  const type = plain(property);
  const list = type.type === 'array';
  const element = list ? plain(type.items ?? {}) : type;
  return {
    name,
    description: (property.description ?? '').split('\n\n')[0]?.replaceAll('\n', ' ') ?? '',
    kind: kindOf(element),
    list,
    required,
    default: property.default ?? undefined,
    choices: choicesOf(element),
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
      // Objects, and values of several types: a number or a word for a fold, a number or a list for a region.
      return choicesOf(type).length > 0 ? 'text' : 'json';
  }
}

function choicesOf(type: Schema): string[] {
  const values = type.enum ?? type.oneOf?.map((one) => one.const) ?? [];
  return values.filter((value) => typeof value === 'string');
}
