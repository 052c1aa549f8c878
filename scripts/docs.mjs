// npm run docs: writes the generated part of docs/reference. With --check, it fails if a committed file is
// stale.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { writeApi } from './lib/docs/api.mjs';
import { errorsPage, eventsPage } from './lib/docs/codes.mjs';
import { commandPages } from './lib/docs/commands.mjs';
import { root, runScript } from './lib/process.mjs';

const reference = join(root, 'docs', 'reference');
/** Everything below these entries of docs/reference is generated. */
const GENERATED = ['api', 'cli', 'errors.md', 'events.md'];

/** Writes every generated page into `folder`. */
async function write(folder) {
  const pages = new Map([
    ['errors.md', await errorsPage()],
    ['events.md', eventsPage()],
  ]);
  for (const [path, text] of await commandPages()) pages.set(join('cli', path), text);
  for (const [path, text] of pages) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  await writeApi(join(folder, 'api'));
}

/** The files of the generated entries of a folder, with their texts. */
function read(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((path) => GENERATED.some((name) => path === name || path.startsWith(`${name}/`)));
  return new Map(files.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

/** The paths whose texts differ, or that are in one folder only. */
async function stale() {
  const fresh = mkdtempSync(join(tmpdir(), 'nnunet-diag-docs-'));
  await write(fresh);
  const [committed, made] = [read(reference), read(fresh)];
  rmSync(fresh, { recursive: true });
  const paths = [...new Set([...committed.keys(), ...made.keys()])];
  return paths.filter((path) => committed.get(path) !== made.get(path)).sort();
}

await runScript(async () => {
  if (process.argv.includes('--check')) {
    const paths = await stale();
    for (const path of paths)
      process.stdout.write(`docs/reference/${path} is stale or not generated: run npm run docs\n`);
    process.exitCode = paths.length > 0 ? 1 : 0;
  } else {
    for (const name of GENERATED) rmSync(join(reference, name), { recursive: true, force: true });
    await write(reference);
  }
});
