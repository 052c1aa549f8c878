import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { NativeFailure } from '../errors.js';
import type { Starter } from '../run.js';
import type { ToRank } from './message.js';

/** How long ranks may take to end after one has ended without its result, or the first one has failed. */
const GRACE_MS = 30_000;

/** Codes of errors that have their cause in another rank. */
const CONSEQUENCES = ['ERR_RANK_FAILED', 'ERR_COLLECTIVE'];

/** A rank and how it ended. */
interface Rank {
  readonly child: ChildProcess;
  /** Its last message. */
  end?: string;
  /** Why a process ended without a last message; not of one that was killed here. */
  died?: string;
  over: boolean;
}

/**
 * Starts `count` ranks on this machine, as `torchrun` does: processes with `RANK`, `WORLD_SIZE`, `LOCAL_RANK`,
 * `LOCAL_WORLD_SIZE`, `MASTER_ADDR` and `MASTER_PORT`. Passes on the events of the first one.
 *
 * If a rank dies, the others find it out and end by themselves. Ranks that do not are killed.
 *
 * @param options - checked options of `train` as JSON
 */
export async function launchRanks<R>(options: string, count: number): Promise<Starter<R>> {
  const { gpus: _, ...rest } = JSON.parse(options) as Record<string, unknown>;
  const port = await freePort();
  return (onMessage) => {
    const ranks = Array.from({ length: count }, (_, rank): Rank => ({ child: start(rank, count, port), over: false }));
    let timer: NodeJS.Timeout | undefined;
    let killed = false;
    const kill = (): void => {
      killed = true;
      for (const { child, over } of ranks) if (!over) child.kill('SIGKILL');
    };
    const hurry = (): void => {
      timer ??= setTimeout(kill, GRACE_MS);
    };
    // Ranks must not outlive a process that ends while they run.
    process.once('exit', kill);
    const finish = (): void => {
      if (!ranks.every(({ over }) => over)) return;
      clearTimeout(timer);
      process.off('exit', kill);
      onMessage(outcome(ranks));
    };
    ranks.forEach((rank, number) => {
      rank.child.on('message', (text: string) => {
        if (!isEnd(text)) return onMessage(text);
        rank.end = text;
        if (number === 0 && isFailure(text)) hurry();
      });
      rank.child.on('error', (error) => {
        rank.died = error.message;
        if (rank.child.pid === undefined) rank.over = true;
        hurry();
        finish();
      });
      rank.child.on('exit', (code, signal) => {
        rank.over = true;
        if (rank.end === undefined && !killed) {
          rank.died ??=
            signal === null ? `its process ended with exit code ${code}` : `its process was ended by ${signal}`;
          hurry();
        }
        finish();
      });
      send(rank.child, { start: JSON.stringify(rest) });
    });
    return {
      cancel: () => {
        for (const { child, over } of ranks) if (!over) send(child, { cancel: true });
      },
    };
  };
}

function start(rank: number, count: number, port: number): ChildProcess {
  return fork(fileURLToPath(new URL('child.js', import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      // torch's own messages about connections; what they mean is in the error.
      TORCH_CPP_LOG_LEVEL: 'FATAL',
      ...process.env,
      RANK: String(rank),
      LOCAL_RANK: String(rank),
      WORLD_SIZE: String(count),
      LOCAL_WORLD_SIZE: String(count),
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT: String(port),
    },
  });
}

function send(child: ChildProcess, message: ToRank): void {
  // A process that has just ended takes no message.
  if (child.connected) child.send(message, () => {});
}

function isEnd(text: string): boolean {
  return text.startsWith('{"type":"done"') || isFailure(text);
}

function isFailure(text: string): boolean {
  return text.startsWith('{"type":"failed"');
}

/** The last message of the training: the first rank's result, or the error that explains the others'. */
function outcome(ranks: readonly Rank[]): string {
  const failures = ranks.flatMap(({ end }) =>
    end !== undefined && isFailure(end) ? [(JSON.parse(end) as { error: NativeFailure }).error] : [],
  );
  const cause = failures.find(({ code }) => !CONSEQUENCES.includes(code));
  if (cause !== undefined) return failed(cause);
  const dead = ranks.findIndex(({ died }) => died !== undefined);
  if (dead >= 0) return failed(deadRank(dead, ranks[dead]?.died ?? ''));
  // A suspended rank says nothing; the others name it.
  const found = failures.find(({ code }) => code === 'ERR_RANK_FAILED') ?? failures[0];
  if (found !== undefined) return failed(found);
  return ranks[0]?.end ?? failed(deadRank(0, 'it ended without a result'));
}

function deadRank(rank: number, reason: string): NativeFailure {
  const message = `rank ${rank} failed: ${reason}; the last checkpoint of the fold holds the state: run again with --continue`;
  return { code: 'ERR_RANK_FAILED', message, details: { rank, reason } };
}

function failed(error: NativeFailure): string {
  return JSON.stringify({ type: 'failed', error });
}

/** A port of this machine that nobody listens to. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
