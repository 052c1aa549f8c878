/** Progress of a run on a terminal, for the examples. */
import { ProgressView } from '../ts/cli/progress.js';
import type { Run, VerbEvent } from '../ts/index.js';

/** Shows the events of a run; rejects with its error if it fails. */
export async function follow(
  label: string,
  run: Run<unknown>,
  also?: (event: VerbEvent) => void,
): Promise<void> {
  const view = new ProgressView(process.stderr, label);
  try {
    for await (const event of run) {
      also?.(event);
      view.show(event);
    }
  } finally {
    view.close();
  }
}
