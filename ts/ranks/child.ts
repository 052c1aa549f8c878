// The process of one rank of `train --gpus N`. It gets its options from the process that started it and sends the messages
// of the training to it: the first rank all of them, the others only their end.
import { fromNative } from '../errors.js';
import { torch } from '../native/torch.js';
import type { FromRank, ToRank } from './message.js';

let cancel: (() => void) | undefined;
let stopping = false;

function stop(): void {
  stopping = true;
  cancel?.();
}

function start(options: string): void {
  const first = process.env.RANK === '0';
  try {
    cancel = torch().start('train', options, (text) => {
      const { type } = JSON.parse(text) as { type: string };
      if (type === 'done' || type === 'failed') end(text);
      else if (first) send({ event: text });
    });
    if (stopping) cancel();
  } catch (thrown) {
    end(JSON.stringify({ type: 'failed', error: fromNative(thrown).toJSON() }));
  }
}

/** Sends the last message and ends the process. */
function end(text: string): void {
  if (process.connected) send({ end: text }, () => process.exit(0));
  else process.exit(0);
}

function send(message: FromRank, sent: () => void = () => {}): void {
  process.send?.(message, undefined, undefined, sent);
}

process.on('message', (message: ToRank) => {
  if ('start' in message) start(message.start);
  else stop();
});
// A training whose starter is gone saves its state and ends.
process.on('disconnect', () => {
  if (cancel === undefined) process.exit(1);
  stop();
});
// Ctrl-C reaches every process of a terminal. The one that started the ranks asks them to stop.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
for (const signal of ['SIGTERM', 'SIGUSR1'] as const) process.on(signal, stop);
