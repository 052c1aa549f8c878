// npm run pack [-- --light] [PLATFORM…]: builds the packages of the platforms and writes every tarball to tarballs/.
// Without names it builds all platforms that this machine can build. With --light only this machine's own package is
// optimised as a release is; the others compile in a fraction of the time.
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { problems } from './lib/binary.mjs';
import { buildAddon } from './lib/cross.mjs';
import { isHost, PLATFORMS, packageName } from './lib/platforms.mjs';
import { capture, root, runScript, StepError, say, Unavailable } from './lib/process.mjs';
import { setup } from './lib/setup.mjs';

const TARBALLS = join(root, 'tarballs');

/** Builds the addons of a platform into npm/PLATFORM and packs them. */
async function packPlatform(platform, light) {
  const profile = light && !isHost(platform) ? 'light' : 'dist';
  const folder = join(root, 'npm', platform.name);
  for (const addon of isHost(platform) ? platform.addons : platform.cross) {
    say(`${packageName(platform)}: ${addon}`);
    const built = await buildAddon(platform, addon, profile);
    const wrong = problems(built, platform);
    if (wrong.length > 0) throw new StepError(`${built}: ${wrong.join('; ')}`);
    copyFileSync(built, join(folder, `${addon}.node`));
    chmodSync(join(folder, `${addon}.node`), 0o755);
  }
  for (const file of ['LICENSE', 'THIRD-PARTY-NOTICES.md'])
    copyFileSync(join(root, file), join(folder, file));
  await pack(folder);
}

/** Packs a folder into tarballs/. */
async function pack(folder) {
  const { code, output } = await capture(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', TARBALLS],
    { cwd: folder, quiet: true },
  );
  if (code !== 0) throw new StepError(`npm pack failed in ${folder}: ${output}`);
  const [{ filename, size, unpackedSize }] = JSON.parse(output.slice(output.indexOf('[')));
  const megabytes = (bytes) => (bytes / 1e6).toFixed(2);
  say(`${filename}: ${megabytes(size)} MB, unpacked ${megabytes(unpackedSize)} MB`);
}

async function main(args) {
  const light = args.includes('--light');
  const names = args.filter((arg) => arg !== '--light');
  const unknown = names.filter((name) => !PLATFORMS.some((p) => p.name === name));
  if (unknown.length > 0) {
    const known = PLATFORMS.map((p) => p.name).join(', ');
    throw new StepError(`no platform ${unknown.join(', ')}; known are ${known}`);
  }
  // A file that an older version compiled must not be packed.
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  await setup();
  mkdirSync(TARBALLS, { recursive: true });
  if (names.length === 0) for (const old of readdirSync(TARBALLS)) rmSync(join(TARBALLS, old));
  await pack(root);
  const missing = [];
  for (const platform of PLATFORMS) {
    if (names.length > 0 && !names.includes(platform.name)) continue;
    try {
      await packPlatform(platform, light);
    } catch (error) {
      if (!(error instanceof Unavailable) || names.length > 0 || isHost(platform)) throw error;
      missing.push(`${platform.name}: ${error.message}`);
    }
  }
  for (const reason of missing) say(`not built here: ${reason}`);
  const total = readdirSync(TARBALLS).reduce((sum, file) => sum + statSync(join(TARBALLS, file)).size, 0);
  say(`${readdirSync(TARBALLS).length} tarballs, ${(total / 1e6).toFixed(1)} MB, in tarballs/`);
}

await runScript(() => main(process.argv.slice(2)));
