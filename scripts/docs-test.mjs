// Runs every command of the documentation. Usage: node scripts/docs-test.mjs [PAGE…]. The output is TAP.
//
// - A `sh` block is run by bash. All blocks of a page run in one shell, in order, in a new workspace after the
//   block `sh setup` of docs/README.md. `<!-- continues: PAGE -->` starts with a copy of that page's workspace.
// - A `ts` block is type-checked strictly and run at its place.
// - `exit="1"` after `sh` is the exit code of the last command of the block; the default is 0.
// - `not-run="REASON"` after the language says why a block is not run. Its commands and flags must exist all
//   the same.
// - A `json` block must be JSON. Links to files must exist.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kebab } from './lib/docs/commands.mjs';
import { allPages, deadLinks, isRun, warningCodes } from './lib/docs/pages.mjs';
import { VERBS } from './lib/docs/schema.mjs';
import { compileBlocks } from './lib/docs/scripts.mjs';
import { commandLines, problemOf } from './lib/docs/usage.mjs';
import { makeCommands, runPage, workspaceOf } from './lib/docs/workspace.mjs';
import { Tap } from './lib/tap.mjs';

const tap = new Tap();

/** Checks what needs no run: links, JSON, and the command lines of blocks that are not run. */
async function check(page) {
  tap.report(`${page.path}: links`, deadLinks(page).join('\n'));
  for (const block of page.blocks) {
    const name = `${page.path}:${block.line}`;
    if (block.language === 'json') tap.report(`${name} is JSON`, jsonProblem(block.code));
    if (block.reason === undefined) continue;
    const problems = block.reason === '' ? ['not-run needs a reason'] : [];
    const lines = block.language === 'sh' ? commandLines(block.code) : [];
    for (const words of lines) {
      const problem = await problemOf(words);
      if (problem !== undefined) problems.push(`nnunet-diag ${words.join(' ')}: ${problem}`);
    }
    tap.report(`${name} has valid commands`, problems.join('\n'));
  }
}

/** Checks that pages and examples cover what exists: every verb has an example, every warning its meaning. */
function checkCoverage() {
  const text = (path) => pages.find((page) => page.path === path).text;
  const examples = text('examples/README.md');
  const without = VERBS.filter((verb) => !examples.includes(`dist/examples/${kebab(verb)}.js`));
  tap.report('examples/README.md runs an example of every verb', without.join('\n'));
  const explained = new Set(text('docs/reference/warnings.md').match(/WARN_\w+/g));
  const given = warningCodes();
  const wrong = [...given, ...explained].filter((code) => !given.has(code) || !explained.has(code));
  tap.report('docs/reference/warnings.md explains every warning', [...new Set(wrong)].join('\n'));
}

function jsonProblem(code) {
  try {
    JSON.parse(code);
    return '';
  } catch (error) {
    return error.message;
  }
}

/** Runs a page; each block is a test. */
async function run(page, context) {
  const blocks = page.blocks.filter(isRun);
  if (blocks.length === 0) return;
  const { finished, output } = await runPage(page, context);
  let began = 0;
  for (const { line, language } of blocks) {
    const ended = finished.get(line);
    const first = ended === undefined && began !== undefined;
    const problem = first ? output.slice(-4000) || 'no output' : 'not reached';
    const time = ended === undefined ? '' : ` (${ended - began} s)`;
    tap.report(`${page.path}:${line} ${language} block runs${time}`, ended === undefined ? problem : '');
    began = ended;
  }
}

/** The pages with the pages that they continue, those first. */
function inOrder(pages, wanted) {
  const order = [];
  const add = (page) => {
    if (order.includes(page)) return;
    const parent = pages.find(({ path }) => path === page.continues);
    if (page.continues !== undefined && parent === undefined)
      throw new Error(`${page.path} continues ${page.continues}, which is not a page`);
    if (parent !== undefined) add(parent);
    order.push(page);
  };
  wanted.forEach(add);
  return order;
}

const pages = allPages();
const names = process.argv.slice(2);
const wanted = names.length === 0 ? pages : pages.filter(({ path }) => names.includes(path));
const setup = pages.flatMap(({ blocks }) => blocks).find(({ info }) => info === 'setup');
const folder = mkdtempSync(join(tmpdir(), 'nnunet-diag-docs-'));
for (const variable of ['nnUNet_raw_data_base', 'nnUNet_preprocessed', 'RESULTS_FOLDER'])
  delete process.env[variable];
try {
  const context = { folder, bin: makeCommands(folder), setup };
  const order = inOrder(pages, wanted);
  tap.report('TypeScript blocks have no type error', await compileBlocks(order, folder));
  for (const page of wanted) await check(page);
  checkCoverage();
  for (const [index, page] of order.entries()) {
    await run(page, context);
    const needed = order.slice(index + 1).some(({ continues }) => continues === page.path);
    if (!needed) rmSync(workspaceOf(folder, page.path), { recursive: true, force: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
tap.finish();
