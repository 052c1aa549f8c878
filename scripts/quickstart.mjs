// npm run quickstart: sets up the checkout, then runs examples/quickstart.ts on the data in examples/data.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root, runScript } from './lib/process.mjs';
import { setup } from './lib/setup.mjs';

await runScript(async () => {
  await setup();
  // The streams are inherited: the example redraws its progress bar on a terminal.
  const example = join(root, 'dist', 'examples', 'quickstart.js');
  const { status, signal } = spawnSync(process.execPath, [example, ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exitCode = signal ? 130 : (status ?? 1);
});
