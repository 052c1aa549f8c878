/** What the examples share: showing a run on a terminal, and a table. */
import { ProgressView, type Run, type VerbEvent } from '../ts/index.js';

/** Shows a run's events as they come; returns when it has ended, whether it failed or not. */
export async function follow(
  label: string,
  run: Run<unknown>,
  also?: (event: VerbEvent) => void,
): Promise<void> {
  const view = new ProgressView(process.stderr, label);
  for await (const event of run) {
    also?.(event);
    view.show(event);
  }
  view.close();
}

/** Aligns rows under their heads. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  '),
    )
    .join('\n');
}
