import test from 'ava';
import type { EpochEvent } from '../ts/events.js';
import { drawCurves } from '../ts/pictures/curves.js';
import { drawOverlay } from '../ts/pictures/overlay.js';
import type { Volume } from '../ts/volume.js';

const epoch = (n: number, validationLoss: number | null, dice: (number | null)[]): EpochEvent => ({
  type: 'epoch',
  epoch: n,
  epochs: 3,
  trainLoss: 1 / (n + 1),
  validationLoss,
  dice,
  learningRate: 0.01,
  seconds: 1,
  secondsLeft: 0,
});

test('curves leave out what was not measured', (t) => {
  const svg = drawCurves('a < b', [epoch(0, null, [null]), epoch(1, 0.5, [0.25]), epoch(2, 0.4, [1])], ['X']);
  t.true(svg.startsWith('<svg '));
  t.true(svg.includes('a &lt; b'));
  const points = [...svg.matchAll(/points="([^"]*)"/g)].map((m) => m[1]?.split(' ').length);
  t.deepEqual(points, [3, 2, 2]);
});

test('curves of a run without epochs are an empty frame, not NaN', (t) => {
  t.false(drawCurves('none', [], ['X']).includes('NaN'));
});

test('an overlay has one picture a panel and a legend', (t) => {
  const volume = (data: number[]): Volume => ({
    data: Float32Array.from(data),
    shape: [2, 2, 3],
    spacing: [1, 1, 1],
    origin: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  });
  const image = volume([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const labels = volume([0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 0]);
  const svg = drawOverlay(image, 1, [{ title: 'image' }, { title: 'labels', labels }], ['CSF', 'GM']);
  const pictures = [...svg.matchAll(/base64,([^"]+)"/g)].map((m) => m[1]);
  t.is(pictures.length, 2);
  t.not(pictures[0], pictures[1]);
  t.true(svg.includes('■ GM'));
});
