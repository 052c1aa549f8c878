/** Colours of classes 1, 2, 3, …: the palettes of Okabe and Ito and of Tol, which suit colour-blind readers. */
export const PALETTE = [
  '#e69f00',
  '#56b4e9',
  '#009e73',
  '#f0e442',
  '#0072b2',
  '#d55e00',
  '#cc79a7',
  '#999999',
  '#882255',
  '#44aa99',
  '#ddcc77',
  '#332288',
  '#aa4499',
  '#117733',
  '#88ccee',
  '#661100',
] as const;

/** Colour of a class, counted from 1. */
export function colourOf(label: number): string {
  return PALETTE[(label - 1) % PALETTE.length] ?? '#999999';
}

/** Escapes text for SVG elements and attributes. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
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
  readonly colour?: string;
  readonly size?: number;
  readonly bold?: boolean;
}

/** A line of text; (x, y) is the start of its baseline. */
export function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { anchor = 'start', colour = '#222', size = 12, bold = false } = style;
  const weight = bold ? ' font-weight="bold"' : '';
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${colour}" font-size="${size}"${weight}>${escapeXml(words)}</text>`;
}

/** A picture of `width` × `height` pixels with its upper left corner at (x, y). */
export function picture(x: number, y: number, width: number, height: number, png: Uint8Array): string {
  const data = Buffer.from(png).toString('base64');
  return `<image x="${x}" y="${y}" width="${width}" height="${height}" href="data:image/png;base64,${data}"/>`;
}

/** Estimated width of text in pixels: that of DejaVu Sans, the widest of the fonts of a document. */
export function widthOf(words: string, size = 12): number {
  return 0.58 * size * words.length;
}

/** Shortens text to `width` pixels by omitting its middle. */
export function shorten(words: string, width: number, size = 12): string {
  const room = Math.max(1, Math.floor(width / widthOf('x', size)));
  if (words.length <= room) return words;
  const head = Math.ceil((room - 1) / 2);
  return `${words.slice(0, head)}…${words.slice(words.length - (room - 1 - head))}`;
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
