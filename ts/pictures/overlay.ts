import type { Volume } from '../volume.js';
import { labelLayer, paint, sliceOf, zoomOf } from './slice.js';
import { colourOf, document, picture, text } from './svg.js';

/** One panel of an overlay. */
export interface Panel {
  /** Caption above the panel. */
  readonly title: string;
  /** Labels drawn over the image, of the same shape; without them the panel shows the image only. */
  readonly labels?: Volume;
}

const CAPTION = 24;
const GAP = 8;

/**
 * Draws one axial slice as a row of panels: the image in grey with labels over it. The first row of the slice is at
 * the bottom, so that anterior is up in the usual NIfTI orientation.
 *
 * @param image shape `(z, y, x)`; the window is the slice's 0.5th to 99.5th percentile
 * @param slice index along z, counted from 0
 * @param classes names of classes 1, 2, …, for the legend
 * @returns an SVG document with the pixels embedded as PNG
 */
export function drawOverlay(
  image: Volume,
  slice: number,
  panels: readonly Panel[],
  classes: readonly string[],
): string {
  const plane = sliceOf(image.data, image.shape, slice);
  const zoom = zoomOf(plane.rows, plane.columns);
  const [width, height] = [plane.columns * zoom, plane.rows * zoom];
  const body = panels.flatMap(({ title, labels }, i) => {
    const left = GAP + i * (width + GAP);
    const layer = labels && labelLayer(sliceOf(labels.data, labels.shape, slice));
    return [
      text(left, CAPTION - 8, title),
      picture(left, CAPTION, width, height, paint(plane, zoom, layer, true)),
    ];
  });
  const legend = classes.map((name, i) =>
    text(GAP + i * 90, CAPTION + height + 18, `■ ${name}`, { colour: colourOf(i + 1) }),
  );
  return document(GAP + panels.length * (width + GAP), CAPTION + height + 28, [...body, ...legend]);
}
