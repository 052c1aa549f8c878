// Reads the help texts of nnunet-diag. They are what a user sees, so the reference is made from them.
import { join } from 'node:path';
import { capture, root, StepError } from '../process.mjs';

const cli = join(root, 'dist', 'ts', 'cli', 'main.js');

/** Help of a command: its summary, usage, and entries of each section. */
async function helpOf(words) {
  const { code, output } = await capture(process.execPath, [cli, ...words, '--help'], { quiet: true });
  if (code !== 0) throw new StepError(`nnunet-diag ${words.join(' ')} --help failed: ${output}`);
  const [usage = '', summary = '', ...sections] = output.split('\n\n');
  const help = { words, usage: oneLine(usage).replace(/^Usage: /, ''), summary: oneLine(summary) };
  const entries = { arguments: [], options: [], slurm: [], commands: [], examples: [] };
  for (const section of sections) {
    const [title = '', ...lines] = section.trim().split('\n');
    const name = title.replace(/:$/, '').toLowerCase();
    if (name === 'examples') entries.examples = lines.map((line) => line.trim());
    else if (name in entries) entries[name] = entriesOf(lines);
  }
  return { ...help, ...entries };
}

/** The help of every command and of commands inside commands, in the order of the help. */
export async function allCommands(words = []) {
  const own = await helpOf(words);
  const inner = [];
  for (const { term } of own.commands) {
    const [name = ''] = term.split(' ');
    if (name !== 'help') inner.push(...(await allCommands([...words, name])));
  }
  return own.commands.length > 0 ? inner : [own];
}

/** Terms with their texts. A text continues on lines that begin with more than two blanks. */
function entriesOf(lines) {
  const entries = [];
  for (const line of lines) {
    const [, term = '', text = ''] = /^ {2}(\S.*?)(?: {2,}(.*))?$/.exec(line) ?? [];
    if (term !== '') entries.push({ term, text });
    else if (entries.length > 0) entries.at(-1).text += ` ${line.trim()}`;
  }
  return entries;
}

function oneLine(text) {
  return text.replace(/\s+/g, ' ').trim();
}
