import { NnunetError } from '../errors.js';
import { document, text } from './svg.js';

/**
 * Renders an SVG document as PNG at its own size.
 *
 * @throws NnunetError `ERR_NO_FONT` if the system has no font for the captions
 */
export async function toPng(svg: string): Promise<Uint8Array> {
  // Loaded on demand: only PNG needs the renderer.
  const { Resvg } = await import('@resvg/resvg-js');
  const render = (source: string) => new Resvg(source, { font: { loadSystemFonts: true } }).render();
  // Without a font the renderer omits text silently.
  const probe = render(document(20, 20, [text(2, 16, 'M', { size: 16 })]));
  if (probe.pixels.every((value) => value === 255)) {
    throw new NnunetError(
      'ERR_NO_FONT',
      'the system has no font for the captions of a PNG: install one (such as the package fonts-dejavu-core), or write .svg',
    );
  }
  return render(svg).asPng();
}
