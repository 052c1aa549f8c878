import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { inspect, makeSplits, planAndPreprocess, type SplitsSummary } from '../ts/index.js';
import { cli, type Shape, workspace, writeTask } from './made-up.js';

const SHAPE: Shape = [6, 6, 6];

/** Two scans of each patient. */
const named = (n: number): string[] =>
  Array.from({ length: n }, (_, i) => `p${Math.floor(i / 2)}_scan${i % 2}`);

const tasks = (cases: readonly string[]) => Object.fromEntries(cases.map((name) => [name, SHAPE]));

test('splits are written before and after preprocessing, printed as a table, and never overwritten', async (t) => {
  const { folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task601_Splits', tasks(named(7)));
  const before = await cli(['splits', '601', ...flags]);
  t.is(before.code, 0, before.err);
  t.regex(
    before.out,
    /7 cases of dataset\.json\nfold {2}train {2}val {2}validation cases\n {3}0 {6}5 {4}2 {2}p/,
  );
  const file = join(folders.preprocessed, 'Task601_Splits', 'splits_final.pkl');
  const folds = (await inspect({ file }).result) as { train: string[]; val: string[] }[];
  t.deepEqual(folds.flatMap((fold) => fold.val).sort(), named(7));

  const again = await cli(['splits', '601', ...flags]);
  t.is(again.code, 1);
  t.regex(again.err, /ERR_SPLITS_EXIST: .*splits_final\.pkl exists already/);

  await planAndPreprocess({ task: '601', configurations: ['3d_fullres'], ...folders }).result;
  const after = await makeSplits({ task: '601', overwrite: true, ...folders }).result;
  t.is(after.origin, 'preprocessed');
  t.deepEqual(after.folds, folds);
  t.is(after.backup, file.replace('.pkl', '.old1.pkl'));
  t.true((await readdir(join(file, '..'))).includes('splits_final.old1.pkl'));
});

test('groups keep patients together, --from takes the folds of a file', async (t) => {
  const { root, folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task602_Splits', tasks(named(12)));
  const grouped = await cli(['splits', '602', '--group-pattern', '^(p\\d+)_', ...flags]);
  t.regex(grouped.out, /12 cases of dataset\.json of 6 patients/);

  const groups = join(root, 'patients.csv');
  await writeFile(
    groups,
    named(12)
      .map((name) => `${name},${name.split('_')[0]}\n`)
      .join(''),
  );
  const byFile = await cli(['splits', '602', '--groups', groups, '--overwrite', '--json', ...flags]);
  const { result } = JSON.parse(byFile.out.trim().split('\n').at(-1) ?? '') as { result: SplitsSummary };
  t.is(result.groups, 6);
  for (const { train, val } of result.folds) {
    const patients = new Set(train.map((name) => name.split('_')[0]));
    t.false(val.some((name) => patients.has(name.split('_')[0])));
  }

  const from = join(root, 'own.json');
  const own = [{ train: named(12).slice(2), val: named(2) }];
  await writeFile(from, JSON.stringify(own));
  t.deepEqual((await makeSplits({ task: '602', from, overwrite: true, ...folders }).result).folds, own);
  await writeFile(from, JSON.stringify([{ train: ['p0_scan0'], val: ['p0_scan0', 'nobody'] }]));
  const unknown = await cli(['splits', '602', '--from', from, '--overwrite', ...flags]);
  t.is(unknown.code, 1);
  t.regex(
    unknown.err,
    /ERR_SPLITS: .*own\.json: fold 0 contains cases that dataset\.json does not list: nobody/,
  );
});

test('two rules are wrong usage, four cases are an error that names --fold all', async (t) => {
  const { folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task603_Splits', tasks(named(4)));
  const both = await cli(['splits', '603', '--groups', 'a.csv', '--from', 'b.json', ...flags]);
  t.is(both.code, 2);
  t.regex(both.err, /--from: expected at most one of groupPattern, groups and from, got groups and from/);
  const few = await cli(['splits', '603', ...flags]);
  t.is(few.code, 1);
  t.regex(few.err, /ERR_TOO_FEW_CASES: 4 cases .*`--fold all`/);
});
