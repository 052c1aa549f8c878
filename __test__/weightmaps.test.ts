import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { packageRoot } from '../ts/version.js';
import { readNpy, writeNpz } from './arrays.js';
import { canLimitFiles, limited } from './limited.js';

const test = anyTest as TestFn<string>;
const PROGRAM = join(packageRoot, 'dist', 'ts', 'cli', 'weightmaps-shim.js');
const FIXTURES = join(
  process.env.NNUNET_DIAG_FIXTURES ?? join(packageRoot, '__test__', 'fixtures'),
  'weightmaps',
);

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs DIAG's command as a process. */
function command(words: readonly string[], cwd?: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = cwd === undefined ? {} : { cwd };
    execFile(process.execPath, [PROGRAM, ...words], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
    });
  });
}

interface JsonOutcome {
  readonly code: number;
  readonly failures: readonly { case: string; code: string; message: string }[];
  readonly error: { code: string; message: string } | undefined;
  readonly written: number | undefined;
}

/** Runs the command with `--json` and returns its outcome. */
async function json(words: readonly string[]): Promise<JsonOutcome> {
  const { code, out } = await command([...words, '--json']);
  const last = JSON.parse(out.trim().split('\n').at(-1) ?? '') as {
    result?: { failures: JsonOutcome['failures']; written: number };
    error?: JsonOutcome['error'];
  };
  return { code, failures: last.result?.failures ?? [], error: last.error, written: last.result?.written };
}

test.beforeEach(async (t) => {
  t.context = await mkdtemp(join(tmpdir(), 'nnunet-weightmaps-'));
});

test.afterEach.always(async (t) => {
  await rm(t.context, { recursive: true, force: true });
});

const CASE = { shape: [2, 6, 8, 7], data: new Float32Array(2 * 6 * 8 * 7).fill(1, 6 * 8 * 7 + 100) };

/** A stage folder with two valid cases and a dataset.json with labels 0 to 2. */
async function stage(t: ExecutionContext<string>): Promise<string> {
  const folder = join(t.context, 'Task901_X', 'nnUNetData_plans_v2.1_stage0');
  await mkdir(folder, { recursive: true });
  const labels = { 0: 'background', 1: 'a', 2: 'b' };
  await writeFile(join(dirname(folder), 'dataset.json'), JSON.stringify({ labels }));
  for (const name of ['a', 'b']) await writeNpz(join(folder, `${name}.npz`), { data: CASE });
  return folder;
}

const maps = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('_weightmap.npy')).sort();

test('recorded command lines write the recorded files', async (t) => {
  const recordings = (await readdir(FIXTURES, { recursive: true })).filter(
    (p) => basename(p) === 'stdout.txt',
  );
  t.true(recordings.length > 0);
  for (const recording of recordings) {
    const folder = join(FIXTURES, dirname(recording));
    const text = await readFile(join(FIXTURES, recording), 'utf8');
    const [, line = ''] = /^argv: \S+ (.*)$/m.exec(text) ?? [];
    const work = join(t.context, dirname(recording));
    await cp(folder, work, { recursive: true });
    const input = line.split(' ')[0] ?? '';
    const expected = new Map<string, Awaited<ReturnType<typeof readNpy>>>();
    for (const name of await maps(join(work, input))) {
      expected.set(name, await readNpy(join(work, input, name)));
      await rm(join(work, input, name));
    }
    t.true(expected.size > 0, recording);
    const { code, err } = await command([...line.split(' '), '--compat', '--dtype', 'float64'], work);
    t.is(code, 0, err);
    for (const [name, map] of expected) {
      const found = await readNpy(join(work, input, name));
      t.deepEqual(found.shape, map.shape, name);
      t.true(found.data instanceof Float64Array);
      const close = map.data.every(
        (v, i) => Math.abs((found.data[i] ?? Number.NaN) - v) <= 1e-6 * Math.abs(v),
      );
      t.true(close, name);
    }
  }
});

