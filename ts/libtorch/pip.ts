import { spawn } from 'node:child_process';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NnunetError } from '../errors.js';

/** A command that runs pip. */
export interface Pip {
  /** Program and first arguments: `python3 -m pip`. */
  readonly command: readonly [string, ...string[]];
  readonly version: readonly [number, number];
}

/** A command that was tried, and why it does not run pip. */
export interface PipAttempt {
  readonly command: string;
  readonly found: string;
}

/** Python version of the wheels; it need not be that of pip. */
export const WHEEL_PYTHON = '3.12';
/** First pip that finds a wheel of torch for several platforms. */
const OLDEST = [21, 0] as const;
/** First pip that continues a download whose connection broke. */
const RESUMES = [25, 1] as const;
/** Characters of pip's output that an error has. */
const KEPT = 2000;

/** Selects wheels by their tags, so that a Python that is too old or too new for torch can download them. */
export function selectors(platforms: readonly string[]): string[] {
  return [
    ...['--no-deps', '--only-binary=:all:', '--python-version', WHEEL_PYTHON, '--implementation', 'cp'],
    ...platforms.flatMap((tag) => ['--platform', tag]),
  ];
}

/** Commands that may run pip: of the active environment, of the path, of the launcher of Windows, of uv. */
function candidates(): [string, ...string[]][] {
  const windows = process.platform === 'win32';
  const { VIRTUAL_ENV, CONDA_PREFIX } = process.env;
  const found: [string, ...string[]][] = [];
  if (VIRTUAL_ENV)
    found.push([join(VIRTUAL_ENV, ...(windows ? ['Scripts', 'python.exe'] : ['bin', 'python']))]);
  if (CONDA_PREFIX) found.push([join(CONDA_PREFIX, ...(windows ? ['python.exe'] : ['bin', 'python']))]);
  found.push(['python3'], ['python'], ['py', '-3']);
  const modules = found.map((python): [string, ...string[]] => [...python, '-m', 'pip']);
  // uv has no download of its own; it runs pip with a Python that it finds or installs.
  return [...modules, ['pip3'], ['pip'], ['uv', 'tool', 'run', 'pip']];
}

/**
 * The first command that runs a pip that is new enough.
 *
 * @returns the pip, or what every command answered
 */
export async function findPip(signal?: AbortSignal): Promise<{ pip?: Pip; tried: PipAttempt[] }> {
  const tried: PipAttempt[] = [];
  for (const command of candidates()) {
    const { code, output } = await execute([...command, '--version'], {}, signal);
    const words = /^pip (\d+)\.(\d+)/m.exec(output);
    const version = [Number(words?.[1]), Number(words?.[2])] as const;
    const problem = code !== 0 ? lastLines(output) : words === null ? `no version: ${lastLines(output)}` : '';
    if (problem === '' && !older(version, OLDEST)) return { pip: { command, version }, tried };
    const found = problem === '' ? `pip ${version.join('.')}; needed ${OLDEST.join('.')} or later` : problem;
    tried.push({ command: command.join(' '), found });
  }
  return { tried };
}

/** A wheel to download. */
export interface Download {
  /** What pip shall download: `torch==2.11.0`. */
  readonly requirement: string;
  readonly platforms: readonly string[];
  /** Folder that receives the wheel when it is complete. */
  readonly folder: string;
  /** Folder for temporary files on the same disk; it is emptied. */
  readonly temporary: string;
}

/**
 * Downloads one wheel and returns its file name. `onBytes` receives the bytes so far.
 *
 * @throws NnunetError `ERR_LIBTORCH_INSTALL` with the last lines of pip, `ERR_CANCELLED`
 */
export async function download(
  pip: Pip,
  { requirement, platforms, folder, temporary }: Download,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<string> {
  const target = join(temporary, 'wheel');
  const scratch = join(temporary, 'tmp');
  for (const path of [target, scratch, folder]) await mkdir(path, { recursive: true });
  const resume = older(pip.version, RESUMES) ? [] : ['--resume-retries', '5'];
  // The cache of pip would store every wheel a second time.
  const flags = ['--disable-pip-version-check', '--no-input', '--no-cache-dir', '--progress-bar', 'off'];
  const args = ['download', '-d', target, ...flags, ...resume, ...selectors(platforms), requirement];
  const env = { TMPDIR: scratch, TEMP: scratch, TMP: scratch, PIP_REQUIRE_VIRTUALENV: '0' };
  const watch = setInterval(() => {
    void largestFile(temporary).then(onBytes);
  }, 300);
  try {
    const { code, output } = await execute([...pip.command, ...args], env, signal);
    const wheel = (await readdir(target)).find((file) => file.endsWith('.whl'));
    if (code !== 0 || wheel === undefined) throw failed(pip, args, requirement, output);
    await rename(join(target, wheel), join(folder, wheel));
    return wheel;
  } finally {
    clearInterval(watch);
    await rm(temporary, { recursive: true, force: true });
  }
}

function failed(pip: Pip, args: readonly string[], requirement: string, output: string): NnunetError {
  const command = [...pip.command, ...args].join(' ');
  return new NnunetError(
    'ERR_LIBTORCH_INSTALL',
    `${pip.command.join(' ')} could not download ${requirement}: ${output.trim()}\nRun the command again to continue. ` +
      'Without access to a package index, see `nnunet-diag libtorch install --help` for --from.',
    { command, output: output.trim() },
  );
}

function older(version: readonly [number, number], than: readonly [number, number]): boolean {
  return version[0] < than[0] || (version[0] === than[0] && version[1] < than[1]);
}

function lastLines(output: string): string {
  const lines = output.trim().split('\n').slice(-2);
  return lines.map((line) => line.trim()).join(' ') || 'no output';
}

/** pip writes the wheel to one growing file, in its own temporary folder. */
async function largestFile(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) => stat(join(entry.parentPath ?? entry.path, entry.name)).then((found) => found.size));
  return Math.max(0, ...(await Promise.all(sizes.map((size) => size.catch(() => 0)))));
}

/** Runs a program; the exit code is `null` if it does not start. */
function execute(
  [program, ...args]: [string, ...string[]],
  env: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...(signal && { signal }),
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-KEPT);
      });
    }
    const cancelled = () => reject(new NnunetError('ERR_CANCELLED', 'cancelled on request'));
    child.on('error', (error: NodeJS.ErrnoException) => {
      // With a signal, the process is still ending; `close` follows.
      if (error.name === 'AbortError' && child.pid !== undefined) return;
      if (signal?.aborted) cancelled();
      else resolve({ code: null, output: error.code === 'ENOENT' ? 'not found' : error.message });
    });
    child.on('close', (code) => {
      if (signal?.aborted) cancelled();
      else resolve({ code: code ?? 1, output });
    });
  });
}
