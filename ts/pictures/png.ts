import { NnunetError } from '../errors.js';
import { document, text } from './svg.js';

/** The optional package that draws PNG files. */
const RENDERER = '@resvg/resvg-js';

/**
 * Renders an SVG document as PNG at its own size. Needs the package `@resvg/resvg-js`, which is not installed with this
 * one because of its size (9 MB).
 *
 * @throws NnunetError `ERR_NO_PNG` without that package, `ERR_NO_FONT` if the system has no font for the captions
 */
export async function toPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await renderer();
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

async function renderer() {
  try {
    return await import('@resvg/resvg-js');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new NnunetError(
      'ERR_NO_PNG',
      `PNG files need the package ${RENDERER}, which does not load (${reason}). ` +
        `Run \`npm install ${RENDERER}\`, or write .svg.`,
      { package: RENDERER },
      cause,
    );
  }
}
