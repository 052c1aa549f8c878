// Writes the version of package.json into every other manifest. `npm version` calls it; `--check` only compares.

import { staleManifests, writeManifests } from './lib/manifests.mjs';
import { say } from './lib/process.mjs';

const stale = staleManifests();
if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    process.stderr.write(`stale: ${stale.join(', ')}. Run \`node scripts/version.mjs\`.\n`);
    process.exitCode = 1;
  }
} else {
  writeManifests();
  say(stale.length === 0 ? 'every manifest has the version' : `wrote ${stale.join(', ')}`);
}
