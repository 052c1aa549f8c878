// Running other programs from the scripts; Node's own modules only, since nothing is installed yet.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Root of the checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Says what happens now, apart from the output of the programs that do it. */
export function say(text) {
  process.stdout.write(`\x1b[1m▸ ${text}\x1b[0m\n`);
}

/** A step that failed for a reason its words name: no stack trace is owed. */
export class StepError extends Error {}

/** Runs a program in the checkout with its output shown; rejects when it fails. */
export async function run(command, args, options = {}) {
  const { code } = await capture(command, args, options);
  if (code !== 0) throw new StepError(`${command} ${args.join(' ')} failed with exit code ${code}`);
}

/** Runs a program with its output shown, and returns its exit code and output. */
export function capture(command, args, { env = {}, quiet = false, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let output = '';
    for (const stream of ['stdout', 'stderr']) {
      child[stream].on('data', (chunk) => {
        output += chunk;
        if (!quiet) process[stream].write(chunk);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Whether a program answers to `args`. */
export function answers(command, args) {
  return spawnSync(command, args, { cwd: root, shell: process.platform === 'win32' }).status === 0;
}
