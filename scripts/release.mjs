// node scripts/release.mjs --tag vX.Y.Z [--publish] [--tarballs DIR]: refuses a release that is not complete; with
// --publish, publishes the platform packages, then the main package. The workflow `release` calls it.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readJson } from './lib/manifests.mjs';
import { PLATFORMS, packageName } from './lib/platforms.mjs';
import { root, run, StepError, say } from './lib/process.mjs';
import { releaseProblems } from './lib/release.mjs';

try {
  const { values } = parseArgs({
    options: {
      tag: { type: 'string' },
      publish: { type: 'boolean', default: false },
      tarballs: { type: 'string', default: join(root, 'tarballs') },
    },
  });
  const problems = await releaseProblems(values);
  if (problems.length > 0) throw new StepError(`not released:\n${problems.map((p) => `- ${p}`).join('\n')}`);
  const { version } = readJson('package.json');
  say(`${values.tag} is complete`);
  if (values.publish) {
    // The main package names the others, so it comes last.
    for (const name of [...PLATFORMS.map(packageName), 'nnunet-diag']) {
      const file = join(values.tarballs, `${name}-${version}.tgz`);
      await run('npm', ['publish', file, '--provenance', '--access', 'public', '--ignore-scripts']);
    }
  }
} catch (error) {
  if (!(error instanceof StepError) && !String(error?.code).startsWith('ERR_PARSE_ARGS')) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
