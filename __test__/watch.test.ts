import { readFile, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import {
  type ErrorCode,
  NnunetError,
  type Watch,
  type WatchEvent,
  type WatchOptions,
  watch,
} from '../ts/index.js';
import { ask, events, line, modelOf, next, type Sent, training } from './made-up-watch.js';

/** Serves a page, and keeps what happens. The server is closed at the end of the test. */
async function served(t: ExecutionContext, options: WatchOptions) {
  const seen: WatchEvent[] = [];
  const listeners = new Set<() => void>();
  const page = await watch({
    ...options,
    onEvent: (event) => {
      seen.push(event);
      for (const listener of listeners) listener();
    },
  });
  t.teardown(() => page.close());
  /** Waits for an event, also one of before. */
  const happens = <K extends WatchEvent['type']>(type: K, fits = (_: WatchEvent & { type: K }) => true) =>
    new Promise<WatchEvent & { type: K }>((resolve) => {
      const look = () => {
        const found = seen.find(
          (event): event is WatchEvent & { type: K } =>
            event.type === type && fits(event as WatchEvent & { type: K }),
        );
        if (found === undefined) return;
        listeners.delete(look);
        resolve(found);
      };
      listeners.add(look);
      look();
    });
  return { page, seen, happens };
}

const isReport = ({ event }: Sent) => event === 'report';
const hasEpochs = (count: number) => (sent: Sent) =>
  isReport(sent) && modelOf(sent.data).runs[0]?.epochs.length === count;
const statusIs = (text: string) => (sent: Sent) => sent.event === 'status' && sent.data.includes(text);

test('the page needs the token and the name of this machine, and is only read', async (t) => {
  const { model } = await training(t, 1);
  const { page } = await served(t, { paths: [model] });
  t.regex(page.url, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/);
  const got = await ask(page.url);
  t.is(got.status, 200);
  t.regex(got.body.toString(), /^<!doctype html>\n<html lang="en" data-live>/);
  t.notRegex(got.body.toString(), /http-equiv/);
  const policy = String(got.headers['content-security-policy']);
  t.regex(policy, /^default-src 'none'; script-src 'sha256-[\w+/=]+'; .*connect-src 'self'/);
  t.is(got.headers['cache-control'], 'no-store');
  t.is(got.headers['referrer-policy'], 'no-referrer');

  const { origin, port, pathname } = new URL(page.url);
  const token = pathname.slice(1, -1);
  const wrong = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
  for (const path of [
    '',
    '/',
    '/events',
    '/blobs/0',
    `/${wrong}/`,
    `/${wrong}/events`,
    `/${token}x/`,
    '//x/y',
  ]) {
    const { status, body } = await ask(`${origin}${path}`);
    t.deepEqual([status, body.length], [403, 0], path);
  }
  for (const [host, status] of [
    [`localhost:${port}`, 200],
    [`127.0.0.1:9999`, 200],
    [`[::1]:${port}`, 200],
    [hostname(), 200],
    [`evil.example:${port}`, 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    [':80', 403],
  ] as const) {
    t.is((await ask(page.url, { headers: { host } })).status, status, `host ${host}`);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
    t.is((await ask(page.url, { method })).status, 405, method);
    t.is((await ask(origin, { method })).status, 403, method);
  }
  t.is((await ask(`${page.url}blobs/99`)).status, 404);
  t.is((await ask(`${page.url}../../etc/passwd`)).status, 403);
  t.is((await ask(`${page.url}other`)).status, 404);
  const { status, headers } = await ask(page.url.slice(0, -1));
  t.deepEqual([status, headers.location], [301, pathname]);
});

test('an epoch is an event within 2 seconds; a vanished folder and a half-written line are none', async (t) => {
  const { model, fold, progress, epoch } = await training(t, 1);
  const { page, seen, happens } = await served(t, { paths: [model] });
  const stream = events(page.url);
  t.truthy(await next(stream, hasEpochs(1)));
  await epoch(1);
  const written = Date.now();
  const { id } = await next(stream, hasEpochs(2));
  const update = await happens('update', (event) => event.id === id);
  const milliseconds = update.at.getTime() - written;
  t.true(milliseconds < 2000, `${milliseconds} ms`);
  t.is(update.readers, 1);

  // The beginning of a line, then its end.
  const [begin, end] = [line(2).slice(0, 40), line(2).slice(40)];
  await writeFile(progress, begin, { flag: 'a' });
  await setTimeout(0);
  await writeFile(progress, end, { flag: 'a' });
  await next(stream, hasEpochs(3));

  await rename(fold, `${fold}.away`);
  await next(stream, statusIs('"problem":"ERR_'));
  await happens('problem');
  await rename(`${fold}.away`, fold);
  await next(stream, statusIs('"problem":null'));
  await happens('recovered');
  await epoch(3);
  await next(stream, hasEpochs(4));
  t.is(seen.filter(({ type }) => type === 'problem').length, 1, 'a problem is told once');

  await page.close();
  await next(stream, ({ event }) => event === 'end');
  t.true((await stream.next()).done);
  await page.closed;
});

test('a damaged file is a problem that passes', async (t) => {
  const { model, fold, validate } = await training(t, 1);
  await validate('case0', 1);
  const summary = `${fold}/validation_raw/summary.json`;
  await writeFile(summary, '{"results": {');
  const { page, happens } = await served(t, { paths: [model], interval: 0.1 });
  const { message } = await happens('problem');
  t.regex(message, /^ERR_SUMMARY_FILE: .*summary\.json/);
  await rename(summary, `${summary}.away`);
  await happens('recovered');
  t.truthy(await next(events(page.url), hasEpochs(1)));
});

test('a stream that is continued has no data that the page has', async (t) => {
  const { model, epoch } = await training(t, 1);
  const { page, happens } = await served(t, { paths: [model], interval: 0.1, cases: 0 });
  await happens('images', ({ state }) => state === 'ready');
  // Nothing changes after this epoch.
  await epoch(1);
  const { id: last } = await next(events(page.url), hasEpochs(2));
  t.regex(last, /^[\da-f]{8}-\d+$/);
  const again = events(page.url, { 'last-event-id': last });
  t.is((await again.next()).value?.event, 'beat');
  t.is((await again.next()).value?.event, 'status');
  await epoch(2);
  const sent = await next(again, isReport);
  t.not(sent.id, last);
  t.true(hasEpochs(3)(sent));
  // A number of another server is none of this one.
  t.true(hasEpochs(3)(await next(events(page.url, { 'last-event-id': 'other-1' }), isReport)));
});

test('images and scores are prepared again after a validation; their numbers are new', async (t) => {
  const { model, reference, validate } = await training(t, 1);
  await validate('case0', 1);
  const { page } = await served(t, { paths: [model], reference, interval: 0.1 });
  const stream = events(page.url);
  const withCases = (count: number) => (sent: Sent) =>
    isReport(sent) && modelOf(sent.data).cases.length === count;
  const first = modelOf((await next(stream, withCases(1))).data);
  t.is(first.scores?.cases.length, 1);
  const blobs = first.cases[0]?.layers.map(({ blob }) => blob) ?? [];
  t.true(blobs.length > 0);
  const { status, headers, body } = await ask(`${page.url}blobs/${blobs[0]}`);
  t.deepEqual([status, headers['content-type']], [200, 'application/gzip']);
  t.is(
    gunzipSync(body).length,
    (first.cases[0]?.shape ?? []).reduce((a, b) => a * b),
  );
  await validate('case1', 2);
  const second = modelOf((await next(stream, withCases(2))).data);
  t.deepEqual(
    second.cases.map(({ name }) => name),
    ['case1', 'case0'],
    'the worst first',
  );
  const later = second.cases.flatMap(({ layers }) => layers.map(({ blob }) => blob));
  t.true(later.every((blob) => !blobs.includes(blob)));
  t.is((await ask(`${page.url}blobs/${blobs[0]}`)).status, 404);
  t.is((await ask(`${page.url}blobs/${later[0]}`)).status, 200);
  // Other programs write in place, which does not change the folder.
  await validate('case1', 0);
  await next(stream, (sent) => withCases(2)(sent) && modelOf(sent.data).cases[0]?.name === 'case0');
});

test('the signal closes the server and every connection', async (t) => {
  const { model } = await training(t, 1);
  const abort = new AbortController();
  const { page } = await served(t, { paths: [model], signal: abort.signal });
  const stream = events(page.url);
  await next(stream, isReport);
  abort.abort();
  await next(stream, ({ event }) => event === 'end');
  await page.closed;
  await t.throwsAsync(ask(page.url), { code: 'ECONNREFUSED' });
  await page.close();
  const failure = await t.throwsAsync(watch({ paths: [model], signal: AbortSignal.abort('late') }));
  t.like(failure, { code: 'ERR_CANCELLED', cause: 'late' });
});

test('wrong options, paths and ports are errors', async (t) => {
  const { root, model, progress } = await training(t, 1);
  const text = await readFile(progress, 'utf8');
  const { page } = await served(t, { paths: [model] });
  const fails = async (options: object, code: ErrorCode, message: RegExp) => {
    const error = await t.throwsAsync<NnunetError>(watch(options as WatchOptions), {
      instanceOf: NnunetError,
    });
    t.is(error?.code, code);
    t.regex(error?.message ?? '', message);
  };
  await fails({ paths: [`${root}/none`] }, 'ERR_NOT_FOUND', /none/);
  await fails({ paths: [root] }, 'ERR_REPORT_PATH', /expected a trained model/);
  await fails({}, 'ERR_OPTIONS', /paths/);
  await fails({ paths: [model], port: page.port }, 'ERR_OPTIONS', /port: port \d+ of 127\.0\.0\.1 is in use/);
  await fails({ paths: [model], port: 70000 }, 'ERR_OPTIONS', /port: /);
  await fails(
    { paths: [model], host: 'none.invalid' },
    'ERR_OPTIONS',
    /host: cannot listen at none\.invalid/,
  );
  await fails({ paths: [model], interval: 0 }, 'ERR_OPTIONS', /interval: /);
  await fails({ paths: [model], output: 'x.html' }, 'ERR_OPTIONS', /output: /);
  await fails({ paths: [model], case: 3 }, 'ERR_OPTIONS', /cases/);
  t.is(await readFile(progress, 'utf8'), text, 'nothing is written');
});

test('an address that others can reach is a warning', async (t) => {
  const { model } = await training(t, 1);
  const { page, happens } = await served(t, { paths: [model], host: '0.0.0.0' });
  t.like(await happens('warning'), { code: 'WARN_NETWORK' });
  t.is(new URL(page.url).hostname, hostname().toLowerCase());
  const local: Watch = page;
  t.is((await ask(`http://127.0.0.1:${local.port}${new URL(local.url).pathname}`)).status, 200);
});
