import { decode } from 'fast-png';
import { widthOf } from '../ts/pictures/svg.js';

/** A picture in a document, in pixels of the document. */
export interface Drawn {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Red, green and blue. */
  at(x: number, y: number): number[];
}

/** The pictures embedded in a document. */
export function embedded(svg: string): Drawn[] {
  const images = svg.matchAll(/<image x="([\d.]+)" y="([\d.]+)" [^>]*base64,([^"]+)"/g);
  return [...images].map(([, left, top, content = '']) => {
    const { width, height, data } = decode(Buffer.from(content, 'base64'));
    const at = (x: number, y: number) => {
      const start = 3 * (Math.floor(y) * width + Math.floor(x));
      return [...data.subarray(start, start + 3)];
    };
    return { left: Number(left), top: Number(top), width, height, at };
  });
}

/** A line of text in a document with its edges. */
export interface Line {
  readonly words: string;
  readonly x: number;
  readonly y: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The texts of a document. */
export function texts(svg: string): Line[] {
  const found = svg.matchAll(
    /<text x="([\d.-]+)" y="([\d.-]+)" text-anchor="(\w+)" fill="#000" font-size="(\d+)"([^>]*)>([^<]*)<\/text>/g,
  );
  return [...found].map(([, x, y, anchor, size, more = '', escaped = '']) => {
    const words = escaped
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&');
    const [start, base, high] = [Number(x), Number(y), Number(size)];
    const width = widthOf(words, high, more.includes('bold'));
    const left = start - (anchor === 'end' ? width : anchor === 'middle' ? width / 2 : 0);
    return {
      words,
      x: start,
      y: base,
      left,
      right: left + width,
      top: base - 0.8 * high,
      bottom: base + 0.25 * high,
    };
  });
}

/** Pairs of texts that overlap, texts over pictures, and texts outside of the document. */
export function overlaps(svg: string): string[] {
  const [, width, height] = svg.match(/^<svg [^>]*width="(\d+)" height="(\d+)"/) ?? [];
  const lines = texts(svg);
  const apart = (a: Line, b: Omit<Line, 'words' | 'x' | 'y'>): boolean =>
    a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
  const found: string[] = [];
  for (const [i, line] of lines.entries()) {
    if (line.left < 0 || line.top < 0 || line.right > Number(width) || line.bottom > Number(height)) {
      found.push(`outside: ${line.words}`);
    }
    for (const other of lines.slice(0, i)) {
      if (!apart(line, other)) found.push(`${line.words} | ${other.words}`);
    }
    for (const { left, top, width, height } of embedded(svg)) {
      if (!apart(line, { left, top, right: left + width, bottom: top + height })) {
        found.push(`over a picture: ${line.words}`);
      }
    }
  }
  return found;
}
