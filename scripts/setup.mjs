// npm run build: makes the checkout ready to use, and takes over the types that the addons declare.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, StepError, say } from './lib/process.mjs';
import { setup } from './lib/setup.mjs';

try {
  await setup();
  for (const name of ['core', 'torch']) {
    copyFileSync(
      join(root, 'native', `${name}.d.ts`),
      join(root, 'ts', 'native', 'generated', `${name}.d.ts`),
    );
  }
  say('ready');
} catch (error) {
  if (!(error instanceof StepError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
