import test from 'ava';
import { NnunetError } from '../ts/errors.js';
import type { ProgressEvent } from '../ts/generated/events.js';
import { Run } from '../ts/run.js';
import { CANCELLED, collect, DONE, FULL, label, manual, progress, started, tick, warning } from './manual.js';

test('events arrive in order, then the result', async (t) => {
  const { run, send } = await started<number>();
  const events = collect(run);
  send(progress(1));
  await tick();
  send(progress(2));
  send('{"type":"done","result":42}');
  t.deepEqual((await events).map(label), [1, 2]);
  t.is(await run.result, 42);
});

test('a failure rejects iterator and result with the same error, after all events', async (t) => {
  const { run, send } = await started();
  send(progress(1));
  send(FULL);
  const seen: unknown[] = [];
  const error = await t.throwsAsync(
    async () => {
      for await (const event of run) seen.push(label(event));
    },
    { message: 'full', code: 'ERR_DISK' },
  );
  t.deepEqual(seen, [1]);
  t.is(await t.throwsAsync(run.result), error);
  await t.throwsAsync(collect(run), { is: error }, 'an iterator made after the end rejects, too');
});

test('an iterator rejects once, then returns done', async (t) => {
  const { run, send } = await started();
  const iterator = run[Symbol.asyncIterator]();
  const calls = Promise.allSettled([iterator.next(), iterator.next(), iterator.next()]);
  send(progress(1));
  send(FULL);
  const [event, failure, rest] = await calls;
  t.like(event, { status: 'fulfilled', value: { done: false } });
  t.like(failure, { status: 'rejected', reason: { code: 'ERR_DISK' } });
  t.like(rest, { status: 'fulfilled', value: { done: true } });
});

test('every iterator gets every event from its creation on, the first one also the earlier events', async (t) => {
  const { run, send } = await started();
  send(warning('A'));
  const first = collect(run);
  send(warning('B'));
  const second = collect(run);
  send(warning('C'));
  send(DONE);
  t.deepEqual((await first).map(label), ['A', 'B', 'C']);
  t.deepEqual((await second).map(label), ['C']);
});

test('break cancels the run and waits until the verb has ended', async (t) => {
  const { run, send, cancels } = await started();
  send(progress(1));
  let left = false;
  const loop = (async () => {
    for await (const _ of run) break;
    left = true;
  })();
  await tick();
  t.is(cancels(), 1);
  t.false(left);
  send(CANCELLED);
  await loop;
  await t.throwsAsync(run.result, { code: 'ERR_CANCELLED' });
});

test('break with another iterator open cancels nothing', async (t) => {
  const { run, send, cancels } = await started();
  const other = collect(run);
  const leaving = (async () => {
    for await (const _ of run) break;
  })();
  send(warning('A'));
  await leaving;
  t.is(cancels(), 0);
  send(warning('B'));
  send(DONE);
  t.deepEqual((await other).map(label), ['A', 'B']);
});

test('an error in the loop cancels the run and is thrown; a failure after break is thrown', async (t) => {
  const throwing = await started();
  const loop = (async () => {
    for await (const _ of throwing.run) throw new Error('mine');
  })();
  throwing.send(progress(1));
  await tick();
  t.is(throwing.cancels(), 1);
  throwing.send(FULL);
  await t.throwsAsync(loop, { message: 'mine' });

  const breaking = await started();
  const left = (async () => {
    for await (const _ of breaking.run) break;
  })();
  breaking.send(progress(1));
  await tick();
  breaking.send(FULL);
  await t.throwsAsync(left, { code: 'ERR_DISK' });
});

test('await using cancels the run at the end of its block and waits', async (t) => {
  const { run, send, cancels } = await started();
  let left = false;
  const block = (async () => {
    await using held = run;
    t.is(held, run);
  })().then(() => {
    left = true;
  });
  await tick();
  t.is(cancels(), 1);
  t.false(left);
  send(CANCELLED);
  await block;
});

