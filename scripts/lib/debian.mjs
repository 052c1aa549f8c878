// Files of Debian's packages, without installing them.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers, capture, root, run, StepError, Unavailable } from './process.mjs';

/** Unpacks packages into a folder of the cache; returns the folder. */
export async function unpackDebian(name, packages) {
  const folder = join(root, '.cache', 'cross', name);
  if (existsSync(join(folder, 'complete'))) return folder;
  if (!answers('apt-get', ['--version'])) {
    throw new Unavailable(`${packages.join(', ')} are needed; this is not Debian or Ubuntu`);
  }
  mkdirSync(folder, { recursive: true });
  const { code, output } = await capture('apt-get', ['download', '-qq', ...packages], {
    cwd: folder,
    quiet: true,
  });
  if (code !== 0) {
    throw new StepError(`apt-get can't download ${packages.join(', ')}; run apt-get update.\n${output}`);
  }
  await run('sh', ['-c', 'for file in *.deb; do dpkg -x "$file" .; done'], { cwd: folder });
  writeFileSync(join(folder, 'complete'), '');
  return folder;
}
