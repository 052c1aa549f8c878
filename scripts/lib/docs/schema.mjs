// Types, ranges, values and defaults of options, as text, from ts/generated/schema.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../process.mjs';

const schema = JSON.parse(readFileSync(join(root, 'ts', 'generated', 'schema.json'), 'utf8'));

/**
 * `previewBatches` and `loadModel` return arrays and a model, so only TypeScript has them. The options of `slurm` are
 * flags of the verbs that Slurm can run; `--dry-run` shows what `estimateMemory` returns.
 */
const TYPESCRIPT = ['previewBatches', 'loadModel', 'slurm', 'estimateMemory'];

/** The verbs of the command line. */
export const VERBS = Object.keys(schema.properties).filter((verb) => !TYPESCRIPT.includes(verb));

/** Name of the option type of a verb or its command, such as `TrainOptions`; `undefined` for other commands. */
export function optionsType(verb) {
  const name = verb.replace(/-[a-z]/g, ([, letter]) => letter.toUpperCase());
  return schema.properties[name]?.$ref.replace('#/$defs/', '');
}

/** The options of a verb by name. */
export function optionsOf(verb) {
  return schema.$defs[optionsType(verb)].properties;
}

/** Documentation and facts of an option as Markdown. */
export function describe(name, option) {
  const type = plain(option);
  const element = type.type === 'array' ? plain(type.items ?? {}) : type;
  const facts = [`In TypeScript: \`${name}\``];
  const initial = option.default;
  if (![undefined, null, '', false].includes(initial))
    facts.push(`Default: \`${JSON.stringify(initial).replace(/^"(.*)"$/, '$1')}\``);
  const range = rangeOf({ ...type, ...option });
  if (range !== '') facts.push(`Range: ${range}`);
  if (element.properties !== undefined) facts.push(`Type: [\`${element.name}\`](${api(element.name)})`);
  const text = option.description
    .replaceAll('\n\n', '\u0000')
    .replaceAll('\n', ' ')
    .replaceAll('\u0000', '\n\n');
  return [text, ...valuesOf(element), `${facts.join('. ')}.`].join('\n\n');
}

function api(name) {
  return `../api/interfaces/${name}.md`;
}

function valuesOf(type) {
  const values = (type.oneOf ?? []).filter((one) => typeof one.const === 'string');
  const line = ({ const: value, description = '' }) =>
    `- \`${value}\`${description === '' ? '' : `: ${description.replaceAll('\n', ' ')}`}`;
  return values.length === 0 ? [] : [values.map(line).join('\n')];
}

/** A type without references and without null. */
function plain(type) {
  const name = type.$ref?.replace('#/$defs/', '');
  if (name !== undefined) return { name, ...plain(schema.$defs[name]) };
  const alternatives = (type.oneOf ?? type.anyOf)?.filter((one) => one.type !== 'null');
  if (alternatives?.length === 1) return plain(alternatives[0]);
  const types = [type.type].flat().filter((one) => one !== 'null');
  return { ...type, type: types.length === 1 ? types[0] : types };
}

function rangeOf({ minimum, exclusiveMinimum, maximum, minItems, maxItems }) {
  const bounds = [
    [exclusiveMinimum, (n) => `above ${n}`],
    // Every count is at least 0.
    [minimum === 0 ? undefined : minimum, (n) => `at least ${n}`],
    [maximum !== undefined && maximum < 4_294_967_295 ? maximum : undefined, (n) => `at most ${n}`],
    [minItems, (n) => `at least ${n} ${n === 1 ? 'value' : 'values'}`],
    [maxItems, (n) => `at most ${n} values`],
  ];
  return bounds
    .filter(([bound]) => bound !== undefined)
    .map(([bound, words]) => words(bound))
    .join(', ');
}
