import type { Screen } from './screen.js';

const CODES = { bold: 1, red: 31, green: 32, yellow: 33, dim: 2 } as const;

/** Whether a screen shows colours: it is a terminal, and `NO_COLOR` is not set (https://no-color.org). */
function colourful(screen: Screen): boolean {
  return screen.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/** Text in a style, if the screen shows colours. */
export function styled(screen: Screen, style: keyof typeof CODES, text: string): string {
  return colourful(screen) ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
}
