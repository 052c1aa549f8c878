/** The known name most similar to a misspelt one, unless all are too different. */
export function nearest(found: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const distance = editDistance(plain(found), plain(name));
    if (distance >= least || distance > Math.min(Math.max(Math.floor(name.length / 3), 1), 4)) continue;
    least = distance;
    best = name;
  }
  return best;
}

/** `; did you mean NAME?`, or an empty text. */
export function advice(found: string, known: Iterable<string>): string {
  const name = nearest(found, known);
  return name === undefined ? '' : `; did you mean ${name}?`;
}

const plain = (name: string): string => name.toLowerCase().replace(/[-_]/g, '');

/**
 * Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string
 * alignment).
 */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const steps = [
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + same,
        ...(swap ? [(before[j - 2] ?? 0) + 1] : []),
      ];
      row.push(Math.min(...steps));
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
