import type { Argument } from './argparse.js';
import type { Shim, ShimArgument } from './table.js';

const WIDTH = 100;
const INDENT = '      ';

/** `usage: nnUNet_train [-c] network …`. */
export function usageOf(shim: Shim): string {
  const own = shim.args.filter((one) => !one.own);
  const flags = own.filter((one) => one.names[0]?.startsWith('-')).map((one) => wordsOf(one));
  const positions = own.filter((one) => !one.names[0]?.startsWith('-')).map(({ names }) => names[0]);
  return wrap(`usage: ${shim.name} [-h] ${[...flags, ...positions].join(' ')}`, '  ');
}

function wordsOf({ names: [name = ''], values, required }: Argument): string {
  const words = values === 0 ? name : `${name} ${placeholder(name, values)}`;
  return required ? words : `[${words}]`;
}

function placeholder(name: string, values: Argument['values']): string {
  const word = name.replace(/^-+/, '').toUpperCase();
  return values === '+' ? `${word} …` : values === '*' ? `[${word} …]` : word;
}

/** The help of a command: flags of nnU-Net v1, and what they are here. */
export function helpOf(shim: Shim): string {
  const verb =
    typeof shim.verb === 'string'
      ? `Runs nnunet-diag ${shim.verb}.`
      : `nnunet-diag has no counterpart yet: ${shim.verb.missing}.`;
  const listed = (own: boolean) =>
    shim.args
      .filter((one) => (one.own === true) === own)
      .flatMap((one) => [`  ${signature(one)}`, ...describe(one)]);
  const more = listed(true);
  const notes = (shim.notes ?? []).map((note) => wrap(`- ${note}`, '  '));
  return [
    usageOf(shim),
    '',
    wrap(`nnU-Net v1’s command to ${shim.summary}. ${verb}`, ''),
    '',
    'Arguments of nnU-Net v1, and what they are here:',
    ...listed(false),
    ...(more.length > 0 ? ['', 'Arguments that nnU-Net v1 does not have:', ...more] : []),
    ...(notes.length > 0 ? ['', ...notes] : []),
    '',
  ].join('\n');
}

function signature({ names, values }: Argument): string {
  const last = names.at(-1) ?? '';
  if (!last.startsWith('-')) return last;
  return values === 0 ? names.join(', ') : `${names.join(', ')} ${placeholder(last, values)}`;
}

function describe(argument: ShimArgument): string[] {
  const choices = argument.choices === undefined ? '' : `: ${argument.choices.join(', ')}`;
  return [
    wrap(`${INDENT}${argument.meaning}${choices}`, INDENT),
    wrap(`${INDENT}→ ${hereOf(argument)}`, `${INDENT}  `),
  ];
}

/** What an argument of nnU-Net v1 is here, as text. */
export function hereOf({ here, values }: ShimArgument): string {
  if ('refused' in here) {
    const except = here.unless === undefined ? '' : ` (accepted: ${here.unless.join(', ')})`;
    return `refused${except}: ${here.refused}`;
  }
  if ('accepted' in here) return `changes nothing: ${here.accepted}`;
  if ('used' in here) return here.used;
  if ('output' in here) return here.output;
  const note = here.note ?? (values === 0 && here.value !== undefined ? String(here.value(true)) : undefined);
  return note === undefined ? here.option : `${here.option}: ${note}`;
}

/** Breaks a text into lines; all but the first begin with `indent`. */
function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  const start = /^ */.exec(text)?.[0] ?? '';
  let line = start;
  for (const word of text.trim().split(/ (?![^[]*\])/)) {
    const blank = line.trim() === '' ? '' : ' ';
    if (blank !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else {
      line += blank + word;
    }
  }
  return [...lines, line].join('\n');
}
