// The package.json files: every version is the one of the main package.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLATFORMS, packageName } from './platforms.mjs';
import { root } from './process.mjs';

/** Reads a JSON file of the checkout. */
export function readJson(...path) {
  return JSON.parse(readFileSync(join(root, ...path), 'utf8'));
}

/** Every file with a version, with the content that it must have. */
export function manifests() {
  const main = readJson('package.json');
  const { version } = main;
  const optionalDependencies = Object.fromEntries(PLATFORMS.map((p) => [packageName(p), version]));
  const files = [
    ['package.json', json({ ...main, optionalDependencies })],
    ['Cargo.toml', cargo(version)],
  ];
  for (const platform of PLATFORMS) {
    const folder = `npm/${platform.name}`;
    files.push([`${folder}/package.json`, json(platformManifest(platform, main))]);
    files.push([`${folder}/README.md`, readme(platform)]);
  }
  return files.map(([path, content]) => ({ path, content }));
}

/** Paths of the files that differ from their expected content. */
export function staleManifests() {
  return manifests()
    .filter(({ path, content }) => read(path) !== content)
    .map(({ path }) => path);
}

/** Writes every file. */
export function writeManifests() {
  for (const { path, content } of manifests()) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

function read(path) {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function platformManifest(platform, { version, license, engines, repository }) {
  const { name, os, cpu, libc, addons } = platform;
  return {
    name: packageName(platform),
    version,
    description: `Native addons of nnunet-diag for ${name}`,
    license,
    ...(repository && { repository: { ...repository, directory: `npm/${name}` } }),
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    engines,
    files: [...addons.map((addon) => `${addon}.node`), 'THIRD-PARTY-NOTICES.md'],
    preferUnplugged: true,
  };
}

function readme(platform) {
  return `# ${packageName(platform)}

Native addons of \`nnunet-diag\` for ${platform.name}. npm installs this package
together with \`nnunet-diag\`. Do not install it alone.
`;
}

/** Cargo.toml with the version of the workspace. */
function cargo(version) {
  const text = readFileSync(join(root, 'Cargo.toml'), 'utf8');
  return text.replace(/(\[workspace\.package\]\nversion = ")[^"]+/, `$1${version}`);
}
