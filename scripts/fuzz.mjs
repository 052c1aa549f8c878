// npm run fuzz -- [SECONDS] [TARGET…]: runs the fuzz targets one after another, 60 seconds each, with the address
// sanitizer and overflow checks. Without names, all of them.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { answers, root, run, runScript, StepError, say } from './lib/process.mjs';
import { hostTarget } from './lib/setup.mjs';

/** Most bytes that a process may take, and that it may ask for at once, in MB. */
const MEMORY = ['-rss_limit_mb=2048', '-malloc_limit_mb=1024'];
/** Longest input in bytes, and longest time for one in seconds. */
const INPUT = ['-max_len=16384', '-timeout=10'];

/** Explains what is missing, because `cargo fuzz` itself names only the unknown command. */
function requireTools() {
  const missing = [
    [['+nightly', '--version'], 'a nightly compiler: rustup toolchain install nightly'],
    [['fuzz', '--version'], 'cargo-fuzz: cargo install cargo-fuzz'],
  ].filter(([args]) => !answers('cargo', args));
  if (missing.length > 0) {
    throw new StepError(`fuzzing needs ${missing.map(([, remedy]) => remedy).join('; and ')}`);
  }
}

await runScript(async () => {
  const [first, ...rest] = process.argv.slice(2);
  const seconds = first === undefined ? 60 : Number(first);
  if (!Number.isInteger(seconds) || seconds < 1) {
    throw new StepError(`expected a whole number of seconds, found ${first}: npm run fuzz -- 60 nifti npz`);
  }
  const targets = readdirSync(join(root, 'fuzz', 'fuzz_targets')).map((file) => file.replace(/\.rs$/, ''));
  const unknown = rest.filter((name) => !targets.includes(name));
  if (unknown.length > 0) {
    throw new StepError(`no target ${unknown.join(', ')}; expected ${targets.sort().join(', ')}`);
  }
  requireTools();
  const seeds = ['run', '--release', '-q', '-p', 'hostile', '--example', 'seeds', '--', 'fuzz/corpus'];
  await run('cargo', seeds, { env: hostTarget() });
  for (const target of rest.length > 0 ? rest : targets.sort()) {
    say(`${target}: ${seconds} s`);
    const limits = [`-max_total_time=${seconds}`, ...INPUT, ...MEMORY, '-print_final_stats=1'];
    await run('cargo', ['+nightly', 'fuzz', 'run', target, '--', ...limits]);
  }
});
