import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DoctorCheck } from './checks.js';
import type { TrialStep } from './trial.js';

const LIMIT_MS = 120_000;
const NAMES = ['preprocess', 'train', 'predict'] as const;

/** What to do about a program that a signal ended. */
const SIGNALS: Readonly<Record<string, string>> = {
  SIGILL: 'The processor lacks an instruction that libtorch or the addon uses. Use another machine.',
  SIGKILL: 'The system ended it, most often for lack of memory. Give the job or the container more memory.',
  SIGSEGV:
    'Run `nnunet-diag libtorch install --force`; if it remains, report it with the output of `doctor --json`.',
};

/** Runs the trial in its own process and a temporary folder. */
export async function runTrial(
  program = fileURLToPath(new URL('./trial-program.js', import.meta.url)),
): Promise<DoctorCheck[]> {
  const root = await mkdtemp(join(tmpdir(), 'nnunet-diag-doctor-'));
  try {
    const { output, errors, end } = await execute(program, root);
    const steps = output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as TrialStep);
    const checks = steps.map(checkOf);
    if (checks.some(({ state }) => state === 'failed')) return checks;
    const missing = NAMES.find((name) => !steps.some((step) => step.name === name));
    if (missing === undefined) return checks;
    const words = errors.trim().split('\n').slice(-3).join(' ');
    const advice = SIGNALS[end] ?? `Report it with the output of \`doctor --json\`. ${words}`.trim();
    return [...checks, { name: missing, state: 'failed', found: `the program ended with ${end}`, advice }];
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function checkOf({ name, found, seconds, problem }: TrialStep): DoctorCheck {
  if (problem === null)
    return { name, state: 'ok', found: `${found}, ${seconds.toFixed(1)} s`, advice: null };
  // The message of the error says what to do.
  return { name, state: 'failed', found: problem.code, advice: problem.message };
}

function execute(program: string, root: string): Promise<{ output: string; errors: string; end: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, root], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [output, errors, late] = ['', '', false];
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000);
    });
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, LIMIT_MS);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const end = signal ?? `exit code ${code}`;
      resolve({ output, errors, end: late ? `no result after ${LIMIT_MS / 1000} s` : end });
    });
  });
}
