/** A NIfTI file of each direction, through `report`, on the page: a structure on one side of the patient is shown there. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { report } from '../ts/index.js';
import { browserTest, pixel, settles, textOf, withWindow } from './browser.js';
import { type Shape, workspace, writeNifti } from './made-up.js';
import { axisOf, HEADERS, SCREEN } from './made-up-headers.js';

const SHAPE: Shape = [8, 20, 24];
const ORIGIN = [-31, 12, 45];
/** The organ is at the patient's left, front and top. */
const SIDES = [
  [1, 0, 0],
  [0, -1, 0],
  [0, 0, 1],
];
/** Where each plane shows it, in shares of its width and height, in radiological view. */
const PLACES = [
  [0.77, 0.23],
  [0.77, 0.23],
  [0.23, 0.23],
] as const;

for (const [header, rows] of Object.entries(HEADERS)) {
  browserTest(`${header}: an organ of a file is shown at its side of the patient`, async (t) => {
    const { root } = await workspace(t);
    const sides = SIDES.map((direction) => axisOf(rows, SHAPE, direction));
    const voxelOf = (index: number) => [
      Math.floor(index / (SHAPE[1] * SHAPE[2])),
      Math.floor(index / SHAPE[2]) % SHAPE[1],
      index % SHAPE[2],
    ];
    const last = SHAPE[0] * SHAPE[1] * SHAPE[2] - 1;
    const label = (index: number) => {
      // The page cuts out what is labelled: with two corners everything.
      if (index === 0 || index === last) return 2;
      const voxel = voxelOf(index);
      const inside = sides.every(({ axis, forward, length }) => {
        const upper = (voxel[axis] ?? 0) >= length / 2;
        return upper === forward;
      });
      return inside ? 1 : 0;
    };
    // NIfTI's coordinates run to the right and to the front.
    const affine = rows.map((row, at) => [...row, ORIGIN[at] ?? 0].map((value) => (at < 2 ? -value : value)));
    const spacing = [2, 1, 0].map((column) =>
      Math.hypot(...rows.map((row) => row[column] ?? 0)),
    ) as unknown as Shape;
    const [images, predicted] = [join(root, 'images'), join(root, 'predicted')];
    await writeNifti(join(images, 'case_0000.nii'), SHAPE, (index) => index % 50, { affine, spacing });
    await writeNifti(join(predicted, 'case.nii'), SHAPE, label, { affine, spacing });
    const output = join(root, 'report.html');
    await report({ paths: [predicted], images, output }).result;

    await withWindow(t, pathToFileURL(output).href, async (page) => {
      await page.waitForSelector('.plane canvas');
      await page.locator('.viewer').scrollIntoViewIfNeeded();
      const canvas = (plane: number) => page.locator('.plane canvas').nth(plane);
      // The axial plane chooses left and front, the coronal one top.
      for (const plane of [0, 1]) {
        const { width, height } = (await canvas(plane).boundingBox()) ?? { width: 0, height: 0 };
        const [across, down] = PLACES[plane] ?? [0, 0];
        await canvas(plane).click({ position: { x: across * width, y: down * height } });
      }
      const voxel = [0, 0, 0];
      for (const { axis, forward, length } of sides) {
        voxel[axis] = forward ? Math.floor(0.77 * length) : length - 1 - Math.floor(0.77 * length);
      }
      const [z = 0, y = 0, x = 0] = voxel;
      const place = rows.map((row, at) => {
        const [i = 0, j = 0, k = 0] = row;
        return i * x + j * y + k * z + (ORIGIN[at] ?? 0);
      });
      const letters = [
        ['L', 'R'],
        ['P', 'A'],
        ['S', 'I'],
      ] as const;
      const words = place.map((mm, at) => `${letters[at]?.[mm < 0 ? 1 : 0]} ${Math.abs(mm).toFixed(1)}`);
      const expected = `Voxel (z, y, x) ${voxel.join(', ')}; ${words.join(' ')} mm`;
      await settles(
        t,
        () => textOf(page.locator('.viewer .readout')),
        (text) => text.startsWith(expected),
        expected,
      );
      for (const [plane, { plane: name }] of SCREEN.entries()) {
        for (const across of [0.23, 0.77]) {
          for (const down of [0.23, 0.77]) {
            const isOrgan = PLACES[plane]?.[0] === across && PLACES[plane]?.[1] === down;
            // Away from the crosshair, which runs through the place itself.
            const read = async () => new Set(await pixel(page, plane, across + 0.08, down + 0.08)).size > 1;
            await settles(t, read, isOrgan, `${name} at ${across}, ${down}`);
          }
        }
      }
    });
  });
}
