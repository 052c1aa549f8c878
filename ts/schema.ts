import { z } from 'zod';
import { NnunetError } from './errors.js';

/** What the command line needs beyond a field's type. */
export interface FieldMeta {
  readonly description: string;
  /** One-letter flag. */
  readonly short?: string;
}

/** Gives a schema field its description and, where it has one, its one-letter flag. */
export function field<S extends z.ZodType>(schema: S, description: string, short?: string): S {
  return schema.meta({ description, ...(short === undefined ? {} : { short }) }) as S;
}

/** A verb: one schema that validates its options and yields their type, its flags and its help. */
export interface VerbSpec<S extends z.ZodObject = z.ZodObject> {
  /** As on the command line. */
  readonly name: string;
  readonly summary: string;
  /** Options given by position, in order; the last may be a list. */
  readonly positional: readonly string[];
  readonly options: S;
  /** Command lines, without the program's name. */
  readonly examples: readonly string[];
}

/** Declares a verb, keeping its schema's exact type. */
export function verb<S extends z.ZodObject>(spec: VerbSpec<S>): VerbSpec<S> {
  return spec;
}

/** nnU-Net's folders; each falls back to the environment variable that nnU-Net reads. */
export const folders = {
  rawDataBase: field(
    z.string().min(1).optional(),
    'folder that holds nnUNet_raw_data (default: $nnUNet_raw_data_base)',
  ),
  preprocessed: field(
    z.string().min(1).optional(),
    'folder of preprocessed data (default: $nnUNet_preprocessed)',
  ),
  results: field(z.string().min(1).optional(), 'folder of trained models (default: $RESULTS_FOLDER)'),
};

/** The folders as the addons take them: what is absent comes from the environment there. */
export function foldersOf(options: {
  rawDataBase?: string | undefined;
  preprocessed?: string | undefined;
  results?: string | undefined;
}): Record<string, string | undefined> {
  const { rawDataBase: rawBase, preprocessed, results } = options;
  return { rawBase, preprocessed, results };
}

/** Options that every verb takes. */
export const common = {
  workers: field(z.int().min(0).default(0), 'threads to use; 0 takes all cores'),
};

/** A fold's number, or `all`. */
export const fold = z.union([z.int().min(0), z.string().regex(/^(\d+|all)$/, 'a fold number or all')]);

/** Device and precision of the verbs that run a network. */
export const compute = {
  device: field(
    z
      .string()
      .regex(/^(auto|cpu|cuda(:\d+)?|mps)$/, 'auto, cpu, cuda, cuda:N or mps')
      .default('auto'),
    'auto, cpu, cuda, cuda:N or mps',
  ),
  precision: field(
    z.enum(['auto', 'float32', 'bfloat16', 'float16']).default('auto'),
    'arithmetic of the network; auto takes the fastest safe one and says which',
  ),
};

/** What a caller adds to a verb's options. */
export interface Abortable {
  /** Ends the work at its next safe point; its result rejects with `ERR_CANCELLED`. */
  signal?: AbortSignal;
}

/** The options of a verb as its callers write them: defaults may be left out, lists may be read-only. */
export type OptionsOf<S extends VerbSpec> = ReadonlyLists<z.input<S['options']>> & Abortable;

type ReadonlyLists<T> = {
  [K in keyof T]: NonNullable<T[K]> extends readonly (infer E)[]
    ? readonly E[] | Exclude<T[K], NonNullable<T[K]>>
    : T[K];
};

/**
 * Validates options against a verb's schema and fills in defaults.
 *
 * @throws NnunetError `ERR_OPTIONS`, naming every option that is wrong
 */
export function parseOptions<S extends z.ZodObject>(spec: VerbSpec<S>, input: unknown): z.output<S> {
  const { signal: _, ...plain } = input as { signal?: AbortSignal };
  const parsed = spec.options.strict().safeParse(plain);
  if (parsed.success) return parsed.data as z.output<S>;
  const problems = parsed.error.issues.map((issue) => describe(issue, plain));
  throw new NnunetError('ERR_OPTIONS', `${spec.name}: ${problems.join('; ')}`, { verb: spec.name, problems });
}

function describe(issue: z.core.$ZodIssue, input: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    return `unknown option ${issue.keys.map((key) => [...issue.path, key].join('.')).join(', ')}`;
  }
  const value = issue.path.reduce<unknown>(
    (at, key) =>
      at === null || typeof at !== 'object' ? undefined : (at as Record<PropertyKey, unknown>)[key],
    input,
  );
  const name = issue.path.join('.') || 'options';
  if (value === undefined) return `expected ${name}, which is missing`;
  return `${issue.message.replace(/^Invalid input: /, '')} for ${name} but received ${JSON.stringify(value)} of type ${typeof value}`;
}
