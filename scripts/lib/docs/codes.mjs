// The reference of error codes and events, from the types that Rust generates.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { root } from '../process.mjs';

/** The page of every error code. */
export async function errorsPage() {
  const module = pathToFileURL(join(root, 'dist', 'ts', 'generated', 'codes.js')).href;
  const { ERROR_CODES } = await import(module);
  const rows = Object.entries(ERROR_CODES).map(([code, text]) => `| \`${code}\` | ${cell(text)} |`);
  return `# Error codes

Every error is an [\`NnunetError\`](api/classes/NnunetError.md). Its \`code\` is one of these; a released code
never changes its meaning. Its \`message\` says what was found, what was expected, where, and what to do. Its
\`details\` have the same facts for programs. \`ERROR_CODES\` has this table in TypeScript.

| code | what happened, and what to do |
| --- | --- |
${rows.join('\n')}
`;
}

/** All events together, and those of the options of Slurm, which are no verb. */
const NO_RUN = ['VerbEvent', 'SlurmEvent'];

/** The page of every event. */
export function eventsPage() {
  const path = join(root, 'ts', 'generated', 'events.ts');
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2022, true);
  const events = source.statements.filter((s) => ts.isInterfaceDeclaration(s)).map(eventOf);
  const verbs = source.statements.filter(
    (s) => ts.isTypeAliasDeclaration(s) && !NO_RUN.includes(s.name.text),
  );
  return `# Events

A run is an async iterator of these objects; \`type\` tells them apart. \`--json\` writes the same objects as
[JSON lines](json.md). A slow reader misses \`progress\` and \`iteration\` events, never another one. What each
warning means: [warnings](warnings.md).

${events.map(eventText).join('\n\n')}

## Events of each verb

| verb | events |
| --- | --- |
${verbs.map((verb) => verbRow(verb, events)).join('\n')}
`;
}

function eventOf(declaration) {
  const members = declaration.members.map((member) => ({
    name: member.name.getText(),
    type: member.type.getText(),
    text: documentation(member),
  }));
  const type = members.find(({ name }) => name === 'type').type.replaceAll("'", '');
  return { name: declaration.name.text, type, text: documentation(declaration), members };
}

function eventText({ type, text, members }) {
  const fields = members.filter(({ name }) => name !== 'type');
  return `## \`${type}\`

${text}

| field | type | meaning |
| --- | --- | --- |
${fields.map((f) => `| \`${f.name}\` | \`${cell(f.type)}\` | ${cell(f.text)} |`).join('\n')}`;
}

function verbRow(alias, events) {
  const [, verb = ''] = /verb `(\w+)`/.exec(documentation(alias)) ?? [];
  const names = alias.type
    .getText()
    .split('|')
    .map((name) => name.trim());
  const types = names.map((name) => `\`${events.find((event) => event.name === name).type}\``);
  return `| \`${verb}\` | ${types.join(', ')} |`;
}

function documentation(node) {
  return ts
    .getJSDocCommentsAndTags(node)
    .map((doc) => ts.getTextOfJSDocComment(doc.comment) ?? '')
    .join(' ')
    .replace(/\s+/g, ' ');
}

/** Text that does not end a cell of a table. */
function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
