// Checks the command lines of blocks that cannot be run here: their commands and flags must exist.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../process.mjs';
import { allCommands } from './help.mjs';
import { optionsType } from './schema.mjs';

const OPERATORS = new Set(['|', '||', '&', '&&', ';', '>', '>>', '2>', '<']);
/** Words before `nnunet-diag` where it is the name of the package or of a folder. */
const NAMED = new Set(['cd', 'i', 'install', 'link']);

/** The argument lists of nnunet-diag in shell code. Variables become 0: a valid name, fold and number. */
export function commandLines(code) {
  return code.replaceAll('\\\n', ' ').split('\n').flatMap(argumentLists);
}

function argumentLists(line) {
  const words = wordsOf(line);
  return words.flatMap((word, index) => {
    if (word !== 'nnunet-diag' || NAMED.has(words[index - 1])) return [];
    const rest = words.slice(index + 1);
    const end = rest.findIndex((next) => OPERATORS.has(next));
    const given = end < 0 ? rest : rest.slice(0, end);
    // Without arguments it is the name of a folder, as after `git clone`.
    return given.length === 0 ? [] : [given];
  });
}

/** Words of a line without its comment, quotes removed. */
function wordsOf(line) {
  const words = line.match(/#.*$|(?:'[^']*'|"[^"]*"|\\.|[^\s'"#])+/g) ?? [];
  return words
    .filter((word) => !word.startsWith('#'))
    .map((word) => word.replaceAll(/['"]/g, (_, at) => (inside(word, at) ? _ : '')))
    .map((word) => word.replaceAll(/\$\{?\w+\}?|\$\([^)]*\)/g, '0'));
}

/** Whether the quote at a position is inside quotes of the other kind. */
function inside(word, at) {
  let open = '';
  for (const letter of word.slice(0, at)) {
    if (letter === open) open = '';
    else if (open === '' && /['"]/.test(letter)) open = letter;
  }
  return open !== '' && open !== word[at];
}

/** Why a command line is wrong; `undefined` if it is right. */
export async function problemOf(words) {
  return optionsType(words[0]) === undefined ? unknownWord(words) : wrongUsage(words);
}

let commands;

/** The first word that is no command, else the first flag that the command lacks. */
async function unknownWord(words) {
  if (words[0] === '--version') return undefined;
  commands ??= await allCommands();
  const command = commands.find((one) => one.words.every((word, index) => words[index] === word));
  if (command === undefined) return 'no such command';
  const known = command.options.flatMap(({ term }) => term.split(/[ ,]+/));
  return words.find((word) => word.startsWith('-') && !known.includes(word));
}

/** Runs the verb where no task exists. Wrong usage is found before that. */
async function wrongUsage(words) {
  const { main } = await import(pathToFileURL(join(root, 'dist', 'ts', 'cli', 'program.js')).href);
  const before = process.cwd();
  const empty = mkdtempSync(join(tmpdir(), 'nnunet-diag-usage-'));
  let text = '';
  const write = (chunk) => {
    text += chunk;
    return true;
  };
  try {
    process.chdir(empty);
    const code = await main(words, { out: { write }, err: { write } });
    return code === 2 ? text.trim() : undefined;
  } finally {
    process.chdir(before);
    rmSync(empty, { recursive: true });
  }
}
