/** Characters that XML forbids, and halves of pairs. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{7e}\u{a0}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

/** Escapes text for SVG elements and attributes. */
export function escapeXml(text: string): string {
  const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(FORBIDDEN, '').replace(/[&<>"]/g, (c) => escapes[c] ?? c);
}

/** An SVG document with a white background. */
export function document(width: number, height: number, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      'font-family="Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif" font-size="12">',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...body,
    '</svg>\n',
  ].join('\n');
}

export interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly size?: number;
  readonly bold?: boolean;
  /** Letters with serifs, which tell an I from a line. */
  readonly serif?: boolean;
}

/** A line of black text; (x, y) is the start of its baseline. */
export function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { anchor = 'start', size = 12, bold = false, serif = false } = style;
  const weight = bold ? ' font-weight="bold"' : '';
  const family = serif ? ' font-family="Times New Roman, Liberation Serif, DejaVu Serif, serif"' : '';
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#000" font-size="${size}"${weight}${family}>${escapeXml(words)}</text>`;
}

/** A picture of `width` × `height` pixels with its upper left corner at (x, y). */
export function picture(x: number, y: number, width: number, height: number, png: Uint8Array): string {
  const data = Buffer.from(png).toString('base64');
  return `<image x="${x}" y="${y}" width="${width}" height="${height}" href="data:image/png;base64,${data}"/>`;
}

/** Widths of characters of DejaVu Sans Bold, the widest of the fonts of a document, as parts of the size. */
const WIDTHS: readonly (readonly [characters: RegExp, width: number])[] = [
  [/[ijl'|]/, 0.39],
  [/[ .,:;()[\]!·I/\\frt"-]/, 0.5],
  [/[mwMW@%—…]/, 1.11],
  [/[a-z0-9_]/, 0.72],
  [/[\u{20}-\u{7e}\u{a0}-\u{24f}\u{370}-\u{52f}\u{2010}-\u{2212}]/u, 0.9],
];

/** Letters that are not bold are narrower. */
const REGULAR = 0.9;

/** Width of text in pixels, or somewhat more. */
export function widthOf(words: string, size = 12, bold = false): number {
  let sum = 0;
  for (const character of words) {
    // Others, such as those of East Asia, are as wide as high.
    sum += WIDTHS.find(([characters]) => characters.test(character))?.[1] ?? 1.2;
  }
  return sum * size * (bold ? 1 : REGULAR);
}

/** Shortens text to `width` pixels by omitting its middle. */
export function shorten(words: string, width: number, size = 12, bold = false): string {
  if (widthOf(words, size, bold) <= width) return words;
  const characters = [...words];
  let [head, tail] = [characters.length >> 1, characters.length >> 1];
  const short = () =>
    `${characters.slice(0, head).join('')}…${characters.slice(characters.length - tail).join('')}`;
  while (head + tail > 1 && widthOf(short(), size, bold) > width) {
    if (tail > 0 && tail >= head) tail -= 1;
    else head -= 1;
  }
  return short();
}

/** Joins `parts` into lines of at most `width` pixels. */
export function wrap(parts: readonly string[], separator: string, width: number, size = 12): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const longer = `${last}${separator}${part}`;
    if (last !== undefined && widthOf(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(shorten(part, width, size));
  }
  return lines;
}
