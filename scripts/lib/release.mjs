// What must hold before a version is published.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, staleManifests } from './manifests.mjs';
import { PLATFORMS, packageName } from './platforms.mjs';
import { capture, root } from './process.mjs';

/** Everything that is wrong, one line each; empty if the version can be published. */
export async function releaseProblems({ tag, tarballs }) {
  const { version } = readJson('package.json');
  return [
    ...(await treeProblems()),
    ...tagProblems(tag, version),
    ...staleManifests().map(
      (path) => `${path} is not of version ${version}: run \`node scripts/version.mjs\``,
    ),
    ...changelogProblems(version),
    ...(await tarballProblems(tarballs, version)),
  ];
}

async function treeProblems() {
  const { code, output } = await capture('git', ['status', '--porcelain'], { quiet: true });
  if (code !== 0) return [`git status failed: ${output.trim()}`];
  const changed = output.split('\n').filter(Boolean);
  return changed.map((line) => `the tree is not clean: ${line.trim()}`);
}

function tagProblems(tag, version) {
  if (tag === undefined) return ['no tag given: expected --tag v<version>'];
  return tag === `v${version}` ? [] : [`the tag is ${tag}, but package.json has version ${version}`];
}

/** The changelog has a dated section for the version, and nothing waits above it. */
function changelogProblems(version) {
  const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const [first = ''] = text.split(/^(?=## )/m).slice(1);
  const title = first.split('\n')[0];
  if (title.startsWith(`## ${version} – `) && /\d{4}-\d{2}-\d{2}$/.test(title)) return [];
  const found = title === '' ? 'no section' : `"${title}"`;
  return [`CHANGELOG.md: expected the first section "## ${version} – YYYY-MM-DD", found ${found}`];
}

async function tarballProblems(folder, version) {
  const wanted = [
    { name: 'nnunet-diag', files: ['dist/ts/index.js', 'dist/ts/index.d.ts'] },
    ...PLATFORMS.map((platform) => ({
      name: packageName(platform),
      files: platform.addons.map((addon) => `${addon}.node`),
    })),
  ];
  const found = [];
  for (const { name, files } of wanted) {
    const file = join(folder, `${name}-${version}.tgz`);
    if (!existsSync(file)) {
      found.push(`${file} is missing`);
      continue;
    }
    const { output } = await capture('tar', ['-tzf', file], { quiet: true });
    const members = output.split('\n');
    for (const wantedFile of files.filter((member) => !members.includes(`package/${member}`))) {
      found.push(`${file} has no ${wantedFile}`);
    }
  }
  return found;
}
