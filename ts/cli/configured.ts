import type { Command } from 'commander';
import type { NnunetError } from '../errors.js';
import type { VerbName } from '../generated/verbs.js';

/** What a configuration file adds to a command. */
export interface Configured {
  /** The file; `undefined` if there is none, or with `--no-config`. */
  readonly path: string | undefined;
  /** The file's options of a verb. */
  defaults(verb: VerbName): Readonly<Record<string, unknown>>;
  /** An error of an option that is in the file, and not in `given`, becomes one of the file. */
  explain(error: NnunetError, verb: VerbName, given: object): NnunetError;
}

/** Adds the flags that choose a configuration file. */
export function addConfigFlags(command: Command): void {
  command.option(
    '--config <file>',
    'use this configuration file instead of the nearest nnunet-diag.config.*',
  );
  command.option('--no-config', 'use no configuration file');
}

/**
 * Reads the configuration file of a command.
 *
 * @param config - the value of `--config`; false for `--no-config`
 * @throws NnunetError as `loadConfig`
 */
export async function configured(config: string | false | undefined): Promise<Configured> {
  if (config === false) return { path: undefined, defaults: () => ({}), explain: (error) => error };
  const [{ loadConfig }, { blame }] = await Promise.all([
    import('../config.js'),
    import('../config/check.js'),
  ]);
  const { path, options } = await loadConfig(config);
  const defaults = (verb: VerbName): Readonly<Record<string, unknown>> => options[verb];
  const explain = (error: NnunetError, verb: VerbName, given: object): NnunetError => {
    if (path === undefined) return error;
    const own = (option: string) => Object.hasOwn(defaults(verb), option) && !Object.hasOwn(given, option);
    return blame(error, path, (option) => (own(option) ? `${verb}.` : undefined));
  };
  return { path, defaults, explain };
}
