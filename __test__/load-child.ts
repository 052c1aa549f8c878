/**
 * A process that calls verbs in parallel, in its main thread with two copies of the package and in a worker thread, and
 * writes what came of it as JSON. Its argument is a {@link Load} as JSON.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type * as Api from '../ts/index.js';
import { type Ends, type Place, round } from './load.js';
import { random } from './random.js';

export interface Load {
  readonly place: Place;
  readonly rounds: number;
  /** Copies of the package, as URLs of their index.js. */
  readonly copies: readonly string[];
  readonly seed: number;
  /** Milliseconds within which an aborted round is aborted. */
  readonly longest: number;
}

export interface Outcome {
  readonly ends: Ends;
  /** Resident memory after each round, in bytes. */
  readonly memory: readonly number[];
}

async function run({ place, rounds, copies, seed, longest }: Load): Promise<Outcome> {
  const apis = (await Promise.all(copies.map((url) => import(url)))) as (typeof Api)[];
  const draw = random(seed);
  const ends: Ends = { done: 0, cancelled: 0, failed: [] };
  const memory: number[] = [];
  for (let i = 0; i < rounds; i += 1) {
    const { done, cancelled, failed } = await round(apis, place, draw, longest);
    ends.done += done;
    ends.cancelled += cancelled;
    ends.failed.push(...failed);
    memory.push(process.memoryUsage.rss());
  }
  return { ends, memory };
}

if (isMainThread) {
  const load = JSON.parse(process.argv[2] ?? '') as Load;
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { ...load, copies: load.copies.slice(0, 1), seed: load.seed + 1 } satisfies Load,
  });
  const inWorker = new Promise<Outcome>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the worker ended without an outcome')));
  });
  const [main, other] = await Promise.all([run(load), inWorker]);
  process.stdout.write(JSON.stringify([main, other]));
} else {
  parentPort?.postMessage(await run(workerData as Load));
}