test('a result beyond JSON is taken after done', async (t) => {
  const made = Float32Array.of(1, 2);
  const { start, send } = manual(() => made);
  const run = new Run(() => start);
  await tick();
  send(DONE);
  t.is(await run.result, made);
});

test('an error of take rejects the result', async (t) => {
  const { start, send } = manual(() => {
    throw new Error('nothing to take');
  });
  const run = new Run(() => start);
  await tick();
  send(DONE);
  await t.throwsAsync(run.result, { message: 'nothing to take' });
});

for (const [how, start] of [
  [
    'throws',
    () => {
      throw new Error('no library');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no library'))],
  [
    'returns a starter that throws',
    () => () => {
      throw new Error('no library');
    },
  ],
] as const) {
  test(`a start that ${how} rejects the result and the iterator`, async (t) => {
    const run = new Run(start);
    await t.throwsAsync(collect(run), { message: 'no library' });
    await t.throwsAsync(run.result, { message: 'no library' });
  });
}

test('an aborted signal starts nothing, a later abort cancels once', async (t) => {
  const before = manual();
  await t.throwsAsync(new Run(() => before.start, AbortSignal.abort()).result, { code: 'ERR_CANCELLED' });
  const abort = new AbortController();
  const { run, send, cancels } = await started(abort.signal);
  abort.abort();
  t.is(cancels(), 1);
  send(CANCELLED);
  await t.throwsAsync(run.result, { code: 'ERR_CANCELLED' });
});

test('the reason of an abort is the cause of the error', async (t) => {
  const reason = new Error('the user closed the window');
  const early = await t.throwsAsync(started(AbortSignal.abort(reason)).then(({ run }) => run.result));
  t.is(early?.cause, reason);
  const abort = new AbortController();
  const { run, send } = await started(abort.signal);
  abort.abort(reason);
  send(CANCELLED);
  const late = await t.throwsAsync(run.result, { instanceOf: NnunetError, code: 'ERR_CANCELLED' });
  t.is(late.cause, reason);
});

test('a cancellation without a signal has no cause', async (t) => {
  const { run, send } = await started(new AbortController().signal);
  run.cancel();
  send(CANCELLED);
  const error = await t.throwsAsync(run.result, { code: 'ERR_CANCELLED' });
  t.is(error?.cause, undefined);
});

for (const signal of [{}, null, 'SIGINT', { aborted: false }]) {
  test(`signal: ${JSON.stringify(signal)} rejects the result with ERR_OPTIONS and starts nothing`, async (t) => {
    let starts = 0;
    const run = new Run(() => {
      starts += 1;
      return manual().start;
    }, signal);
    await t.throwsAsync(run.result, { code: 'ERR_OPTIONS', message: /signal: expected an AbortSignal, got/ });
    t.is(starts, 0);
  });
}

test('a run without reader keeps all events but steps, in bounded memory', async (t) => {
  const { run, send } = await started();
  for (let i = 0; i < 2000; i += 1) send(warning(`W${i}`));
  for (let i = 0; i < 5000; i += 1) send(progress(i, i % 2 === 0 ? 'cases cropped' : 'cases preprocessed'));
  send(warning('last'));
  send(DONE);
  await run.result;
  const events = await collect(run);
  t.is(events.filter((e) => e.type === 'warning').length, 2001);
  const steps = events.filter((e): e is ProgressEvent => e.type === 'progress');
  t.deepEqual(
    steps.map((e) => [e.unit, e.done]),
    [
      ['cases cropped', 4998],
      ['cases preprocessed', 4999],
    ],
  );
  t.is(label(events.at(-1)), 'last');
});

test('steps are kept while the queue has room', async (t) => {
  const { run, send } = await started();
  for (let i = 0; i < 5000; i += 1) send(progress(i));
  send(DONE);
  const events = await collect(run);
  t.is(events.length, 1024);
  t.deepEqual([label(events[0]), label(events.at(-1))], [0, 4999]);
});
