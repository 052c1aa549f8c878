import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NnunetError } from '../errors.js';

const require = createRequire(import.meta.url);

/** Root of this package: the folder that holds package.json, from source tree and installed package alike. */
export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** This machine, as the platform packages are named: `linux-x64-gnu`, `darwin-arm64`, … */
export function platformName(): string {
  const base = `${process.platform}-${process.arch}`;
  if (process.platform === 'linux') return `${base}-${isMusl() ? 'musl' : 'gnu'}`;
  return process.platform === 'win32' ? `${base}-msvc` : base;
}

function isMusl(): boolean {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime === undefined;
}

/**
 * Loads the addon `core` or `torch`: one built in this checkout, else the one of the platform package.
 *
 * @throws NnunetError `ERR_ADDON_MISSING` or `ERR_ADDON_BROKEN`, with the places tried and the loader's own words.
 */
export function loadAddon<T>(name: 'core' | 'torch'): T {
  const platform = platformName();
  const local = join(packageRoot, 'native', `${name}.${platform}.node`);
  const tried: { place: string; found: string }[] = [];
  if (existsSync(local)) {
    try {
      return require(local) as T;
    } catch (error) {
      throw broken(name, local, error);
    }
  }
  tried.push({ place: local, found: 'no such file' });
  const place = `nnunet-diag-${platform}/${name}.node`;
  let path: string;
  try {
    path = require.resolve(place);
  } catch {
    tried.push({ place, found: 'package not installed' });
    throw new NnunetError(
      'ERR_ADDON_MISSING',
      `no native addon "${name}" for ${platform}. Tried: ${tried.map((t) => `${t.place} (${t.found})`).join('; ')}. ` +
        'Run `npm install --include=optional nnunet-diag`, or in a checkout `npm run build`.',
      { addon: name, platform, tried },
    );
  }
  try {
    return require(path) as T;
  } catch (error) {
    throw broken(name, path, error);
  }
}

function broken(name: string, path: string, error: unknown): NnunetError {
  const words = error instanceof Error ? error.message : String(error);
  return new NnunetError(
    'ERR_ADDON_BROKEN',
    `the native addon "${name}" at ${path} does not load: ${words}`,
    { addon: name, path, loader: words },
    error,
  );
}
