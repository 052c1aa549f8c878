import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { fromNative, NnunetError, optionError } from './errors.js';
import type { WatchOptions } from './generated/options.js';
import { core } from './native/core.js';
import { checkSignal } from './run/signal.js';
import { checked } from './verbs/start.js';
import { Feed } from './watch/feed.js';
import { openPage } from './watch/open.js';
import { serve } from './watch/server.js';

/** The options of the server, which have defaults. */
type Defaulted = { readonly [K in 'host' | 'port' | 'interval' | 'open']: NonNullable<WatchOptions[K]> };

/** What happens while a page is served. */
export type WatchEvent =
  | {
      /** New data were sent to the pages that are open. */
      readonly type: 'update';
      /** Number of the data. */
      readonly id: string;
      /** Time when they were sent. */
      readonly at: Date;
      /** Pages that they were sent to. */
      readonly readers: number;
    }
  | {
      /**
       * The files cannot be read at present, such as a folder that vanished. The next look may find them
       * again.
       */
      readonly type: 'problem';
      /** Error code and message. */
      readonly message: string;
    }
  | {
      /** The files can be read again. */
      readonly type: 'recovered';
    }
  | {
      /** Images and scores of cases. They are prepared at first, and after a validation or a prediction. */
      readonly type: 'images';
      /** What they are. */
      readonly state: 'preparing' | 'ready' | 'failed';
      /** Error code and message if they could not be prepared. */
      readonly reason: string | null;
    }
  | {
      /** Something to know about the server. */
      readonly type: 'warning';
      /** `WARN_NETWORK` or `WARN_BROWSER`. */
      readonly code: string;
      /** What was found, and what to do. */
      readonly message: string;
    };

/** What {@link watch} calls. */
export interface WatchHandlers {
  /** Receives what happens. An error that it throws is an uncaught exception. */
  readonly onEvent?: ((event: WatchEvent) => void) | undefined;
}

/** A page that is served, made by {@link watch}. */
export interface Watch extends AsyncDisposable {
  /** Address of the page, with its token. Whoever knows it can read the page. */
  readonly url: string;
  /** Port of the server. */
  readonly port: number;
  /** Fulfilled when the server is closed, by {@link Watch.close} or the signal. */
  readonly closed: Promise<void>;
  /** Tells open pages that the server ends, and closes every connection. Idempotent. */
  close(): Promise<void>;
}

const LOOPBACK = ['localhost', '::1'];

/**
 * Serves the page of `report` live: it follows the files of trainings that run, here or on another machine
 * that writes to a shared disk. Only this machine can read it, by an address with a random token. Nothing is
 * written.
 *
 * ```ts
 * const page = await watch({ paths: ['results/nnUNet/2d/Task501_X/nnUNetTrainerV2__nnUNetPlansv2.1'] });
 * console.log(page.url);
 * await page.closed;
 * ```
 *
 * @returns the server, once it listens. `signal` closes it.
 * @throws NnunetError `ERR_OPTIONS` (also for a port in use), `ERR_NOT_FOUND`, `ERR_REPORT_PATH`,
 * `ERR_CANCELLED`
 */
export async function watch(options: Omit<WatchOptions, 'workers'> & WatchHandlers): Promise<Watch> {
  const given = checked('watch', { ...options, onEvent: undefined });
  if ('workers' in options) throw optionError('workers', 'expected no such option: a page takes one thread');
  const { onEvent = () => {} } = options;
  if (typeof onEvent !== 'function') throw optionError('onEvent', 'expected a function');
  const { host, port, interval, open } = JSON.parse(given) as Defaulted;
  const signal = checkSignal(options.signal);
  if (signal?.aborted) throw new NnunetError('ERR_CANCELLED', 'cancelled on request', {}, signal.reason);
  const source = await sourceOf(given);
  const token = randomBytes(24).toString('base64url');
  const feed = new Feed(source, onEvent);
  const served = serve({ feed, template: core().reportPage(), token, host });
  let found: number;
  try {
    found = await listen(served.server, host, port);
  } catch (error) {
    feed.close();
    throw error;
  }
  const url = `http://${nameOf(host)}:${found}/${token}/`;
  const reading = feed.run(interval);
  let closing: Promise<void> | undefined;
  const opened = open ? openPage(url, (message) => onEvent(warning('WARN_BROWSER', message))) : undefined;
  let done: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    done = resolve;
  });
  const end = async () => {
    signal?.removeEventListener('abort', close);
    feed.close();
    await Promise.all([served.close(), reading, opened?.remove()]);
    done();
  };
  const close = () => {
    closing ??= end();
    return closing;
  };
  signal?.addEventListener('abort', close, { once: true });
  if (signal?.aborted) close();
  if (!isLoopback(host)) {
    const advice = 'Whoever has its address can read it, also on the way: nothing is encrypted';
    const message = `the page can be read from other machines (host ${host}). ${advice}`;
    onEvent(warning('WARN_NETWORK', message));
  }
  return { url, port: found, closed, close, [Symbol.asyncDispose]: close };
}

function warning(code: string, message: string): WatchEvent {
  return { type: 'warning', code, message };
}

/** The source of the data, after a first look at what the paths are. */
async function sourceOf(options: string) {
  const { ReportSource } = core();
  try {
    const source = new ReportSource(options);
    await source.isDue();
    return source;
  } catch (thrown) {
    throw fromNative(thrown);
  }
}

/** Starts to listen and returns the port. */
function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        reject(
          optionError('port', `port ${port} of ${host} is in use; choose another one, or 0 for a free one`),
        );
      } else if (error.code === 'EACCES') {
        reject(optionError('port', `port ${port} needs more rights; choose one from 1024 on, or 0`));
      } else {
        reject(optionError('host', `cannot listen at ${host}: ${error.message}`));
      }
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function isLoopback(host: string): boolean {
  return LOOPBACK.includes(host.toLowerCase()) || (isIP(host) === 4 && host.startsWith('127.'));
}

/** The host as others name it: every address of a machine is its name. */
function nameOf(host: string): string {
  if (['0.0.0.0', '::'].includes(host)) return hostname();
  return isIP(host) === 6 ? `[${host}]` : host;
}
