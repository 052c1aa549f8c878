// npm run build: sets up the checkout and writes the committed files that are generated from Rust.
import { runScript, say } from './lib/process.mjs';
import { setup } from './lib/setup.mjs';

await runScript(async () => {
  await setup({ refresh: true });
  say('ready');
});
