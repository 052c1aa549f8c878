// The reference of the command line: one page a command, and their list.
import { allCommands } from './help.mjs';
import { describe, optionsOf, optionsType } from './schema.mjs';

/** Pages by path below docs/reference/cli. */
export async function commandPages() {
  const commands = await allCommands();
  const pages = new Map([['README.md', index(commands)]]);
  for (const command of commands) pages.set(fileOf(command), page(command));
  return pages;
}

const fileOf = ({ words }) => `${words.join('-')}.md`;
const titleOf = ({ words }) => `nnunet-diag ${words.join(' ')}`;

/** Flags that only the command line has, of a verb. */
function common({ options }, verb) {
  const known = Object.keys(optionsOf(verb)).map(kebab);
  return options.filter(({ term }) => !known.includes(longOf(term)));
}

function index(commands) {
  const verb = commands.find(({ words }) => optionsType(words[0]) !== undefined);
  return `# Command line

| command | what it does |
| --- | --- |
${commands.map((c) => `| [\`${c.words.join(' ')}\`](${fileOf(c)}) | ${c.summary} |`).join('\n')}

\`nnunet-diag --version\` prints the version. Every verb also has these flags:

${common(verb, verb.words[0])
  .map(({ term, text }) => `- \`${term}\`: ${text}`)
  .join('\n')}

## Slurm

${commands
  .filter(({ slurm }) => slurm.length > 0)
  .map(({ words }) => `\`${words.join(' ')}\``)
  .join(', ')} also run as jobs of a cluster ([how](../../how-to/clusters.md)):

${commands
  .find(({ slurm }) => slurm.length > 0)
  .slurm.map(({ term, text }) => `- \`${term}\`: ${text}`)
  .join('\n')}

How output, exit codes and signals work: [command line](../command-line.md).
`;
}

function page(command) {
  const [verb] = command.words;
  const isVerb = optionsType(verb) !== undefined;
  const section = ({ term, text }) =>
    `### \`${term}\`\n\n${isVerb ? verbText(verb, term, text) : sentence(text)}`;
  const sections = [`# ${titleOf(command)}`, sentence(command.summary), `\`\`\`\n${command.usage}\n\`\`\``];
  if (command.arguments.length > 0) sections.push('## Arguments', ...command.arguments.map(section));
  sections.push('## Options', ...command.options.map(section));
  if (command.slurm.length > 0) {
    sections.push('`--engine slurm` runs it on a cluster, with the [flags of Slurm](README.md#slurm).');
  }
  if (command.examples.length > 0) {
    const reason = 'the names stand for your own files';
    sections.push(`## Examples\n\n\`\`\`sh not-run="${reason}"\n${command.examples.join('\n')}\n\`\`\``);
  }
  if (isVerb) sections.push(inTypeScript(optionsType(verb)));
  return `${sections.join('\n\n')}\n`;
}

function verbText(verb, term, text) {
  const options = optionsOf(verb);
  const name = Object.keys(options).find((option) => kebab(option) === longOf(term));
  if (name === undefined) return sentence(text);
  const described = describe(name, options[name]);
  const negated = term.includes('--no-') ? `On by default; \`--no-${kebab(name)}\` turns it off.\n\n` : '';
  return negated + described;
}

/** `-f, --fold <value>` → `fold`; `--no-mirroring` → `mirroring`; `reference-dir` → `reference-dir`. */
function longOf(term) {
  const [, long] = /--(?:no-)?([a-z0-9-]+)/.exec(term) ?? [];
  return long ?? term.replace(/\.\.\.$/, '');
}

export function kebab(key) {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function inTypeScript(type) {
  const summary = type.replace(/Options$/, 'Summary');
  return `## In TypeScript

The options are [\`${type}\`](../api/interfaces/${type}.md). The result is \`${summary}\`. Both are in the
[API reference](../api/README.md).`;
}

/** A help text as a sentence. */
function sentence(text) {
  const first = `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
  return /[.)]$/.test(first) ? first : `${first}.`;
}
