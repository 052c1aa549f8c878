/** The tables of docs/how-to/from-nnunet.md, made from the tables of the commands. */
import { hereOf } from '../ts/shims/help.js';
import { SHIMS } from '../ts/shims/list.js';
import type { Shim, ShimArgument } from '../ts/shims/table.js';

/** Sections of the page, one a command. */
export function shimSections(): string[] {
  return SHIMS.map(section);
}

function section(shim: Shim): string {
  const { name, verb, args, notes = [] } = shim;
  const head = `### \`${name}\``;
  if (typeof verb !== 'string') return `${head}\n\nThere is no verb yet: ${verb.missing}.\n`;
  const own = args.filter((one) => !one.own);
  const rows = own.map((one) => `| ${cell(one)} | ${one.meaning}${choices(one)} | ${hereCell(one)} |`);
  return [
    head,
    '',
    `It runs \`nnunet-diag ${verb}\`.`,
    '',
    '| argument | in nnU-Net v1 | here |',
    '| --- | --- | --- |',
    ...rows,
    ...(notes.length > 0 ? ['', ...notes.map((note) => `- ${note}`)] : []),
    '',
  ].join('\n');
}

const cell = ({ names }: ShimArgument): string => names.map((name) => `\`${name}\``).join(', ');

const choices = ({ choices: list }: ShimArgument): string =>
  list === undefined ? '' : `: ${list.join(', ')}`;

/** Names of options are code. */
const hereCell = (one: ShimArgument): string =>
  'option' in one.here ? hereOf(one).replace(/^\w+/, '`$&`') : hereOf(one);
