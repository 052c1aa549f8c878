/** The release check, in a copy of the checkout's manifests. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { packageRoot } from '../ts/version.js';

interface Manifest {
  readonly version: string;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const PARTS = ['package.json', 'Cargo.toml', 'npm', 'scripts', '.gitignore'];

/** A repository that can be released as its version. Returns its folder and a function that runs the check. */
function releasable(t: ExecutionContext) {
  const folder = mkdtempSync(join(tmpdir(), 'nnunet-release-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const part of PARTS) cpSync(join(packageRoot, part), join(folder, part), { recursive: true });
  const { version, optionalDependencies } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as Manifest;
  writeFileSync(join(folder, 'CHANGELOG.md'), `# Changelog\n\n## ${version} – 2026-01-31\n\nFirst.\n`);
  const git = (...args: string[]) => {
    const words = ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args];
    t.is(spawnSync('git', words, { cwd: folder }).status, 0, args.join(' '));
  };
  git('init', '-q');
  git('add', '-A');
  git('commit', '-q', '-m', 'x');
  const tarballs = join(folder, 'tarballs');
  for (const name of ['nnunet-diag', ...Object.keys(optionalDependencies)]) {
    const staged = join(tarballs, 'package');
    const files = ['core.node', 'torch.node', 'dist/ts/index.js', 'dist/ts/index.d.ts'];
    for (const file of files) {
      mkdirSync(join(staged, file, '..'), { recursive: true });
      writeFileSync(join(staged, file), '');
    }
    const tar = ['-czf', `${name}-${version}.tgz`, 'package'];
    t.is(spawnSync('tar', tar, { cwd: tarballs }).status, 0);
  }
  const check = (tag = `v${version}`) => {
    const words = [join(folder, 'scripts', 'release.mjs'), '--tag', tag, '--tarballs', tarballs];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', cwd: folder });
    return { status, text: stdout + stderr };
  };
  return { folder, tarballs, version, check };
}

test('a clean tree with its tag, changelog and every tarball can be released', (t) => {
  const { check, version } = releasable(t);
  const { status, text } = check();
  t.is(status, 0, text);
  t.true(text.includes(`v${version} is complete`), text);
});

test('each fault of a release is refused by name', (t) => {
  const faults: [string, (release: ReturnType<typeof releasable>) => string | undefined, RegExp][] = [
    [
      'dirty tree',
      ({ folder }) => void writeFileSync(join(folder, 'new.txt'), ''),
      /the tree is not clean: \?\? new\.txt/,
    ],
    ['other tag', () => 'v99.0.0', /the tag is v99\.0\.0, but package\.json has version/],
    [
      'missing platform',
      ({ tarballs, version }) =>
        rmSync(join(tarballs, `nnunet-diag-darwin-arm64-${version}.tgz`)) as undefined,
      /nnunet-diag-darwin-arm64-[\d.]+\.tgz is missing/,
    ],
    [
      'stale changelog',
      ({ folder }) => void writeFileSync(join(folder, 'CHANGELOG.md'), '# Changelog\n\n## Unreleased\n'),
      /CHANGELOG\.md: expected the first section .*, found "## Unreleased"/,
    ],
    [
      'other version of a package',
      ({ folder }) => {
        const file = join(folder, 'npm', 'win32-x64', 'package.json');
        writeFileSync(file, readFileSync(file, 'utf8').replace(/"version": "[^"]+"/, '"version": "9.9.9"'));
        return undefined;
      },
      /npm\/win32-x64\/package\.json is not of version/,
    ],
  ];
  for (const [name, spoil, expected] of faults) {
    const release = releasable(t);
    const { status, text } = release.check(spoil(release) ?? undefined);
    t.is(status, 1, name);
    t.regex(text, expected, name);
  }
});
