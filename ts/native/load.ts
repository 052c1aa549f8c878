import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { NnunetError } from '../errors.js';
import { packageRoot, packageVersion } from '../version.js';
import { glibcVersion, platformName, supportedPlatforms } from './platform.js';

const require = createRequire(import.meta.url);

export type AddonName = 'core' | 'torch';

/** An addon, as far as this module uses it. */
interface Addon {
  version?(): string;
}

/** Advice for a platform or C library without prebuilt addons. */
const BUILD =
  'To build nnunet-diag for this platform, clone its repository and run `npm run build` (README).';

/** Oldest glibc of torch's wheels, and so of the addon that is linked with them. */
const OLDEST_GLIBC = '2.28';

/**
 * The file of an addon: from `native/` in a checkout, else from the platform package.
 *
 * @throws NnunetError `ERR_PLATFORM`, `ERR_ADDON_MISSING`
 */
export function findAddon(name: AddonName): string {
  const local = join(packageRoot, 'native', `${name}.node`);
  if (existsSync(local)) return local;
  const platform = platformName();
  const supported = supportedPlatforms();
  if (!supported.includes(platform)) {
    throw new NnunetError(
      'ERR_PLATFORM',
      `nnunet-diag has no prebuilt addons for ${platform}; there are some for ${supported.join(', ')}. ${BUILD}`,
      { platform, supported },
    );
  }
  const file = resolve(`nnunet-diag-${platform}/${name}.node`);
  if (file !== undefined) return file;
  // The package is there, but this addon is not built for the platform.
  if (resolve(`nnunet-diag-${platform}/package.json`) !== undefined) {
    const reason = platform.endsWith('-musl') ? ', because PyTorch has no libraries for musl' : '';
    throw new NnunetError(
      'ERR_PLATFORM',
      `the package nnunet-diag-${platform} has no addon "${name}"${reason}. ` +
        'Training and prediction need another platform; all other commands work here.',
      { platform, addon: name },
    );
  }
  throw missing(name, platform, supported, local);
}

/** Advice to install the package of a platform. */
function install(platform: string): string {
  return `Run \`npm install nnunet-diag-${platform}@${packageVersion()}\``;
}

function missing(
  name: AddonName,
  platform: string,
  supported: readonly string[],
  local: string,
): NnunetError {
  const others = supported.filter((other) => resolve(`nnunet-diag-${other}/package.json`) !== undefined);
  const found =
    others.length > 0
      ? `Installed are the addons for ${others.join(', ')}: node_modules was made on another platform. `
      : 'npm leaves optional packages out with --omit=optional, or if the lock file was made on another platform. ';
  return new NnunetError(
    'ERR_ADDON_MISSING',
    `the package nnunet-diag-${platform} is not installed, so the addon "${name}" is missing. ${found}` +
      `${install(platform)}, or in a checkout \`npm run build\`.`,
    { addon: name, platform, package: `nnunet-diag-${platform}`, installed: others, tried: [local] },
  );
}

/** The file of a package, or undefined if it does not exist. */
function resolve(place: string): string | undefined {
  try {
    return require.resolve(place);
  } catch {
    return undefined;
  }
}

/**
 * Loads an addon.
 *
 * @throws NnunetError `ERR_PLATFORM`, `ERR_ADDON_MISSING`, `ERR_ADDON_VERSION`, `ERR_LIBC`, or `ERR_ADDON_BROKEN` with the
 * message of the loader
 */
export function loadAddon<T>(name: AddonName): T {
  const path = findAddon(name);
  let addon: Addon;
  try {
    addon = require(path) as Addon;
  } catch (error) {
    const loader = error instanceof Error ? error.message : String(error);
    throw libcProblem(name, path, loader, error) ?? broken(name, path, loader, error);
  }
  const found = addon.version?.() ?? 'an unknown version';
  const needed = packageVersion();
  if (found !== needed) {
    throw new NnunetError(
      'ERR_ADDON_VERSION',
      `the native addon "${name}" at ${path} is of version ${found}, but this nnunet-diag is ${needed}. ` +
        `${install(platformName())}, or in a checkout \`npm run build\`.`,
      { addon: name, path, found, needed },
    );
  }
  return addon as T;
}

function broken(name: AddonName, path: string, loader: string, cause: unknown): NnunetError {
  return new NnunetError(
    'ERR_ADDON_BROKEN',
    `the native addon "${name}" at ${path} does not load: ${loader}. The file is damaged or for another system. ` +
      `${install(platformName())} --force, or in a checkout \`npm run build\`.`,
    { addon: name, path, loader },
    cause,
  );
}

/** The error for an addon that was linked with another C library than the one of this process. */
function libcProblem(name: AddonName, path: string, loader: string, cause: unknown): NnunetError | undefined {
  const newer = /version [`'"]?GLIBC_([\d.]+)['"]? not found/.exec(loader)?.[1];
  const other =
    /libc\.musl-|ld-musl-|\blibc\.so: (invalid ELF header|cannot open)/.test(loader) ||
    /ld-linux-[\w-]+\.so/.test(loader);
  if (newer === undefined && !other) return undefined;
  const glibc = glibcVersion();
  const found = glibc === undefined ? 'musl' : `glibc ${glibc}`;
  const needed = newer === undefined ? (glibc === undefined ? 'glibc' : 'musl') : `glibc ${newer}`;
  const advice =
    newer === undefined
      ? `${install(platformName())} --force`
      : `Use a newer system (glibc ${OLDEST_GLIBC} or later, such as RHEL 8, Debian 10, Ubuntu 20.04). ${BUILD}`;
  return new NnunetError(
    'ERR_LIBC',
    `the native addon "${name}" at ${path} needs ${needed}; this system has ${found}. ${advice}`,
    { addon: name, path, found, needed, loader },
    cause,
  );
}
