import { core } from '../native/core.js';
import { EXIT, type Io, StoppedBySystem } from './command.js';

/** A second Ctrl-C within this time is the same one: `npx` and `npm run` forward the signal that the terminal also sent. */
const SAME_KEY_MS = 200;

/**
 * Runs a program with the streams of this process and sets the exit code.
 *
 * Ctrl-C, SIGTERM, SIGUSR1, SIGHUP and a closed terminal stop the program at its next safe point; a training writes a
 * checkpoint there. After SIGTERM and SIGUSR1, which batch systems send, a training exits with 85: continue me. A second
 * Ctrl-C or SIGTERM ends the process at once, with 130. A closed pipe, such as `| head`, stops the program
 * with 0.
 */
export async function runProcess(
  program: (argv: readonly string[], io: Io) => Promise<number>,
): Promise<void> {
  const abort = new AbortController();
  let closedPipe = false;
  let hungUp = false;
  let asked = 0;
  const ask = (reason?: Error): void => {
    if (abort.signal.aborted) return;
    asked = Date.now();
    abort.abort(reason);
    process.stderr.write('\nstopping at the next safe point; repeat to quit at once\n');
  };
  const insist = (reason?: Error): void => {
    if (!abort.signal.aborted) ask(reason);
    else if (Date.now() - asked > SAME_KEY_MS) quit(EXIT.cancelled);
  };
  const hangUp = (): void => {
    hungUp = true;
    ask();
  };
  // A closing terminal may send SIGHUP twice, from the shell and from the system, so a second one ends nothing at once.
  const signals = {
    SIGINT: () => insist(),
    SIGTERM: () => insist(new StoppedBySystem('SIGTERM')),
    SIGUSR1: () => ask(new StoppedBySystem('SIGUSR1')),
    SIGHUP: hangUp,
  };
  for (const [signal, listener] of Object.entries(signals)) process.on(signal, listener);
  const unwritable = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') closedPipe = true;
    else if (error.code === 'EIO') hungUp = true;
    else throw error;
    abort.abort();
  };
  for (const stream of [process.stdout, process.stderr]) stream.on('error', unwritable);
  const io = { out: process.stdout, err: process.stderr, signal: abort.signal };
  const code = await program(process.argv.slice(2), io);
  // Without its terminal, Node cannot restore the settings and aborts (`ResetStdio`).
  if (hungUp) quit(code);
  const final = closedPipe && code === EXIT.cancelled ? EXIT.done : code;
  process.exitCode = final;
  for (const [signal, listener] of Object.entries(signals)) {
    process.off(signal, listener);
    // The addons may need a moment to end; a signal in it changes nothing about the result.
    process.on(signal, () => quit(final));
  }
}

/** Ends the process at once, without destructors: a verb may be running. */
function quit(code: number): never {
  try {
    return core().exitNow(code);
  } catch {
    // Without the addon no verb runs.
    process.exit(code);
  }
}
