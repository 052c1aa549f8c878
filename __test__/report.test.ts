import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import type { Model, Predictions, Report, Section, Task, ViewCase } from '../ts/generated/report.js';
import { compare, evaluate, report } from '../ts/index.js';
import { core } from '../ts/native/core.js';
import { cli, preprocessedTask, type Shape, workspace, writeNifti, writeTask } from './made-up.js';

const SHAPE: Shape = [4, 6, 8];
const VOXELS = 4 * 6 * 8;

/** References of a bar at x < 3, their images, and two folders of predictions that are 0 to 3 voxels wider. */
async function folders(t: ExecutionContext) {
  const { root } = await workspace(t);
  const [reference, images, first, second] = ['labels', 'images', 'first', 'second'].map((name) =>
    join(root, name),
  ) as [string, string, string, string];
  const spacing = { spacing: [2, 1, 1] } as const;
  for (const index of [0, 1, 2]) {
    const name = `case${index}`;
    const bar = (width: number) => (at: number) => Number(at % SHAPE[2] < width);
    await writeNifti(join(reference, `${name}.nii`), SHAPE, bar(3), spacing);
    await writeNifti(join(images, `${name}_0000.nii`), SHAPE, (at) => at, spacing);
    await writeNifti(join(first, `${name}.nii`), SHAPE, bar(3 + index), spacing);
    await writeNifti(join(second, `${name}.nii`), SHAPE, bar(4 + index), spacing);
  }
  return { root, reference, images, first, second, output: join(root, 'report.html') };
}

/** The data of a report, and the bytes of its layers. */
async function read(file: string): Promise<{ data: Report; bytes: (blob: number) => Buffer; html: string }> {
  const html = await readFile(file, 'utf8');
  const json = /<script type="application\/json" id="report">(.*?)<\/script>/s.exec(html)?.[1] ?? '';
  const bytes = (blob: number) => {
    const text =
      new RegExp(`<script type="text/plain" id="blob-${blob}">([^<]*)</script>`).exec(html)?.[1] ?? '';
    return gunzipSync(Buffer.from(text, 'base64'));
  };
  return { data: JSON.parse(json) as Report, bytes, html };
}

const ofKind = <K extends Section['kind']>(data: Report, kind: K) =>
  data.sections.filter((section): section is Extract<Section, { kind: K }> => section.kind === kind);

