import type { Report } from '../generated/report.js';
import { h } from './dom.js';

/** What the server tells beside the data; `Status` in ts/watch/feed.ts. */
interface Status {
  problem: string | null;
  images: 'preparing' | 'ready' | 'failed';
  reason: string | null;
}

/** State of the connection. */
type State = 'connecting' | 'live' | 'reconnecting' | 'ended';

const SAID: Readonly<Record<State, string>> = {
  connecting: 'connecting',
  live: 'live',
  reconnecting: 'reconnecting',
  ended: 'ended',
};

/** The connection is taken for lost when this many signs of life are missing. */
const MISSING = 3;
/** Time between two attempts where the browser makes none itself. */
const RETRY_MS = 2000;

/** Whether this page follows a server. */
export function isLive(): boolean {
  return document.documentElement.dataset.live !== undefined;
}

/** Shows the data of the server and the state of the connection, until the server ends. */
export function follow(show: (report: Report) => void): HTMLElement {
  const state = h('strong', { class: 'state' }, SAID.connecting);
  const note = h('span', { class: 'note' });
  const bar = h('div', { class: 'live', role: 'status' }, state, note);
  let status: Status = { problem: null, images: 'preparing', reason: null };
  let last: string | null = null;
  let runs = '';
  let watchdog: number | undefined;
  const say = (now: State, text = noteOf(status, last) || runs) => {
    if (state.textContent !== SAID[now]) state.textContent = SAID[now];
    bar.dataset.state = now;
    if (note.textContent !== text) note.textContent = text;
  };
  const connect = () => {
    const source = new EventSource(last === null ? 'events' : `events?last=${encodeURIComponent(last)}`);
    const again = () => {
      source.close();
      clearTimeout(watchdog);
      say('reconnecting');
      setTimeout(connect, RETRY_MS);
    };
    const alive = (seconds: number) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(again, 1000 * seconds * MISSING);
    };
    source.addEventListener('open', () => say('live'));
    source.addEventListener('beat', ({ data }) => {
      alive(Number(data));
      say('live');
    });
    source.addEventListener('status', ({ data }) => {
      status = JSON.parse(data) as Status;
      say('live');
    });
    source.addEventListener('report', ({ data, lastEventId }) => {
      last = lastEventId;
      const report = JSON.parse(data) as Report;
      runs = statesOf(report);
      show(report);
      say('live');
    });
    source.addEventListener('end', () => {
      source.close();
      clearTimeout(watchdog);
      say('ended', 'The server was closed. The page keeps what it shows.');
    });
    source.addEventListener('error', async () => {
      // The browser tries again by itself unless the server refused.
      if (source.readyState !== EventSource.CLOSED) return say('reconnecting');
      clearTimeout(watchdog);
      if (await isRefused()) {
        say('ended', 'Another server listens here now. Open the address that it printed.');
      } else {
        again();
      }
    });
  };
  connect();
  return bar;
}

/** Whether a server is there that does not know this page's token. */
async function isRefused(): Promise<boolean> {
  try {
    return (await fetch('.', { cache: 'no-store' })).status === 403;
  } catch {
    return false;
  }
}

/** What the runs do, for readers. */
function statesOf({ sections }: Report): string {
  const runs = new Map(
    sections.flatMap((section) =>
      section.kind === 'model' ? section.runs.map(({ name, state }) => [name, state] as const) : [],
    ),
  );
  return [...runs].map(([name, state]) => `${name}: ${state}`).join(', ');
}

function noteOf({ problem, images, reason }: Status, last: string | null): string {
  if (problem !== null) return `The files cannot be read: ${problem}. Looking again.`;
  if (last === null) return 'The files are being read.';
  if (images === 'preparing') return 'Images and scores are being prepared.';
  return images === 'failed' ? `No images and scores: ${reason}` : '';
}
