/** Runs whose messages are sent by a test. */
import type { VerbEvent } from '../ts/generated/events.js';
import { Run, type Starter } from '../ts/run.js';

/** A starter whose messages are sent with `send`. */
export function manual<R>(take?: () => R): {
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

/** Lets promises settle. */
export const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A started run, with the functions of its verb. */
export async function started<R = null>(signal?: unknown) {
  const { start, send, cancels } = manual<R>();
  const run = new Run<R>(() => start, signal);
  await tick();
  return { run, send, cancels };
}

export const progress = (done: number, unit = 'cases'): string =>
  JSON.stringify({ type: 'progress', done, total: 9, unit, case: null });

export const warning = (code: string): string =>
  JSON.stringify({ type: 'warning', code, message: 'x', case: null });

export const DONE = '{"type":"done","result":null}';
export const CANCELLED =
  '{"type":"failed","error":{"code":"ERR_CANCELLED","message":"cancelled on request"}}';
export const FULL = '{"type":"failed","error":{"code":"ERR_DISK","message":"full"}}';

/** Every event of a run, up to its end. */
export async function collect(run: AsyncIterable<VerbEvent>): Promise<VerbEvent[]> {
  const events: VerbEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

/** A short label of an event. */
export const label = (event: VerbEvent | undefined): unknown =>
  event?.type === 'progress' ? event.done : event?.type === 'warning' ? event.code : event?.type;
