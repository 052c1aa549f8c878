import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NnunetError } from '../errors.js';

const require = createRequire(import.meta.url);

/** Root of this package: the folder with package.json, both in a checkout and when installed. */
export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** Name of this platform in the platform packages: `linux-x64-gnu`, `darwin-arm64`, … */
export function platformName(): string {
  const base = `${process.platform}-${process.arch}`;
  if (process.platform === 'linux') return `${base}-${isMusl() ? 'musl' : 'gnu'}`;
  return process.platform === 'win32' ? `${base}-msvc` : base;
}

function isMusl(): boolean {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime === undefined;
}

export type AddonName = 'core' | 'torch';

/** Advice for an addon that is missing or damaged. */
const ADVICE = 'Run `npm install --include=optional nnunet-diag`, or in a checkout `npm run build`.';

/**
 * The file of an addon: from `native/` in a checkout, else from the platform package.
 *
 * @throws NnunetError `ERR_ADDON_MISSING` with the locations tried
 */
export function findAddon(name: AddonName): string {
  const platform = platformName();
  const local = join(packageRoot, 'native', `${name}.${platform}.node`);
  if (existsSync(local)) return local;
  const place = `nnunet-diag-${platform}/${name}.node`;
  try {
    return require.resolve(place);
  } catch {
    const tried = [
      { place: local, found: 'no such file' },
      { place, found: 'package not installed' },
    ];
    throw new NnunetError(
      'ERR_ADDON_MISSING',
      `no native addon "${name}" for ${platform}. Tried: ${tried.map((t) => `${t.place} (${t.found})`).join('; ')}. ` +
        ADVICE,
      { addon: name, platform, tried },
    );
  }
}

/**
 * Loads an addon.
 *
 * @throws NnunetError `ERR_ADDON_MISSING`, or `ERR_ADDON_BROKEN` with the message of the loader
 */
export function loadAddon<T>(name: AddonName): T {
  const path = findAddon(name);
  try {
    return require(path) as T;
  } catch (error) {
    const loader = error instanceof Error ? error.message : String(error);
    throw new NnunetError(
      'ERR_ADDON_BROKEN',
      `the native addon "${name}" at ${path} does not load: ${loader}. ${ADVICE}`,
      { addon: name, path, loader },
      error,
    );
  }
}
