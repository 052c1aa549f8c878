import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { fromNative, NnunetError, optionError } from './errors.js';
import type { ReportOptions } from './generated/options.js';
import { core } from './native/core.js';
import { checkSignal } from './run/signal.js';
import { toJson } from './verbs/start.js';
import { Feed } from './watch/feed.js';
import { openPage } from './watch/open.js';
import { serve } from './watch/server.js';

/** Options of {@link watch}: those of `report` without its file, and those of the server. */
export interface WatchOptions extends Omit<ReportOptions, 'output' | 'workers'> {
  /**
   * Address to listen at. Another one than this machine's own (`127.0.0.1`, `::1`, `localhost`) lets other
   * machines read the page if they know its token, without encryption; a warning says so.
   *
   * @default "127.0.0.1"
   */
  readonly host?: string | undefined;
  /**
   * Port to listen at; 0 takes a free one.
   *
   * Range: at least 0, at most 65535.
   * @default 0
   */
  readonly port?: number | undefined;
  /**
   * Seconds between two looks at the files.
   *
   * Range: at least 0.1, at most 3600.
   * @default 1
   */
  readonly interval?: number | undefined;
  /**
   * Open the page in the browser of this machine. A failure is a warning.
   *
   * @default false
   */
  readonly open?: boolean | undefined;
  /** Receives what happens. An error that it throws is an uncaught exception. */
  readonly onEvent?: ((event: WatchEvent) => void) | undefined;
}

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
export async function watch(options: WatchOptions): Promise<Watch> {
  const { host, port, interval, open, onEvent, signal, report } = checked(options);
  if (signal?.aborted) throw new NnunetError('ERR_CANCELLED', 'cancelled on request', {}, signal.reason);
  const source = await sourceOf(report);
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

/** Checks the options of the server. The addon checks the others. */
function checked(options: WatchOptions) {
  const text = toJson({ ...options, onEvent: undefined });
  const {
    host = '127.0.0.1',
    port = 0,
    interval = 1,
    open = false,
    ...report
  } = JSON.parse(text) as Record<string, unknown>;
  for (const name of ['output', 'workers']) {
    if (name in report) throw optionError(name, 'expected no such option: `watch` writes no file');
  }
  if (typeof host !== 'string' || host === '') throw wrong('host', 'an address or a name', host);
  if (!isNumber(port, 0, 65535) || !Number.isInteger(port)) {
    throw wrong('port', 'a whole number from 0 to 65535', port);
  }
  if (!isNumber(interval, 0.1, 3600)) throw wrong('interval', 'seconds from 0.1 to 3600', interval);
  if (typeof open !== 'boolean') throw wrong('open', 'true or false', open);
  const { onEvent = () => {} } = options;
  if (typeof onEvent !== 'function') throw wrong('onEvent', 'a function', onEvent);
  const signal = checkSignal(options.signal);
  return { host, port, interval, open, onEvent, signal, report: JSON.stringify(report) };
}

function isNumber(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}

function wrong(option: string, expected: string, got: unknown): NnunetError {
  return optionError(option, `expected ${expected}, got ${JSON.stringify(got) ?? typeof got}`);
}

/** The source of the data, after a first look at what the paths are. */
async function sourceOf(report: string) {
  const { ReportSource } = core();
  try {
    const source = new ReportSource(report);
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
