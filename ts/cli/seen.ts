import type { CheckpointEvent, EpochEvent, IterationEvent, VerbEvent } from '../generated/events.js';

/** The last events of a run, from which the message of a cancelled training is made. */
export class Seen {
  epoch: EpochEvent | undefined;
  iteration: IterationEvent | undefined;
  latest: CheckpointEvent | undefined;

  take(event: VerbEvent): void {
    if (event.type === 'epoch') this.epoch = event;
    else if (event.type === 'iteration') this.iteration = event;
    else if (event.type === 'checkpoint' && event.kind === 'latest') this.latest = event;
  }
}

/** Message of a cancelled training: what was saved, and how to continue. */
export function savedTraining({ epoch, iteration, latest }: Seen): string {
  if (latest === undefined) return 'nothing was saved: no iteration was finished';
  const epochs = iteration?.epochs ?? epoch?.epochs;
  const at = Math.max((epoch?.epoch ?? -1) + 1, iteration?.epoch ?? 0) + 1;
  const place = epochs === undefined ? '' : `epoch ${Math.min(at, epochs)} of ${epochs} `;
  return `${place}saved in ${latest.path}; to continue, run the same command with --continue`;
}
