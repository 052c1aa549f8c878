/** The HTTP server of a page: for readers who know its token, and for reading only. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Feed, Message } from './feed.js';
import { EventStream } from './stream.js';

/** What is served, and to whom. */
export interface Service {
  readonly feed: Feed;
  /** The page without data. */
  readonly template: string;
  /** First part of every path. */
  readonly token: string;
  /** The host that was asked for; a name is then allowed in requests. */
  readonly host: string;
}

/** Streams that are open, and how to end them. */
export interface Served {
  readonly server: Server;
  /** Tells every page that the server ends, and closes all connections. */
  close(): Promise<void>;
}

/** The longest that a page may take to hear of the end. */
const FAREWELL_MS = 500;

const HEADERS = {
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** A server that does not listen yet. */
export function serve(service: Service): Served {
  const page = livePage(service.template);
  const streams = new Set<EventStream>();
  const server = createServer((request, response) => {
    answer(request, response, service, page, streams).catch(() => response.destroy());
  });
  // A page keeps one connection open for hours; another one that says nothing is closed.
  server.requestTimeout = 10_000;
  return {
    server,
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      const farewell = Promise.all([...streams].map((stream) => stream.end()));
      await Promise.race([farewell, new Promise((resolve) => setTimeout(resolve, FAREWELL_MS).unref())]);
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { feed, token, host }: Service,
  page: Page,
  streams: Set<EventStream>,
): Promise<void> {
  const { pathname, search } = targetOf(request);
  const [, given = '', ...rest] = pathname.split('/');
  // Nothing is said to those who may not read.
  if (!isOurs(request.headers.host, host) || !isSame(given, token)) return refuse(response, 403);
  if (request.method !== 'GET') return refuse(response, 405, { allow: 'GET' });
  const [path, number = ''] = rest;
  if (rest.length === 0) return refuse(response, 301, { location: `/${token}/` });
  if (rest.length === 1 && path === '') return page.send(response);
  if (rest.length === 1 && path === 'events') {
    const { 'last-event-id': last = new URLSearchParams(search).get('last') ?? undefined } = request.headers;
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    const stream = new EventStream(response);
    const leave = feed.listen((message: Message) => stream.send(message), [last].flat()[0]);
    streams.add(stream);
    response.on('close', () => {
      leave();
      stream.close();
      streams.delete(stream);
    });
    return;
  }
  if (rest.length === 2 && path === 'blobs' && /^\d{1,9}$/.test(number)) {
    const bytes = await feed.blob(Number(number));
    if (bytes === null) return refuse(response, 404);
    response.writeHead(200, { ...HEADERS, 'content-type': 'application/gzip' }).end(bytes);
    return;
  }
  refuse(response, 404);
}

/** The target of a request; anything strange is the root, which has no token. */
function targetOf({ url = '/' }: IncomingMessage): { pathname: string; search: string } {
  const [pathname = '/', search = ''] = url.split('?', 2);
  return { pathname, search };
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...HEADERS, ...headers, 'content-length': 0 }).end();
}

/** Compares in a time that does not depend on the texts. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

/**
 * Whether a request is for this server by its address or own name. Another name is one that someone made
 * point here (DNS rebinding). The port may differ, for tunnels.
 */
function isOurs(header: string | undefined, host: string): boolean {
  const name = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::\d+)?$/i.exec(header ?? '');
  const found = (name?.[1] ?? name?.[2] ?? '').toLowerCase();
  if (found === '') return false;
  return isIP(found) !== 0 || ['localhost', hostname(), host].some((own) => own.toLowerCase() === found);
}

/** The page that loads its data from here. */
interface Page {
  send(response: ServerResponse): void;
}

/**
 * The page of a report as one that follows this server. Its policy allows its own scripts and requests to
 * this server, nothing else.
 */
function livePage(template: string): Page {
  const html = template
    .replace(/<meta http-equiv="Content-Security-Policy"[^>]*>\n?/, '')
    .replace('<html lang="en">', '<html lang="en" data-live>');
  const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = '']) => {
    const digest = createHash('sha256').update(script).digest('base64');
    return `'sha256-${digest}'`;
  });
  const policy = [
    "default-src 'none'",
    `script-src ${scripts.join(' ')}`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  const body = Buffer.from(html);
  return {
    send(response) {
      response
        .writeHead(200, {
          ...HEADERS,
          'content-type': 'text/html; charset=utf-8',
          'content-length': body.length,
          'content-security-policy': policy,
        })
        .end(body);
    },
  };
}
