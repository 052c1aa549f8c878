import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { NnunetError } from '../errors.js';

/** An error of a configuration file; `path` is the place in it, such as `train.epochs`. */
export function configError(file: string, path: string, problem: string, cause?: unknown): NnunetError {
  const place = path === '' ? file : `${file}: ${path}`;
  const details = { file, problems: [{ option: path, problem }] };
  return new NnunetError('ERR_CONFIG', `${place}: ${problem}`, details, cause);
}

/**
 * The content of a configuration file, not checked: the value of a JSON file, or the default export of a
 * program.
 *
 * @throws NnunetError `ERR_CONFIG`
 */
export function readConfig(file: string): Promise<unknown> {
  return file.endsWith('.json') ? readJson(file) : importDefault(file);
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw configError(file, '', `cannot be read: ${words(error)}; check its permissions`, error);
  }
  try {
    // Editors on Windows begin a file with a byte order mark.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const comment = /^\s*(\/\/|\/\*)|[,{[]\s*(\/\/|\/\*)/m.test(text);
    const todo = comment
      ? 'JSON has no comments; remove them, or name the file nnunet-diag.config.mjs and write `export default { … }`'
      : 'correct the file';
    throw configError(file, '', `is no JSON: ${words(error)}; ${todo}`, error);
  }
}

async function importDefault(file: string): Promise<unknown> {
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (error) {
    throw configError(file, '', importProblem(file, error), error);
  }
  if (module.default !== undefined) return module.default;
  throw configError(file, '', 'has no default export; write `export default { … }`');
}

function importProblem(file: string, error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.m?ts$/.test(file)) {
    return (
      `Node ${process.versions.node} does not run TypeScript; use Node 22.18, 23.6 or later, ` +
      'or name the file nnunet-diag.config.mjs and remove the types'
    );
  }
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return `cannot be loaded: ${words(error)}; install the package beside it, or export a plain object`;
  }
  return `cannot be loaded: ${words(error)}; correct the file`;
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));
