import type { ViewCase } from '../generated/report.js';
import type { Plane } from './geometry.js';

/** Draws the crosshair of a voxel (z, y, x). */
export function crosshair(
  context: CanvasRenderingContext2D,
  view: ViewCase,
  { across, down }: Plane,
  voxel: readonly number[],
): void {
  const { width, height } = context.canvas;
  const centre = (side: Plane['across'], length: number) => {
    const count = view.shape[side.axis] ?? 1;
    const index = voxel[side.axis] ?? 0;
    return (((side.flipped ? count - 1 - index : index) + 0.5) / count) * length;
  };
  const [x, y] = [centre(across, width), centre(down, height)];
  // A gap in the middle leaves the voxel visible.
  const gap = Math.min(width, height) / 12;
  context.strokeStyle = '#f0e442';
  context.lineWidth = 1;
  context.beginPath();
  for (const [fromX, fromY, toX, toY] of [
    [0, y, x - gap, y],
    [x + gap, y, width, y],
    [x, 0, x, y - gap],
    [x, y + gap, x, height],
  ] as const) {
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
  }
  context.stroke();
}

/** Writes the letters of the patient's sides at the edges. */
export function marks(context: CanvasRenderingContext2D, { across, down }: Plane, dense: number): void {
  const { width, height } = context.canvas;
  context.font = `bold ${14 * dense}px sans-serif`;
  context.lineWidth = 3 * dense;
  context.textBaseline = 'middle';
  const inset = 4 * dense;
  const mark = (text: string, x: number, y: number, align: CanvasTextAlign) => {
    context.textAlign = align;
    context.strokeStyle = '#000';
    context.fillStyle = '#fff';
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  };
  mark(across.marks[0], inset, height / 2, 'left');
  mark(across.marks[1], width - inset, height / 2, 'right');
  mark(down.marks[0], width / 2, inset + 7 * dense, 'center');
  mark(down.marks[1], width / 2, height - inset - 7 * dense, 'center');
}

/** Pixels as a canvas that can be drawn in another size. */
export function asCanvas(pixels: ImageData): OffscreenCanvas {
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
  return canvas;
}

/** Oblique lines where the mask is set. */
export function hatched(mask: ImageData, width: number, height: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (context === null) return canvas;
  context.imageSmoothingEnabled = false;
  context.drawImage(asCanvas(mask), 0, 0, width, height);
  context.globalCompositeOperation = 'source-in';
  const lines = new OffscreenCanvas(width, height);
  const pen = lines.getContext('2d');
  if (pen === null) return canvas;
  pen.strokeStyle = 'rgba(255,255,255,0.6)';
  pen.beginPath();
  for (let x = -height; x < width; x += 8) {
    pen.moveTo(x, height);
    pen.lineTo(x + height, 0);
  }
  pen.stroke();
  context.drawImage(lines, 0, 0);
  return canvas;
}
