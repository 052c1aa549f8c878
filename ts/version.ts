import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of this package: the folder with package.json, both in a checkout and when installed. */
export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Version of this package, from its package.json. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;
}
