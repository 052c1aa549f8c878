// The reference of the TypeScript API, made by typedoc from the documentation comments.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, StepError } from '../process.mjs';

/** Writes the reference into `folder`. */
export async function writeApi(folder) {
  const options = {
    plugin: 'typedoc-plugin-markdown',
    entryPoints: join('ts', 'index.ts'),
    tsconfig: 'tsconfig.json',
    out: folder,
    readme: 'none',
    // Line numbers of the source would make the pages stale with every change.
    disableSources: 'true',
    excludeInternal: 'true',
    excludeExternals: 'true',
    hideGenerator: 'true',
    hideBreadcrumbs: 'true',
    hidePageHeader: 'true',
    entryFileName: 'README',
    // The alias of a verb's run; the pages show the types that it stands for.
    intentionallyNotExported: 'RunOf',
    logLevel: 'Warn',
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const typedoc = join('node_modules', 'typedoc', 'bin', 'typedoc');
  const { code, output } = await capture(process.execPath, [typedoc, ...args], { quiet: true });
  if (code !== 0) throw new StepError(`typedoc failed: ${output}`);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) shorten(join(entry.parentPath, entry.name));
  }
}

/** Replaces the list of all error codes, which typedoc writes for their type, by the name of the type. */
function shorten(path) {
  const text = readFileSync(path, 'utf8');
  const name = '[`ErrorCode`](../type-aliases/ErrorCode.md)';
  writeFileSync(path, text.replaceAll(/`"ERR_\w+"`( \\\| `"ERR_\w+"`){20,}/g, name));
}
