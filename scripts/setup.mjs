// npm run build: sets up the checkout and writes the committed files that are generated from Rust.
import { StepError, say } from './lib/process.mjs';
import { setup } from './lib/setup.mjs';

try {
  await setup({ refresh: true });
  say('ready');
} catch (error) {
  if (!(error instanceof StepError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
