import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { NnunetError } from '../errors.js';

/** Environment variable with the path of the configuration file. */
export const CONFIG_VARIABLE = 'NNUNET_DIAG_CONFIG';

const NAMES = ['json', 'ts', 'mts', 'js', 'mjs'].map((ending) => `nnunet-diag.config.${ending}`);

/**
 * The configuration file: `path` if it is given, else `$NNUNET_DIAG_CONFIG`, else the one in `from` or its
 * nearest parent.
 *
 * @returns its absolute path, or `undefined` if there is none
 * @throws NnunetError `ERR_NOT_FOUND` if a named file does not exist; `ERR_CONFIG` if a folder has two, or if
 * a program
 *   found in a parent belongs to another user
 */
export function findConfig(path?: string, from = process.cwd()): string | undefined {
  const variable = process.env[CONFIG_VARIABLE];
  if (path !== undefined) return named(path, 'name an existing file');
  if (variable) return named(variable, `correct the variable ${CONFIG_VARIABLE}, or unset it`);
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const found = NAMES.map((name) => join(folder, name)).filter((file) => existsSync(file));
    const [first, second] = found;
    if (first !== undefined && second !== undefined) {
      const problem = `${folder} has ${found.length} configuration files: ${found.join(', ')}; keep one of them`;
      throw new NnunetError('ERR_CONFIG', problem, { folder, files: found });
    }
    if (first !== undefined) return trusted(first);
    if (folder === dirname(folder)) return undefined;
  }
}

function named(path: string, todo: string): string {
  const absolute = resolve(path);
  if (existsSync(absolute)) return absolute;
  throw new NnunetError('ERR_NOT_FOUND', `configuration file ${absolute} does not exist; ${todo}`, {
    path: absolute,
  });
}

/** Refuses to run a program that another user put into a parent folder, such as `/tmp`. */
function trusted(file: string): string {
  const user = process.getuid?.();
  if (user === undefined || file.endsWith('.json')) return file;
  const owner = statSync(file).uid;
  if (owner === user || owner === 0) return file;
  const problem = `${file} belongs to another user (${owner}) and is a program; to use it, name it with --config ${file}`;
  throw new NnunetError('ERR_CONFIG', problem, { path: file, owner });
}
