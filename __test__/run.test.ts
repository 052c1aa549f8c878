import test from 'ava';
import type { VerbEvent } from '../ts/events.js';
import { Run, type Starter } from '../ts/run.js';

const progress = (done: number): string =>
  JSON.stringify({ type: 'progress', done, total: 9, unit: 'cases', case: null });

/** A starter whose messages the test sends by hand. */
function manual<R>(take?: () => R): {
  start: Starter<R>;
  send: (message: string) => void;
  cancels: () => number;
} {
  let send: (message: string) => void = () => {};
  let cancels = 0;
  const start: Starter<R> = (onMessage) => {
    send = onMessage;
    const cancel = () => {
      cancels += 1;
    };
    return take === undefined ? { cancel } : { cancel, take };
  };
  return { start, send: (message) => send(message), cancels: () => cancels };
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function collect(run: Run<unknown>): Promise<VerbEvent[]> {
  const events: VerbEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

test('events arrive in order, then the result', async (t) => {
  const { start, send } = manual<number>();
  const run = new Run(() => start);
  await tick();
  const events = collect(run);
  send(progress(1));
  await tick();
  send(progress(2));
  send('{"type":"done","result":42}');
  t.deepEqual(
    (await events).map((e) => e.type === 'progress' && e.done),
    [1, 2],
  );
  t.is(await run.result, 42);
});

test('a failure rejects the result and ends iteration', async (t) => {
  const { start, send } = manual();
  const run = new Run(() => start);
  await tick();
  send('{"type":"failed","error":{"code":"ERR_DISK","message":"full"}}');
  t.deepEqual(await collect(run), []);
  await t.throwsAsync(run.result, { message: 'full', code: 'ERR_DISK' });
});

test('a result that is no JSON is taken once the work is done', async (t) => {
  const made = Float32Array.of(1, 2);
  const { start, send } = manual(() => made);
  const run = new Run(() => start);
  await tick();
  send('{"type":"done","result":null}');
  t.is(await run.result, made);
});

test('an error in taking the result rejects it', async (t) => {
  const { start, send } = manual(() => {
    throw new Error('nothing to take');
  });
  const run = new Run(() => start);
  await tick();
  send('{"type":"done","result":null}');
  await t.throwsAsync(run.result, { message: 'nothing to take' });
});

test('an error while starting rejects the result', async (t) => {
  const run = new Run(() => {
    throw new Error('no library');
  });
  t.deepEqual(await collect(run), []);
  await t.throwsAsync(run.result, { message: 'no library' });
});

test('an aborted signal starts nothing; a later abort cancels once', async (t) => {
  const before = manual();
  await t.throwsAsync(new Run(() => before.start, AbortSignal.abort()).result, { code: 'ERR_CANCELLED' });
  const { start, send, cancels } = manual();
  const abort = new AbortController();
  const run = new Run(() => start, abort.signal);
  await tick();
  abort.abort();
  t.is(cancels(), 1);
  send('{"type":"failed","error":{"code":"ERR_CANCELLED","message":"cancelled on request"}}');
  await t.throwsAsync(run.result, { code: 'ERR_CANCELLED' });
});

test('a reader that never comes costs bounded memory and loses steps, not warnings', async (t) => {
  const { start, send } = manual();
  const run = new Run(() => start);
  await tick();
  send('{"type":"warning","code":"WARN_X","message":"x","case":null}');
  for (let i = 0; i < 5000; i += 1) send(progress(i));
  send('{"type":"done","result":null}');
  await run.result;
  const events = await collect(run);
  t.is(events.length, 1024);
  t.is(events[0]?.type, 'warning');
  const last = events.at(-1);
  t.is(last?.type === 'progress' && last.done, 4999);
});