test('a report of two folders of predictions has the scores of evaluate and the tests of compare', async (t) => {
  const { reference, images, first, second, output } = await folders(t);
  const run = report({ paths: [first, second], output, reference, images });
  const events: string[] = [];
  for await (const event of run) events.push(event.type);
  const summary = await run.result;
  t.like(summary, { output, kinds: ['predictions', 'predictions'], cases: 6, thinned: 0, failures: [] });
  t.true(events.includes('progress'));
  t.is(events.filter((type) => type === 'started').length, 1);
  t.is(summary.bytes, (await readFile(output)).length);
  t.false((await readdir(second)).includes('summary.json'), 'nothing is written into the folder');

  const { data, bytes, html } = await read(output);
  t.notRegex(html, /(src|href)="https?:/);
  const [one, two] = ofKind(data, 'predictions') as [Predictions, Predictions];
  const metrics = ['surface', 'volume'] as const;
  const evaluated = await evaluate({
    referenceDir: reference,
    predictionDir: second,
    ignoreLabel: -1,
    metrics,
  }).result;
  t.deepEqual(
    two.scores?.cases.map(({ name }) => name),
    ['case2', 'case1', 'case0'],
    'the worst first',
  );
  for (const { name, values } of two.scores?.cases ?? []) {
    const expected = evaluated.report?.cases.find((found) => found.case === name)?.regions['1'];
    const found = Object.fromEntries(two.scores?.metrics.map(({ key }, at) => [key, values[0]?.[at]]) ?? []);
    for (const key of ['dice', 'hd95', 'assd', 'surfaceDice', 'relativeVolumeError'] as const) {
      t.is(found[key], expected?.[key], `${name} ${key}`);
    }
  }
  const dice = evaluated.report?.statistics.find(({ metric }) => metric === 'dice');
  t.like(
    two.scores?.summary.find(({ metric }) => metric === 'dice'),
    { n: 3, mean: dice?.mean, median: dice?.median, low: dice?.low, high: dice?.high },
  );

  const compared = await compare({
    referenceDir: reference,
    firstDir: first,
    secondDir: second,
    ignoreLabel: -1,
    metrics,
  }).result;
  const [comparison] = ofKind(data, 'comparison');
  const { firstMean, secondMean, difference, low, high, p, adjustedP, rankBiserial } =
    compared.tests[0] ?? {};
  t.like(comparison?.rows[0], {
    ...{
      class: 'label 1',
      metric: 'dice',
      n: 3,
      first: firstMean,
      second: secondMean,
      difference,
      low,
      high,
    },
    ...{ p, adjusted: adjustedP, effect: rankBiserial },
  });
  t.is(comparison?.pairs.filter(({ metric }) => metric === 'dice').length, 3);

  // The worst case opens first; its layers are the voxels of the files.
  const [worst] = two.cases as [ViewCase];
  t.like(worst, { name: 'case2', shape: [...SHAPE], offset: [0, 0, 0], spacing: [2, 1, 1], step: [1, 1, 1] });
  t.deepEqual(
    worst.affine.map((value) => value + 0),
    [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1].map((v, at) => ([0, 5].includes(at) ? -v : v)),
  );
  const layer = (role: string) => worst.layers.find((found) => found.role === role);
  const raw = (role: string) => [...bytes(layer(role)?.blob ?? -1)];
  t.deepEqual(
    raw('prediction'),
    Array.from({ length: VOXELS }, (_, at) => Number(at % 8 < 6)),
  );
  const image = layer('image');
  const values = raw('image').map((byte) => byte * (image?.slope ?? 0) + (image?.intercept ?? 0));
  t.true(values.every((value, at) => Math.abs(value - at) <= (image?.slope ?? 0)));
  t.true(worst.largestError !== null && (worst.largestError[2] === 4 || worst.largestError[2] === 3));
  t.is(one.cases.length, 3);
});

test('predictions without reference have images; a summary.json gives scores, and a damaged one is an error', async (t) => {
  const { root, reference, first, output } = await folders(t);
  await report({ paths: [first], output }).result;
  const [plain] = ofKind((await read(output)).data, 'predictions');
  t.is(plain?.scores, null);
  t.deepEqual(
    plain?.cases.map(({ name, layers }) => [name, layers.length]),
    ['case0', 'case1', 'case2'].map((name) => [name, 1]),
  );
  await evaluate({ referenceDir: reference, predictionDir: first }).result;
  await report({ paths: [first], output, cases: 1 }).result;
  const [scored] = ofKind((await read(output)).data, 'predictions');
  t.is(scored?.scores?.cases[0]?.name, 'case2');
  t.deepEqual(
    scored?.cases.map(({ name }) => name),
    ['case2'],
  );
  await writeFile(join(first, 'summary.json'), '{"results": {');
  await t.throwsAsync(report({ paths: [first], output: join(root, 'none.html') }).result, {
    code: 'ERR_SUMMARY_FILE',
  });
  await t.throwsAsync(readFile(join(root, 'none.html')), { code: 'ENOENT' });
});

test('paths and folders that are wrong are named', async (t) => {
  const { root, first, output } = await folders(t);
  const empty = join(root, 'empty');
  await mkdir(empty);
  const failure = (options: Parameters<typeof report>[0]) => t.throwsAsync(report(options).result);
  t.like(await failure({ paths: [join(root, 'none')], output }), { code: 'ERR_NOT_FOUND' });
  const nothing = await failure({ paths: [empty], output });
  t.like(nothing, { code: 'ERR_REPORT_PATH' });
  t.regex(nothing?.message ?? '', /empty folder; expected a trained model.*raw task.*predictions/);
  t.like(await failure({ paths: [first], output: join(root, 'no', 'folder', 'x.html') }), {
    code: 'ERR_NOT_FOUND',
  });
  const folder = await failure({ paths: [first], output: empty });
  t.like(folder, { code: 'ERR_OPTIONS' });
  t.regex(folder?.message ?? '', /is a folder; name a file/);
  t.like(await failure({ paths: [first], output, reference: join(root, 'none') }), { code: 'ERR_NOT_FOUND' });
  t.like(await failure({ paths: [first], output, reference: empty }), { code: 'ERR_CASES_FAILED' });
  t.like(await failure({ paths: [first, first], output }), { code: 'ERR_OPTIONS' });
  t.like(await failure({ paths: [], output }), { code: 'ERR_OPTIONS' });
  const shown = await cli(['report', empty, '-o', output]);
  t.is(shown.code, 1);
  t.regex(shown.err, /progress\.jsonl/);
});

test('a damaged prediction belongs to its case, and the others are shown', async (t) => {
  const { reference, first, output } = await folders(t);
  await writeFile(join(first, 'case1.nii'), 'damaged');
  const shown = await cli(['report', first, '--reference', reference, '-o', output]);
  t.is(shown.code, 1);
  t.regex(shown.out, /case1/);
  t.is(shown.err.match(/warning \(case1\)/g)?.length, 1, 'told once');
  const [section] = ofKind((await read(output)).data, 'predictions');
  t.deepEqual(
    section?.cases.map(({ name }) => name),
    ['case2', 'case0'],
  );
});

test('a raw task has findings, a table, histograms and cases', async (t) => {
  const { root, folders } = await workspace(t);
  const task = await writeTask(folders.rawDataBase, 'Task501_X', {
    a: [6, 8, 8],
    b: [6, 8, 8],
    c: [6, 10, 8],
  });
  await writeNifti(join(task, 'labelsTr', 'b.nii'), [6, 8, 8], (at) => (at < 64 ? 1 : at < 128 ? 0 : -1));
  await writeNifti(join(task, 'labelsTr', 'c.nii'), [6, 10, 8], (at) => (at < 80 ? 7 : 0));
  const output = join(root, 'task.html');
  const summary = await report({ paths: [task], output, cases: 2 }).result;
  t.like(summary, { kinds: ['task'], cases: 2, failures: [] });
  const { data, bytes } = await read(output);
  const [found] = ofKind(data, 'task') as [Task];
  t.like(found.findings[0], { severity: 'error', code: 'unlistedLabel', case: 'c' });
  t.deepEqual(found.table.columns.map(({ name }) => name).slice(6), ['organ', 'label 7', 'Annotated']);
  const row = found.table.rows.find((one) => one.case === 'b')?.values ?? [];
  t.deepEqual(row.slice(0, 6), [6, 8, 8, 1, 1, 1]);
  t.is(row[6], 0.064);
  t.true(Math.abs(Number(row[8]) - 100 / 3) < 1e-9);
  t.deepEqual(
    found.histograms.find(({ name }) => name === 'Size y')?.counts.reduce((a, b) => a + b),
    3,
  );
  const sparse = found.cases[1];
  const layer = sparse?.layers.find(({ role }) => role === 'reference');
  t.is(layer?.unlabelled, 255);
  t.is(bytes(layer?.blob ?? -1).filter((byte) => byte === 255).length, 256);
});

test('a source gives the curves of a running training, and its images once they are prepared', async (t) => {
  const { root, reference, first } = await folders(t);
  const fold = join(root, 'model', 'fold_0');
  await mkdir(join(fold, 'validation_raw'), { recursive: true });
  const line = (epoch: number) =>
    `${JSON.stringify({ epoch, epochs: 9, trainLoss: 1 / (epoch + 1), validationLoss: null, dice: [0.5], best: false, learningRate: 0.01, seconds: 2, secondsLeft: 3, waitShare: 0, iterationsPerSecond: 1 })}\n`;
  await writeFile(join(fold, 'progress.jsonl'), line(0));
  for (const name of ['case0.nii', 'case2.nii']) {
    await writeFile(join(fold, 'validation_raw', name), await readFile(join(first, name)));
  }
  const { ReportSource, reportPage } = core();
  t.regex(reportPage(), /id="report"/);
  const source = new ReportSource(JSON.stringify({ paths: [join(root, 'model')], reference }));
  const model = async () => (JSON.parse(await source.read()) as Report).sections[0] as Model;
  const before = await model();
  t.deepEqual(
    [before.runs[0]?.epochs, before.runs[0]?.state, before.cases, before.scores],
    [[0], 'stopped', [], null],
  );
  await source.prepare();
  await writeFile(join(fold, 'progress.jsonl'), line(0) + line(1));
  const after = await model();
  t.deepEqual(after.runs[0]?.epochs, [0, 1]);
  t.deepEqual(
    after.cases.map(({ name }) => name),
    ['case2', 'case0'],
  );
  t.is(after.scores?.cases.length, 2);
  const blob = source.blob(after.cases[0]?.layers[0]?.blob ?? -1);
  t.is(gunzipSync(blob ?? Buffer.alloc(0)).length, VOXELS);
  t.is(source.blob(99), null);
  source.close();
  await t.throwsAsync(source.prepare(), { message: /ERR_CANCELLED/ });
});

test('a preprocessed case that cannot be drawn is a finding of its task', async (t) => {
  const { root, folders } = await preprocessedTask(t);
  const task = join(folders.preprocessed, 'Task701_Small');
  const stage = (await readdir(task)).find((name) => name.endsWith('_stage0')) ?? '';
  await writeFile(join(task, stage, 'b.npz'), 'damaged');
  await writeFile(join(task, stage, 'c.pkl'), 'damaged');
  const output = join(root, 'report.html');
  const { failures, cases } = await report({ paths: [task], output }).result;
  t.is(cases, 3);
  t.deepEqual(failures.map(({ case: name }) => name).sort(), ['b', 'c']);
  const [found] = ofKind((await read(output)).data, 'task');
  t.deepEqual(
    found?.findings.map(({ severity, case: name, code }) => [severity, name, code]),
    failures.map(({ case: name, code }) => ['error', name, code]),
  );
  t.deepEqual(
    found?.cases.map(({ name }) => name),
    ['a', 'd', 'e'],
  );
});

test('a fold has its settings, versions, recipe and the command that repeats it', async (t) => {
  const { root } = await workspace(t);
  const fold = join(root, '3d_fullres', 'Task501_X', 'nnUNetTrainerV2__nnUNetPlansv2.1', 'fold_2');
  await mkdir(fold, { recursive: true });
  const settings = {
    trainer: 'nnUNetTrainerV2',
    configuration: '3d_fullres',
    device: 'cpu',
    seed: '7',
    nnunet_diag_version: '0.1.0',
    torch_version: '2.11.0',
    max_num_epochs: '5',
    num_batches_per_epoch: '3',
    initial_lr: '0.01',
    recipe: JSON.stringify({
      sampling: { kind: 'foreground', fraction: 0.33 },
      loss: { crossEntropy: 1, dice: 1 },
    }),
  };
  await writeFile(join(fold, 'debug.json'), JSON.stringify(settings));
  const output = join(root, 'report.html');
  await report({ paths: [fold], output }).result;
  const [model] = ofKind((await read(output)).data, 'model');
  const facts = Object.fromEntries(model?.facts.map(({ name, value }) => [name, value]) ?? []);
  t.like(facts, {
    ...{ Task: 'Task501_X', Configuration: '3d_fullres', Trainer: 'nnUNetTrainerV2', Seed: '7' },
    ...{ Versions: 'nnunet-diag 0.1.0, libtorch 2.11.0', Device: 'cpu', Epochs: '0 of 5' },
  });
  t.is(
    model?.recipe,
    'Patches are drawn at random, 33 % of each batch on foreground. The loss is cross-entropy + Dice. 5 epochs of 3 iterations, learning rate 0.01 at first.',
  );
  t.regex(
    model?.command ?? '',
    /^nnunet-diag train Task501_X -c 3d_fullres -f 2 --seed 7 --epochs 5 --iterations 3 /,
  );
});

test('a cancelled report writes nothing', async (t) => {
  const { first, output } = await folders(t);
  const signal = AbortSignal.abort();
  await t.throwsAsync(report({ paths: [first], output, signal }).result, { code: 'ERR_CANCELLED' });
  await t.throwsAsync(readFile(output), { code: 'ENOENT' });
});
