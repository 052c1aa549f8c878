/** Writes a segmentation in memory as a NIfTI-1 file. */
import { rename, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ModelPrediction, Volume } from 'nnunet-diag';

const HEADER = 352;
const INT16 = 4;

/** Writes labels on the grid of `image` to a `.nii.gz` file. */
export async function writeLabels(
  path: string,
  { data, shape: [z, y, x] }: ModelPrediction['segmentation'],
  { spacing, origin, direction }: Pick<Volume, 'spacing' | 'origin' | 'direction'>,
): Promise<void> {
  const header = Buffer.alloc(HEADER);
  header.writeInt32LE(348, 0);
  for (const [i, n] of [3, x, y, z, 1, 1, 1, 1].entries()) header.writeInt16LE(n, 40 + 2 * i);
  header.writeInt16LE(INT16, 70);
  header.writeInt16LE(16, 72); // bits of a voxel
  // Spacing is (z, y, x) here, and (x, y, z) in the file.
  for (const [i, mm] of [1, ...[...spacing].reverse()].entries()) header.writeFloatLE(mm, 76 + 4 * i);
  header.writeFloatLE(HEADER, 108);
  header.writeFloatLE(1, 112); // slope
  header.writeUInt8(2, 123); // millimetres
  header.writeInt16LE(1, 254); // the sform is of the scanner
  for (let row = 0; row < 3; row += 1) {
    // NIfTI's x and y point to the right and to the front, those of the image to the left and to the back.
    const sign = row < 2 ? -1 : 1;
    for (let axis = 0; axis < 3; axis += 1) {
      const element = (direction[3 * row + axis] ?? 0) * (spacing[2 - axis] ?? 1);
      header.writeFloatLE(sign * element, 280 + 16 * row + 4 * axis);
    }
    header.writeFloatLE(sign * (origin[row] ?? 0), 280 + 16 * row + 12);
  }
  header.write('n+1\0', 344, 'latin1');
  const voxels = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const file = await promisify(gzip)(Buffer.concat([header, voxels]));
  await writeFile(`${path}.part`, file);
  await rename(`${path}.part`, path);
}
