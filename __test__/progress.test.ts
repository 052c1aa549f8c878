import test from 'ava';
import { bar } from '../ts/cli/bar.js';
import { ProgressView } from '../ts/cli/progress.js';
import { table } from '../ts/cli/text-table.js';
import type { EpochEvent } from '../ts/index.js';

/** A terminal or a log, and its lines. */
function recorder(isTTY: boolean) {
  const lines: string[] = [];
  const write = (text: string) => lines.push(text.replace(/^\r.*2K/, '').replace(/\n$/, ''));
  return { lines, screen: { isTTY, columns: 200, write } };
}

const epoch = (n: number, best: boolean): EpochEvent => ({
  ...{ type: 'epoch', epoch: n, epochs: 40, trainLoss: 0.5, validationLoss: null, dice: [0.25, null], best },
  ...{ learningRate: 0.01, seconds: 61, secondsLeft: 7200, waitShare: 0.1 },
  ...{ iterationsPerSecond: 4, gradientNorm: 1.5, hostMemory: null, deviceMemory: null },
});

test.serial(
  'a terminal shows bar, percentage, elapsed time and time left, without what existed before',
  (t) => {
    const { now } = Date;
    let seconds = 1000;
    Date.now = () => seconds * 1000;
    t.teardown(() => {
      Date.now = now;
    });
    const { lines, screen } = recorder(true);
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
      `preprocess ${bar(1 / 12)}   8 %  1/12 cases cropped, 1 min 40 s, 18 min 20 s left  a`,
      `preprocess ${bar(1)} 100 %  12/12 cases cropped, 20 min 00 s  l`,
      `preprocess ${bar(8 / 12)}  66 %  8/12 cases preprocessed, 0 s`,
      `preprocess ${bar(9 / 12)}  75 %  9/12 cases preprocessed, 10 s, 30 s left  i`,
    ]);
  },
);

test('a bar grows by eighths of a character', (t) => {
  t.is(bar(0), '░'.repeat(20));
  t.is(bar(1), '█'.repeat(20));
  t.is(bar(0.5), '█'.repeat(10) + '░'.repeat(10));
  t.is(bar(1 / 160), `▏${'░'.repeat(19)}`);
});

test('a log shows one line an epoch with a mark for a new best, and no line a checkpoint', (t) => {
  const { lines, screen } = recorder(false);
  const view = new ProgressView(screen, 'train');
  view.show(epoch(0, true));
  view.show({ type: 'checkpoint', path: 'model_best.model', kind: 'best' });
  view.show(epoch(1, false));
  view.show({ type: 'checkpoint', path: 'model_latest.model', kind: 'latest' });
  t.deepEqual(lines, [
    'train: epoch  1/40  loss 0.5000  validation –  Dice 0.250 –  1 min 01 s, 2 h 00 min left  * new best',
    'train: epoch  2/40  loss 0.5000  validation –  Dice 0.250 –  1 min 01 s, 2 h 00 min left',
  ]);
});

test.serial('NO_COLOR keeps colours away from a terminal', (t) => {
  const { NO_COLOR } = process.env;
  t.teardown(() => {
    if (NO_COLOR === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = NO_COLOR;
  });
  const shown = () => {
    const { lines, screen } = recorder(true);
    new ProgressView(screen, 'train').show(epoch(0, true));
    return lines.join('');
  };
  delete process.env.NO_COLOR;
  t.true(shown().includes('\x1b[32m'));
  process.env.NO_COLOR = '1';
  t.false(shown().includes('\x1b['));
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
