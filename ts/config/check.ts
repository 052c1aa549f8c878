import { dirname, resolve } from 'node:path';
import { usedFieldsOf, verbNames } from '../cli/schema.js';
import { NnunetError } from '../errors.js';
import type { VerbName } from '../generated/verbs.js';
import { advice } from '../nearest.js';
import { checked } from '../verbs/start.js';
import { configError } from './read.js';

/** Options of `common`. They mean the same for every verb that has them. */
export const COMMON = ['rawDataBase', 'preprocessed', 'results', 'workers', 'device', 'precision'] as const;

/** Options that are paths. Relative ones are relative to the configuration file. */
export const PATHS: ReadonlySet<string> = new Set([
  ...['rawDataBase', 'preprocessed', 'results'],
  ...[
    'folder',
    'outputDir',
    'outputFolder',
    'previousStage',
    'pretrained',
    'presentLabels',
    'target',
    'source',
    'file',
    'scratch',
  ],
  ...['input', 'output', 'model', 'referenceDir', 'predictionDir', 'groups', 'from'],
  ...['firstDir', 'secondDir', 'reference', 'images'],
  ...['lowresModel', 'lowresSegmentations', 'postprocessedDir', 'rules', 'zip', 'jobsFolder'],
]);

/** Options that are lists of paths. */
const PATH_LISTS: ReadonlySet<string> = new Set(['folders', 'models', 'paths']);

type Options = Readonly<Record<string, unknown>>;
type Problem = { readonly option: string; readonly problem: string };

/**
 * Checks the content of a configuration file and returns the options of every verb, with those of `common`.
 *
 * @throws NnunetError `ERR_CONFIG` with every unknown verb, and every option that is unknown or invalid
 */
export function checkConfig(file: string, content: unknown): Record<VerbName, Options> {
  if (!isObject(content)) throw configError(file, '', `expected an object of verbs, got ${show(content)}`);
  const verbs = verbNames();
  const known = ['$schema', 'common', ...verbs];
  const problems = Object.keys(content)
    .filter((key) => !known.includes(key))
    .map((key) => ({ option: key, problem: `unknown verb${advice(key, known)}` }));
  const { $schema, common = {} } = content;
  if ($schema !== undefined && typeof $schema !== 'string') {
    problems.push({ option: '$schema', problem: `expected text, got ${show($schema)}` });
  }
  problems.push(...commonProblems(common));
  for (const verb of verbs) {
    if (content[verb] !== undefined) problems.push(...verbProblems(verb, content[verb], verb));
  }
  if (problems.length > 0) throw refuse(file, problems);
  const shared = common as Options;
  const folder = dirname(file);
  const entries = verbs.map((verb) => {
    const names = new Set(usedFieldsOf(verb).map((field) => field.name));
    const own = Object.entries(shared).filter(([name]) => names.has(name));
    return [verb, absolute({ ...Object.fromEntries(own), ...(content[verb] as Options) }, folder)];
  });
  return Object.fromEntries(entries) as Record<VerbName, Options>;
}

/** All problems of a file as one error. */
export function refuse(file: string, problems: readonly Problem[]): NnunetError {
  const lines = problems.map(({ option, problem }) => `${file}: ${option}: ${problem}`);
  return new NnunetError('ERR_CONFIG', lines.join('\n'), { file, problems });
}

/**
 * An `ERR_OPTIONS` whose options come from a file becomes the `ERR_CONFIG` of the file.
 *
 * @param place - the place of an option in the file, such as `train.`; `undefined` if the command line has
 * the option
 */
export function blame(
  error: NnunetError,
  file: string,
  place: (option: string) => string | undefined,
): NnunetError {
  const { problems = [] } = error.details as { problems?: readonly Problem[] };
  const own = problems.flatMap(({ option, problem }) => {
    const prefix = place(option.split('.')[0] ?? '');
    return prefix === undefined ? [] : [{ option: prefix + option, problem }];
  });
  return error.code === 'ERR_OPTIONS' && own.length > 0 && own.length === problems.length
    ? refuse(file, own)
    : error;
}

function commonProblems(common: unknown): Problem[] {
  if (!isObject(common)) {
    return [{ option: 'common', problem: `expected an object of options, got ${show(common)}` }];
  }
  const strange = Object.keys(common).filter((name) => !(COMMON as readonly string[]).includes(name));
  const problems = strange.map((name) => ({
    option: `common.${name}`,
    problem: `expected one of ${COMMON.join(', ')}${advice(name, COMMON)}`,
  }));
  const rest = Object.fromEntries(Object.entries(common).filter(([name]) => !strange.includes(name)));
  // `train` has all of them.
  return [...problems, ...verbProblems('train', rest, 'common')];
}

/**
 * No verb has an option of this name. The addon reports it and then does not check relations between
 * options.
 */
const INCOMPLETE = '(incomplete)';

/**
 * Problems of some options of a verb. Missing ones may come from the command line, and so may related ones.
 */
function verbProblems(verb: VerbName, options: unknown, path: string): Problem[] {
  if (!isObject(options)) {
    return [{ option: path, problem: `expected an object of options, got ${show(options)}` }];
  }
  const given = Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'signal'));
  const signal = 'signal' in options;
  const own = signal
    ? [{ option: `${path}.signal`, problem: 'a signal belongs in a program; remove it' }]
    : [];
  return [...own, ...addonProblems(verb, given, path)];
}

function addonProblems(verb: VerbName, given: Options, path: string): Problem[] {
  try {
    checked(verb, { ...given, [INCOMPLETE]: true });
    return [];
  } catch (error) {
    if (!(error instanceof NnunetError) || error.code !== 'ERR_OPTIONS') throw error;
    const { problems = [] } = error.details as { problems?: readonly Problem[] };
    return problems
      .filter(({ option }) => Object.hasOwn(given, option.split('.')[0] ?? ''))
      .map(({ option, problem }) => ({ option: `${path}.${option}`, problem }));
  }
}

/** Options with absolute paths. A task is a path if it has a separator. */
function absolute(options: Options, folder: string): Options {
  const entries = Object.entries(options).map(([name, value]) => {
    const isPath =
      PATHS.has(name) || PATH_LISTS.has(name) || (name === 'task' && /[/\\]/.test(String(value)));
    return [name, isPath ? resolved(value, folder) : value];
  });
  return Object.fromEntries(entries);
}

/** A path or a list of paths, relative to `folder`. One that begins with a variable, as `$TMPDIR`, is read where it is used. */
function resolved(value: unknown, folder: string): unknown {
  if (Array.isArray(value)) return value.map((one) => resolved(one, folder));
  const relative = typeof value === 'string' && value !== '' && !value.startsWith('$');
  return relative ? resolve(folder, value) : value;
}

function isObject(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const show = (value: unknown): string => JSON.stringify(value) ?? String(value);
