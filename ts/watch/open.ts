/** Opens a page in the browser of this machine. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A browser that was asked to open a page. */
export interface Opened {
  /** Removes what was needed to open it. */
  remove(): Promise<void>;
}

/**
 * Asks the system's browser to open a page.
 *
 * The command line of a process can be read by other users of a machine. It therefore names a file that only
 * this user can read, and that leads to the page; the token of the address stays secret.
 */
export function openPage(url: string, onFailure: (message: string) => void): Opened {
  const folder = mkdtemp(join(tmpdir(), 'nnunet-diag-watch-'));
  const fail = (why: string) =>
    onFailure(`the browser could not be opened (${why}); open the address yourself`);
  const start = async () => {
    const file = join(await folder, 'open.html');
    const refresh = `<meta http-equiv="refresh" content="0; url=${url}">`;
    const text = `<!doctype html><meta charset="utf-8">${refresh}<a href="${url}">Open the page</a>\n`;
    await writeFile(file, text, { mode: 0o600 });
    const [program, args] = commandOf(file);
    const child = spawn(program, args, { stdio: 'ignore', detached: true, windowsHide: true });
    child.once('error', ({ message }) => fail(message));
    child.once('exit', (code) => void (code ? fail(`${program} ended with ${code}`) : undefined));
    child.unref();
  };
  start().catch((error: unknown) => fail(String(error)));
  return {
    remove: () => folder.then((path) => rm(path, { recursive: true, force: true })).catch(() => {}),
  };
}

/** The program that opens files of this system, and its arguments. */
function commandOf(file: string): [program: string, args: string[]] {
  switch (process.platform) {
    case 'darwin':
      return ['open', [file]];
    case 'win32':
      return ['rundll32', ['url.dll,FileProtocolHandler', pathToFileURL(file).href]];
    default:
      return ['xdg-open', [file]];
  }
}
