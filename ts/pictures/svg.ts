/** Colours of classes 1, 2, 3, …: Okabe and Ito's palette, which colour-blind readers can tell apart. */
export const PALETTE = [
  '#e69f00',
  '#56b4e9',
  '#009e73',
  '#f0e442',
  '#0072b2',
  '#d55e00',
  '#cc79a7',
  '#999999',
] as const;

/** Colour of a class, counted from 1. */
export function colourOf(label: number): string {
  return PALETTE[(label - 1) % PALETTE.length] ?? '#999999';
}

/** Text that stands inside SVG elements and attributes. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
}

/** A whole SVG document on a white ground. */
export function document(width: number, height: number, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      'font-family="Helvetica, Arial, sans-serif" font-size="12">',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...body,
    '</svg>\n',
  ].join('\n');
}

export interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly colour?: string;
  readonly size?: number;
}

/** A line of text whose baseline begins at (x, y). */
export function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { anchor = 'start', colour = '#222', size = 12 } = style;
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${colour}" font-size="${size}">${escapeXml(words)}</text>`;
}
