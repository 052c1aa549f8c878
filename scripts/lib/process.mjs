// Runs other programs. Uses Node's modules only, because no package is installed yet.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Root of the checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Prints the name of the step that begins. */
export function say(text) {
  process.stdout.write(`\x1b[1m▸ ${text}\x1b[0m\n`);
}

/** A failed step. Its message names the reason, so no stack trace is printed. */
export class StepError extends Error {}

/** A step that this machine cannot do, which is no fault of the checkout. */
export class Unavailable extends StepError {}

/** Runs a program in the checkout and shows its output; rejects if it fails. */
export async function run(command, args, options = {}) {
  const { code } = await capture(command, args, options);
  if (code !== 0) throw new StepError(`${command} ${args.join(' ')} failed with exit code ${code}`);
}

/** Runs a program, shows its output unless `quiet`, and returns exit code and output. */
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

/** Runs a script. A step that failed ends it with its message and exit code 1, without a stack trace. */
export async function runScript(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

/** Whether a program runs with these arguments and succeeds. */
export function answers(command, args) {
  return spawnSync(command, args, { cwd: root, shell: process.platform === 'win32' }).status === 0;
}
