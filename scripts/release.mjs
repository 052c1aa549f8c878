// node scripts/release.mjs --tag vX.Y.Z [--publish] [--tarballs DIR]: refuses a release that is not complete; with
// --publish, publishes the platform packages, then the main package. The workflow `release` calls it.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readJson } from './lib/manifests.mjs';
import { PLATFORMS, packageName } from './lib/platforms.mjs';
import { root, run, runScript, StepError, say } from './lib/process.mjs';
import { releaseProblems } from './lib/release.mjs';

/** The values of the command line. */
function options() {
  try {
    return parseArgs({
      options: {
        tag: { type: 'string' },
        publish: { type: 'boolean', default: false },
        tarballs: { type: 'string', default: join(root, 'tarballs') },
      },
    }).values;
  } catch (error) {
    throw new StepError(error.message);
  }
}

await runScript(async () => {
  const { tag, publish, tarballs } = options();
  const problems = await releaseProblems({ tag, tarballs });
  if (problems.length > 0) throw new StepError(`not released:\n${problems.map((p) => `- ${p}`).join('\n')}`);
  const { version } = readJson('package.json');
  say(`${tag} is complete`);
  if (!publish) return;
  // The main package names the others, so it comes last.
  for (const name of [...PLATFORMS.map(packageName), 'nnunet-diag']) {
    const file = join(tarballs, `${name}-${version}.tgz`);
    await run('npm', ['publish', file, '--provenance', '--access', 'public', '--ignore-scripts']);
  }
});
