import { NnunetError } from '../errors.js';
import { document, text } from './svg.js';

/**
 * Renders an SVG document as PNG, a pixel of it as a pixel.
 *
 * @throws NnunetError `ERR_NO_FONT` where this system has no font to write captions with
 */
export async function toPng(svg: string): Promise<Uint8Array> {
  // Loaded here: only those who want a PNG need the renderer.
  const { Resvg } = await import('@resvg/resvg-js');
  const render = (source: string) => new Resvg(source, { font: { loadSystemFonts: true } }).render();
  // The renderer leaves text out without a word where it finds no font.
  const probe = render(document(20, 20, [text(2, 16, 'M', { size: 16 })]));
  if (probe.pixels.every((value) => value === 255)) {
    throw new NnunetError(
      'ERR_NO_FONT',
      'this system has no font to write the captions of a PNG with; install one (such as the package fonts-dejavu-core), or write .svg',
    );
  }
  return render(svg).asPng();
}
