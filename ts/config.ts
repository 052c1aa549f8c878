import { verbNames } from './cli/schema.js';
import { type COMMON, checkConfig } from './config/check.js';
import { findConfig } from './config/find.js';
import { readConfig } from './config/read.js';
import type { TrainOptions } from './generated/options.js';
import type { VerbName, Verbs } from './generated/verbs.js';

/** Some options of a verb, as in TypeScript. */
export type VerbDefaults<V extends VerbName> = Partial<Omit<Verbs[V]['options'], 'signal'>>;

/** Options of every verb that has them. */
export type CommonOptions = Pick<TrainOptions, (typeof COMMON)[number]>;

/**
 * The content of a configuration file, `nnunet-diag.config.json` or `.ts`: options by the name of the verb. The
 * command line uses them where a flag is not given.
 *
 * Relative paths are relative to the file.
 */
export type Config = {
  /** JSON Schema of the file, for editors. */
  readonly $schema?: string;
  /** Options of every verb that has them. Options of the verb itself win. */
  readonly common?: CommonOptions;
} & { readonly [V in VerbName]?: VerbDefaults<V> };

/** A configuration file that was read. */
export interface LoadedConfig {
  /** Absolute path of the file; `undefined` if there is none. */
  readonly path: string | undefined;
  /** Options of every verb, with those of `common` and with absolute paths. */
  readonly options: { readonly [V in VerbName]: VerbDefaults<V> };
}

/** Returns a configuration unchanged. The editor then checks and completes it. */
export function defineConfig(config: Config): Config {
  return config;
}

/**
 * Reads and checks a configuration file. Without `path` it is `$NNUNET_DIAG_CONFIG`, else the
 * `nnunet-diag.config.*` in the working directory or its nearest parent. Only the command line reads the file by
 * itself; a script passes the options on:
 *
 * ```ts
 * const { options } = await loadConfig();
 * await train({ ...options.train, task: '501', configuration: '3d_fullres' }).result;
 * ```
 *
 * @throws NnunetError `ERR_CONFIG` with file, path and expected value; `ERR_NOT_FOUND` for a named file that
 * does not exist
 */
export async function loadConfig(path?: string): Promise<LoadedConfig> {
  const file = findConfig(path);
  const options = file === undefined ? nothing() : checkConfig(file, await readConfig(file));
  return { path: file, options: options as LoadedConfig['options'] };
}

function nothing(): object {
  return Object.fromEntries(verbNames().map((verb) => [verb, {}]));
}
