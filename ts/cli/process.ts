import type { Io } from './command.js';

/**
 * Runs a program on this process's streams. The first Ctrl-C or SIGTERM asks it to end cleanly (with a checkpoint,
 * where it trains); the second kills it.
 */
export async function runProcess(
  program: (argv: readonly string[], io: Io) => Promise<number>,
): Promise<void> {
  const abort = new AbortController();
  const stop = (): void => {
    if (abort.signal.aborted) process.exit(130);
    process.stderr.write('\nstopping at the next safe point; once more to quit at once\n');
    abort.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // `nnunet-diag … | head` closes the pipe: that is no failure of ours. Work under way ends cleanly, as with Ctrl-C.
  const unheard = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    abort.abort();
  };
  process.stdout.on('error', unheard);
  process.stderr.on('error', unheard);
  const io = { out: process.stdout, err: process.stderr, signal: abort.signal };
  process.exitCode = await program(process.argv.slice(2), io);
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
}
