import { CLASS_COLOURS, CLASS_DASHES, LINE_COLOURS } from '../generated/colours.js';
import { colourOf } from '../pictures/colours.js';

/** Colour of a curve or shape of no class, such as a loss, at an index. */
export function lineColour(index: number): string {
  return LINE_COLOURS[index] ?? colourOf(index - LINE_COLOURS.length + 1);
}

/** Line style of a curve at an index, so that curves also differ without colours. */
export function dashOf(index: number): number[] {
  // One further when the colours begin again, so that a colour has other dashes each time.
  const at = index + Math.floor(index / CLASS_COLOURS.length);
  return [...(CLASS_DASHES[at % CLASS_DASHES.length] ?? [])];
}
