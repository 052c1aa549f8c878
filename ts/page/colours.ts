/** Okabe and Ito's colours, without yellow, which is too light for lines. */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] as const;

/** Line styles, so that curves also differ without colours. */
export const DASHES: readonly number[][] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [14, 4], [4, 2, 2, 2, 2, 2]];

/** Colour of the item at an index. */
export function colour(index: number): string {
  return COLOURS[index % COLOURS.length] ?? COLOURS[0];
}

/** Red, green and blue of a label. */
export function rgb(index: number): [number, number, number] {
  const hex = Number.parseInt(colour(index).slice(1), 16);
  return [hex >> 16, (hex >> 8) & 255, hex & 255];
}
