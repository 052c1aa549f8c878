/**
 * A program that leaves while a verb runs: `node leave.js HOW DELAY VERB OPTIONS`. `HOW` is the way to leave, `DELAY` the
 * milliseconds after the first step of the verb, `OPTIONS` the options of the verb as JSON.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { planAndPreprocess, type Run, train } from '../ts/index.js';

const VERBS: Readonly<Record<string, (options: never) => Run<unknown>>> = {
  train,
  preprocess: planAndPreprocess,
};

/** The ways to leave. */
const WAYS: Readonly<Record<string, () => unknown>> = {
  exit: () => process.exit(3),
  throw: () => {
    setImmediate(() => {
      throw new Error('uncaught');
    });
  },
  // The verb continues; the parent thread ends it.
  stay: () => {},
};

const [how = '', delay = '0', verb = '', options = '{}'] = process.argv.slice(2);

/** Starts the verb and leaves while it runs. */
async function work(way: string): Promise<void> {
  const run = VERBS[verb]?.(JSON.parse(options) as never);
  if (run === undefined) throw new Error(`no verb ${verb}`);
  const events = run[Symbol.asyncIterator]();
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error('the work ended too early');
    // The progress of a training that only begins is that of checks.
    if (value.type === (verb === 'train' ? 'iteration' : 'progress')) break;
  }
  await sleep(Number(delay));
  parentPort?.postMessage('under way');
  WAYS[way]?.();
}

/** Leaves in a worker thread, or ends a worker thread with a running verb. */
async function supervise(way: string): Promise<void> {
  const inside = way in WAYS ? way : 'stay';
  const worker = new Worker(fileURLToPath(import.meta.url), { argv: [inside, delay, verb, options] });
  const ended = new Promise<number>((resolve) => worker.on('exit', resolve));
  worker.on('error', (error: Error) => process.stdout.write(`${error.message}\n`));
  await Promise.race([once(worker, 'message'), ended]);
  if (way === 'terminate') await worker.terminate();
  if (way === 'leave') process.exit(4);
  process.stdout.write(`worker ${await ended}\n`);
}

await (isMainThread && how.startsWith('worker-') ? supervise(how.slice('worker-'.length)) : work(how));
