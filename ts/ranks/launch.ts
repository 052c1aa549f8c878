import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { NativeFailure } from '../errors.js';
import type { Starter } from '../run.js';
import type { FromRank, ToRank } from './message.js';

/** How long a rank may take to end after others said that it gives no sign of life. */
const SILENT_MS = 5_000;
/** How long ranks may take to end, and to save, after one has failed. */
const GRACE_MS = 120_000;

/** Codes of errors that have their cause in another rank. */
const CONSEQUENCES = ['ERR_RANK_FAILED', 'ERR_COLLECTIVE'];

/** A rank and how it ended. */
interface Rank {
  readonly child: ChildProcess;
  /** Its last message. */
  end?: string;
  /** Why a process ended without a last message; not of one that was killed here. */
  died?: string;
  /** What has not ended yet of its process and the channel to it. */
  parts: number;
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
    const ranks = Array.from(
      { length: count },
      (_, rank): Rank => ({ child: start(rank, count, port), parts: 2 }),
    );
    const timers: NodeJS.Timeout[] = [];
    const killed = new Set<Rank>();
    const kill = (some: readonly Rank[]): void => {
      for (const rank of some.filter(({ parts }) => parts > 0)) {
        killed.add(rank);
        rank.child.kill('SIGKILL');
      }
    };
    const killLater = (some: readonly Rank[], after: number): void => {
      timers.push(setTimeout(kill, after, some));
    };
    const killAll = (): void => kill(ranks);
    // Ranks must not outlive a process that ends while they run.
    process.once('exit', killAll);
    const part = (rank: Rank): void => {
      rank.parts -= 1;
      if (rank.parts === 0 && rank.end === undefined) killLater(ranks, GRACE_MS);
      if (ranks.some(({ parts }) => parts > 0)) return;
      timers.forEach(clearTimeout);
      process.off('exit', killAll);
      onMessage(outcome(ranks));
    };
    for (const rank of ranks) {
      rank.child.on('message', (message) => {
        const sent = message as FromRank;
        if ('event' in sent) return onMessage(sent.event);
        rank.end = sent.end;
        const error = errorOf(sent.end);
        if (error === undefined) return;
        killLater(ranks, GRACE_MS);
        const silent = ranks[Number(error.details?.rank ?? Number.NaN)];
        if (silent !== undefined) killLater([silent], SILENT_MS);
      });
      rank.child.on('error', (error) => {
        rank.died = error.message;
        if (rank.child.pid === undefined) {
          rank.parts = 1;
          part(rank);
        }
      });
      // The last message may come after the end of the process, but not after that of its channel.
      rank.child.on('disconnect', () => part(rank));
      rank.child.on('exit', (code, signal) => {
        if (rank.end === undefined && !killed.has(rank)) {
          const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
          rank.died ??= `its process ${how}`;
        }
        part(rank);
      });
      send(rank.child, { start: JSON.stringify(rest) });
    }
    return {
      cancel: () => {
        for (const { child } of ranks) send(child, { cancel: true });
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

/** The error of a last message. */
function errorOf(end: string | undefined): NativeFailure | undefined {
  return end === undefined ? undefined : (JSON.parse(end) as { error?: NativeFailure }).error;
}

/** The last message of the training: the first rank's result, or the error that explains the others'. */
function outcome(ranks: readonly Rank[]): string {
  const failures = ranks.flatMap(({ end }) => errorOf(end) ?? []);
  const cause = failures.find(({ code }) => !CONSEQUENCES.includes(code));
  if (cause !== undefined) return failed(cause);
  const dead = ranks.findIndex(({ died, end }) => died !== undefined && end === undefined);
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
