/** What the examples share: showing a run on a terminal. */
import { ProgressView } from '../ts/cli/progress.js';
import type { Run, VerbEvent } from '../ts/index.js';

/** Shows a run's events as they come; rejects with its error where it fails. */
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
