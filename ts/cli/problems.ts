import type { NnunetError } from '../errors.js';
import { type Flags, isNegated } from './flags.js';
import { kebab } from './schema.js';

/** A problem of an option in the details of `ERR_OPTIONS`. */
interface Problem {
  readonly option: string;
  readonly problem: string;
}

/** An error as text. Problems of options name the flag: `--epochs: expected a whole number, got "x"`. */
export function wording(error: NnunetError, flags?: Flags): string {
  const { problems } = error.details as { problems?: readonly Problem[] };
  if (error.code !== 'ERR_OPTIONS' || problems === undefined) return `${error.code}: ${error.message}`;
  return problems.map(({ option, problem }) => `${nameOf(option, flags)}${problem}`).join('\n');
}

function nameOf(option: string, flags: Flags | undefined): string {
  if (option === '') return '';
  const [name = '', ...inner] = option.split('.');
  const field = flags?.fields.find((f) => f.name === name);
  if (field === undefined) return `${option}: `;
  const flag = flags?.positional.includes(name)
    ? `<${kebab(name)}>`
    : `--${isNegated(field) ? 'no-' : ''}${kebab(name)}`;
  if (inner.length === 0) return `${flag}: `;
  const index = Number(inner[0]);
  return Number.isInteger(index) ? `${flag}: value ${index + 1}: ` : `${flag}: ${inner.join('.')}: `;
}
