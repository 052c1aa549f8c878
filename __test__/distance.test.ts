import test from 'ava';
import { distanceTransform } from '../ts/distance.js';

/** Distance to the nearest zero voxel by brute force. */
function bruteForce(mask: Uint8Array, shape: readonly number[], spacing: readonly number[]): Float32Array {
  const [depth = 1, height = 1, width = 1] = shape;
  const [sz = 1, sy = 1, sx = 1] = spacing;
  const points: [number, number, number][] = [];
  for (let z = 0; z < depth; z += 1)
    for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) points.push([z, y, x]);
  const zeros = points.filter((_, i) => mask[i] === 0);
  return Float32Array.from(points, ([z, y, x], i) =>
    mask[i] === 0
      ? 0
      : Math.min(
          Number.POSITIVE_INFINITY,
          ...zeros.map(([a, b, c]) => Math.hypot(sz * (z - a), sy * (y - b), sx * (x - c))),
        ),
  );
}

test('anisotropic distances equal brute force, for every type of array', async (t) => {
  const shape = [5, 6, 7];
  const spacing = [2.5, 1, 0.5];
  const mask = Uint8Array.from({ length: 210 }, (_, i) => ((i * 7919) % 11 < 9 ? 1 : 0));
  const expected = bruteForce(mask, shape, spacing);
  for (const input of [mask, Int16Array.from(mask), Int32Array.from(mask), Float32Array.from(mask)]) {
    const before = input.slice();
    const found = await distanceTransform(input, shape, { spacing });
    t.true(found.every((d, i) => Math.abs(d - (expected[i] ?? 0)) < 1e-5));
    t.deepEqual(input, before, 'the input is not changed');
  }
});

test('squared distances, one axis, and infinity without a zero voxel', async (t) => {
  t.deepEqual([...(await distanceTransform(Uint8Array.of(0, 1, 1), [3], { squared: true }))], [0, 1, 4]);
  const none = await distanceTransform(Uint8Array.of(1, 1), [2]);
  t.true(none.every((d) => d === Number.POSITIVE_INFINITY));
});

test('distances up to the bound are exact', async (t) => {
  for (let i = 1; i <= 300; i += 1) {
    const spacing = [i / 30];
    const [distance] = await distanceTransform(Uint8Array.of(1, 0), [2], { spacing, bound: i / 30 });
    t.true(Math.abs((distance ?? 0) - i / 30) < 1e-5, `spacing ${i / 30}: ${distance}`);
  }
  t.deepEqual([...(await distanceTransform(Uint8Array.of(1, 1, 0), [3], { bound: 1.5 }))], [Infinity, 1, 0]);
});

test('a wrong shape and an invalid spacing are errors', async (t) => {
  await t.throwsAsync(distanceTransform(Uint8Array.of(1), [2, 2]), {
    code: 'ERR_OPTIONS',
    message: /expected a mask of shape \[2, 2\] but received 1 voxels/,
  });
  await t.throwsAsync(distanceTransform(Uint8Array.of(1), [1], { spacing: [0] }), { message: /spacing/ });
  for (const shape of [[1.5], [-1], [Number.NaN]]) {
    await t.throwsAsync(distanceTransform(Uint8Array.of(1), shape), {
      code: 'ERR_OPTIONS',
      message: /shape: expected whole numbers/,
    });
  }
  const doubles = Float64Array.of(1) as unknown as Float32Array;
  await t.throwsAsync(distanceTransform(doubles, [1]), {
    code: 'ERR_OPTIONS',
    message: /Float32Array, got Float64Array/,
  });
});