test('maps are float32 of shape (1, z, y, x) beside their cases; existing maps are replaced or skipped', async (t) => {
  const folder = await stage(t);
  const first = await command([folder]);
  t.is(first.code, 0, first.err);
  t.deepEqual(await maps(folder), ['a_weightmap.npy', 'b_weightmap.npy']);
  const map = await readNpy(join(folder, 'a_weightmap.npy'));
  t.deepEqual(map.shape, [1, 6, 8, 7]);
  t.true(map.data instanceof Float32Array);
  await writeFile(join(folder, 'a_weightmap.npy'), 'kept');
  t.like(await json([folder, '--skip-existing']), { code: 0, written: 0 });
  t.is(await readFile(join(folder, 'a_weightmap.npy'), 'utf8'), 'kept');
  t.like(await json([folder, '--workers', '1']), { code: 0, written: 2 });
  t.deepEqual(await readNpy(join(folder, 'a_weightmap.npy')), map);
});

test('an invalid case is a failure, other cases are written, no partial file stays', async (t) => {
  const folder = await stage(t);
  const write = (name: string, arrays: Parameters<typeof writeNpz>[1]) =>
    writeNpz(join(folder, name), arrays);
  await write('empty.npz', { other: CASE });
  await write('nan.npz', { data: { ...CASE, data: CASE.data.map((v, i) => (i > 600 ? Number.NaN : v)) } });
  await write('rank.npz', { data: { ...CASE, shape: [12, 56] } });
  await write('torn.npz', { data: CASE });
  await truncate(join(folder, 'torn.npz'), 1500);
  const { code, failures, written } = await json([folder]);
  t.is(code, 1);
  t.is(written, 2);
  t.deepEqual(failures.map((f) => f.case).sort(), ['empty', 'nan', 'rank', 'torn']);
  for (const { case: name, code: id, message } of failures) {
    t.regex(id, /^ERR_/);
    t.is(message.split(`${name}.npz`).length, 2, message);
  }
  t.deepEqual((await readdir(folder)).sort(), [
    ...[
      'a.npz',
      'a_weightmap.npy',
      'b.npz',
      'b_weightmap.npy',
      'empty.npz',
      'nan.npz',
      'rank.npz',
      'torn.npz',
    ],
  ]);
  const plain = await command([folder]);
  t.is(plain.code, 1);
  t.regex(plain.out, /2 weightmaps written, 4 failed:/);
});

test('a wrong folder, pattern or class is an error before anything is written', async (t) => {
  const folder = await stage(t);
  const empty = join(t.context, 'empty');
  await mkdir(empty);
  const lonely = join(t.context, 'lonely', 'stage');
  await mkdir(lonely, { recursive: true });
  await writeNpz(join(lonely, 'a.npz'), { data: CASE });
  const file = join(t.context, 'file');
  await writeFile(file, '');
  const refused: [string, string[]][] = [
    ['no cases', [empty]],
    ['no folder', [join(t.context, 'nowhere')]],
    ['no dataset.json', [lonely]],
    ['a class that is no label', [folder, '-c', '1', '7']],
    ['an output folder below a file', [folder, '-o', join(file, 'maps')]],
  ];
  for (const [what, words] of refused) {
    const { code, error } = await json(words);
    t.is(code, 1, what);
    t.regex(error?.code ?? '', /^ERR_/, what);
    t.regex(error?.message ?? '', /nnunet-weightmaps-/, what);
  }
  t.deepEqual(await maps(folder), []);
});

test('a pattern that matches weightmaps is an error that names them', async (t) => {
  const folder = await stage(t);
  t.is((await command([folder])).code, 0);
  const { code, failures, error } = await json([folder, '--matching-pattern', '*.npy']);
  t.is(code, 1);
  t.is(error, undefined);
  t.deepEqual(new Set(failures.map((f) => f.code)), new Set(['ERR_WEIGHTMAP_IS_WEIGHTMAP']));
  t.deepEqual(await maps(folder), ['a_weightmap.npy', 'b_weightmap.npy']);
});

const withLimits = canLimitFiles ? test : test.skip;

withLimits('an output that cannot hold the maps leaves no half of one', async (t) => {
  const folder = await stage(t);
  const output = join(t.context, 'maps');
  const { code, out } = limited(1, [process.execPath, PROGRAM, folder, '-o', output, '--json']);
  t.is(code, 1, out);
  const { failures } = (JSON.parse(out.trim().split('\n').at(-1) ?? '') as { result: JsonOutcome }).result;
  t.deepEqual(failures.map((f) => f.case).sort(), ['a', 'b']);
  for (const { message } of failures) t.true(message.includes(output), message);
  t.deepEqual(await readdir(output), []);
});
