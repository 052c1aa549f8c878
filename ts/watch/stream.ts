import type { ServerResponse } from 'node:http';
import type { Message } from './feed.js';

/** Seconds between two signs of life. The page reconnects if three of them are missing. */
const HEARTBEAT_S = 10;

/** Server-sent events to one page. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #beat: NodeJS.Timeout;
  /** The newest message of each kind, for a page that reads more slowly than data change. */
  readonly #waiting = new Map<Message['event'], Message>();

  constructor(response: ServerResponse) {
    this.#response = response;
    response.flushHeaders();
    // The browser tries again a second after a connection is lost.
    response.write(`retry: 1000\n${beat()}`);
    response.on('drain', () => this.#drain());
    this.#beat = setInterval(() => {
      if (!response.writableNeedDrain) response.write(beat());
    }, 1000 * HEARTBEAT_S);
    this.#beat.unref();
  }

  /** Sends a message. While the page does not read, only the newest of each kind is kept. */
  send(message: Message): void {
    if (this.#response.writableNeedDrain) this.#waiting.set(message.event, message);
    else this.#response.write(text(message));
  }

  /** Says that nothing will follow. Resolves when the page was told. */
  end(): Promise<void> {
    this.close();
    return new Promise((resolve) => {
      this.#response.end('event: end\ndata: closed\n\n', () => resolve());
    });
  }

  /** Stops the signs of life. */
  close(): void {
    clearInterval(this.#beat);
    this.#waiting.clear();
  }

  #drain(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const message of waiting) this.send(message);
  }
}

/** A comment for what is between, and an event for the page, which does not see comments. */
function beat(): string {
  return `: heartbeat\nevent: beat\ndata: ${HEARTBEAT_S}\n\n`;
}

/** JSON has no line breaks. */
function text(message: Message): string {
  const id = message.event === 'report' ? `id: ${message.id}\n` : '';
  return `event: ${message.event}\n${id}data: ${message.data}\n\n`;
}
