import type { NnunetError } from '../errors.js';
import type { VerbEvent } from '../generated/events.js';
import type { WatchEvent } from '../watch.js';

/** Version of the JSON lines. Within a version, fields are added, never removed or changed. */
const FORMAT = 1;

/** A line of `--json`: an event, or the end of the command. */
export type Line =
  | VerbEvent
  | WatchEvent
  | { readonly type: 'listening'; readonly url: string; readonly port: number }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'failed'; readonly error: NnunetError };

/** A line of `--json` as text. */
export function jsonLine({ type, ...rest }: Line): string {
  return `${JSON.stringify({ format: FORMAT, type, ...rest })}\n`;
}
