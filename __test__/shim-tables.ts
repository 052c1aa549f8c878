/** The sections of docs/how-to/from-nnunet.md, made from the tables of the commands. */

import { kebab } from '../ts/cli/schema.js';
import { hereOf } from '../ts/shims/help.js';
import { SHIMS } from '../ts/shims/list.js';
import type { Shim, ShimArgument } from '../ts/shims/table.js';

/** Sections of the page, one a command. */
export function shimSections(): string[] {
  return SHIMS.map(section);
}

function section({ name, verb, args, notes = [] }: Shim): string {
  const head = `### \`${name}\`\n`;
  if (typeof verb !== 'string') return `${head}\nThere is no verb yet: ${verb.missing}.\n`;
  const own = args.filter((one) => !one.own);
  const list = (items: readonly string[]): string => items.map((item) => wrap(`- ${item}`)).join('\n');
  const parts = [head, `It runs \`nnunet-diag ${kebab(verb)}\`.\n`, `${list(own.map(item))}\n`];
  if (notes.length > 0) parts.push('Differences:\n', `${list(notes)}\n`);
  return parts.join('\n');
}

function item(one: ShimArgument): string {
  const names = one.names.map((name) => `\`${name}\``).join(', ');
  const choices = one.choices === undefined ? '' : `: ${one.choices.join(', ')}`;
  // Names of options are code.
  const here = 'option' in one.here ? hereOf(one).replace(/^\w+/, '`$&`') : hereOf(one);
  return `${names}: ${one.meaning}${choices} → ${here}`;
}

/** Breaks an item of a list into lines. */
function wrap(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > 110) {
      lines.push(line);
      line = `  ${word}`;
    } else {
      line += line === '' ? word : ` ${word}`;
    }
  }
  return [...lines, line].join('\n');
}
