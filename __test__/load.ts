/**
 * Rounds of parallel calls that are aborted at random moments, for load.test.ts and bench/load. The calls of a round go
 * to every copy of the package that is given.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as Api from '../ts/index.js';
import type { Folders } from './made-up.js';

/** Where a round reads and writes. */
export interface Place {
  readonly folders: Folders;
  /** Preprocessed cases. */
  readonly cases: string;
  readonly images: string;
  readonly model: string;
  /** Folder of results, which are new in every call. */
  readonly output: string;
}

/** Number of calls by their end. */
export interface Ends {
  done: number;
  cancelled: number;
  /** Every other end, which is a fault. */
  failed: string[];
}

/** One call of each of three verbs. */
function calls(api: typeof Api, { cases, images, model, output, folders }: Place, signal: AbortSignal) {
  const own = join(output, randomUUID());
  const preprocessed = join(own, 'preprocessed');
  return [
    api.planAndPreprocess({
      ...folders,
      preprocessed,
      task: '703',
      configurations: ['3d_fullres'],
      keepCropped: false,
      workers: 2,
      signal,
    }),
    api.generateWeightmaps({ folder: cases, outputDir: join(own, 'weightmaps'), workers: 2, signal }),
    api.predict({ input: images, output: join(own, 'predicted'), model, workers: 1, signal }),
  ];
}

/** Runs one round: every call of every copy at once, half of the rounds aborted after at most `longest` ms. */
export async function round(
  apis: readonly (typeof Api)[],
  place: Place,
  draw: () => number,
  longest: number,
): Promise<Ends> {
  const ends: Ends = { done: 0, cancelled: 0, failed: [] };
  const controller = new AbortController();
  const runs = apis.flatMap((api) => calls(api, place, controller.signal));
  const aborted = draw() < 0.5;
  const timer = aborted ? sleep(draw() * longest).then(() => controller.abort()) : undefined;
  for (const { status, reason } of (await Promise.allSettled(
    runs.map(({ result }) => result as Promise<unknown>),
  )) as Settled[]) {
    if (status === 'fulfilled') ends.done += 1;
    else if (aborted && (reason as { code?: string }).code === 'ERR_CANCELLED') ends.cancelled += 1;
    else ends.failed.push(String(reason));
  }
  await timer;
  return ends;
}

type Settled = { status: 'fulfilled' | 'rejected'; reason?: unknown };
