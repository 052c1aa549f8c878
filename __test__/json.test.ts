import test from 'ava';
import { readableJson } from '../ts/cli/json.js';

test('a short list of plain values is on one line, every other value on its own line', (t) => {
  const value = {
    shape: [2, 36, 44, 36],
    boxes: [
      [0, 36],
      [0, 44],
    ],
    arrays: [{ name: 'data' }],
    long: Array.from({ length: 40 }, (_, i) => `case_${i}`),
    ...{ empty: [], none: {}, missing: null, text: '[ "quoted" ]\n' },
  };
  const text = readableJson(value);
  t.deepEqual(JSON.parse(text), value);
  const lines = text.split('\n');
  t.deepEqual(lines.slice(0, 7), [
    '{',
    '  "shape": [2, 36, 44, 36],',
    '  "boxes": [[0, 36], [0, 44]],',
    '  "arrays": [',
    '    {',
    '      "name": "data"',
    '    }',
  ]);
  t.true(lines.includes('    "case_39"'));
});
