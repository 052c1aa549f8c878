import test from 'ava';
import { ProgressView } from '../ts/progress.js';
import { table } from '../ts/table.js';

test.serial('time left counts from the start of a part, without what was there already', (t) => {
  const { now } = Date;
  let seconds = 1000;
  Date.now = () => seconds * 1000;
  t.teardown(() => {
    Date.now = now;
  });
  const lines: string[] = [];
  const screen = { isTTY: true, write: (text: string) => lines.push(text.replace(/^\r.*2K/, '')) };
  const view = new ProgressView(screen, 'preprocess');
  const step = (unit: string, done: number, name: string | null, after: number) => {
    seconds += after;
    view.show({ type: 'progress', done, total: 12, unit, case: name });
  };
  step('cases cropped', 1, 'a', 100);
  step('cases cropped', 12, 'l', 1100);
  step('cases preprocessed', 8, null, 0);
  step('cases preprocessed', 9, 'i', 10);
  t.deepEqual(lines, [
    'preprocess: 1/12 cases cropped, 18 min 20 s left  a',
    'preprocess: 12/12 cases cropped  l',
    'preprocess: 8/12 cases preprocessed',
    'preprocess: 9/12 cases preprocessed, 30 s left  i',
  ]);
});

test('settings are shown in words', (t) => {
  const lines: string[] = [];
  const view = new ProgressView({ write: (text: string) => lines.push(text) }, 'train');
  const settings = { trainer: 'nnUNetTrainerV2', patchSize: [64, 48, 48], numParameters: 123, seed: 7 };
  view.show({ type: 'started', verb: 'train', settings });
  t.deepEqual(lines, ['train: trainer nnUNetTrainerV2, patch size 64×48×48, num parameters 123\n']);
});

test('a table aligns numbers to the right and words to the left', (t) => {
  const text = table(
    ['fold', 'Dice', 'cases'],
    [
      ['0', '0.5', 'a'],
      ['all', '–', 'b c'],
    ],
  );
  t.is(text, 'fold  Dice  cases\n0      0.5  a\nall      –  b c');
});
