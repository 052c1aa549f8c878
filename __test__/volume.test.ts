import { join } from 'node:path';
import test from 'ava';
import { packageRoot } from '../ts/version.js';
import { readVolume } from '../ts/volume.js';

const image = join(packageRoot, 'examples/data/Task501_IcbmTissue/imagesTs/icbm_003_0000.nii.gz');

test('readVolume returns values, shape and geometry', async (t) => {
  const { data, shape, spacing, origin, direction } = await readVolume(image);
  t.is(data.length, shape[0] * shape[1] * shape[2]);
  t.deepEqual(spacing, [1, 1, 1]);
  t.is(origin.length, 3);
  t.is(direction.length, 9);
  t.true(data.some((v) => v > 0));
});

test('a missing channel and a missing file are errors', async (t) => {
  await t.throwsAsync(readVolume(image, 1), {
    code: 'ERR_OPTIONS',
    message: /expected a channel below 1, received 1/,
  });
  const missing = await t.throwsAsync(readVolume('/nonexistent/x.nii.gz'));
  t.true(missing?.message.includes('/nonexistent/x.nii.gz'));
});
