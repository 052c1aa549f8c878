import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { fieldsOf, type Schema, verbNames } from '../ts/cli/schema.js';
import { COMMON, PATHS } from '../ts/config/check.js';
import { findConfig } from '../ts/config/find.js';
import { type Config, defineConfig, loadConfig, NnunetError } from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { cli, workspace, writeTask } from './made-up.js';

const PROGRAM = join(packageRoot, 'dist', 'ts', 'cli', 'main.js');

/** Writes a configuration file and returns its path. */
async function file(folder: string, content: unknown, ending = 'json'): Promise<string> {
  const path = join(folder, `nnunet-diag.config.${ending}`);
  await mkdir(folder, { recursive: true });
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** The error of reading a configuration file, without the path of the file. */
async function refusal(t: ExecutionContext, path: string): Promise<string> {
  const error = await t.throwsAsync(loadConfig(path), { instanceOf: NnunetError });
  t.is((error as NnunetError | undefined)?.code, 'ERR_CONFIG');
  return (error?.message ?? '').replaceAll(`${path}: `, '');
}

test('options of verbs are read; common ones go to the verbs that have them; paths become absolute', async (t) => {
  const { root } = await workspace(t);
  const content: Config = defineConfig({
    common: { results: 'models', workers: 2, device: 'cpu' },
    train: { epochs: 500, workers: 1, recipe: { ignoreLabel: -1 } },
    predict: { output: '../out', mirroring: false, scratch: '$TMPDIR/own' },
    preprocess: { scratch: 'fast' },
    check: { task: 'tasks/Task501_X' },
    ensemble: { folders: ['one', '../two'] },
  });
  const path = await file(root, { $schema: 'x', ...content });
  const loaded = await loadConfig(path);
  t.is(loaded.path, path);
  t.deepEqual(loaded.options.train, {
    ...{ results: join(root, 'models'), workers: 1, device: 'cpu' },
    ...{ epochs: 500, recipe: { ignoreLabel: -1 } },
  });
  t.deepEqual(loaded.options.predict, {
    ...{ workers: 2, device: 'cpu', output: join(root, '..', 'out'), mirroring: false },
    scratch: '$TMPDIR/own',
  });
  t.is(loaded.options.preprocess.scratch, join(root, 'fast'));
  t.is(loaded.options.check.task, join(root, 'tasks', 'Task501_X'));
  t.deepEqual(loaded.options.ensemble, {
    ...{ workers: 2, folders: [join(root, 'one'), join(root, '..', 'two')] },
  });
  t.deepEqual(loaded.options.inspect, { workers: 2 });
});

test('every text option is known as a path or as no path', (t) => {
  // `validation` is the name of a folder within each fold.
  const others = [
    ...['task', 'name', 'groupPattern', 'matchingPattern', 'checkpoint', 'device', 'stopAfter'],
    ...['validation', 'trainer', 'cascadeTrainer', 'plans'],
    ...['shard', 'partition', 'account', 'gres', 'mem', 'time', 'dependency', 'host', 'rankTimeout'],
  ];
  const texts = verbNames().flatMap((verb) =>
    fieldsOf(verb)
      .filter(({ kind, choices, list }) => kind === 'text' && choices.length === 0 && !list)
      .map(({ name }) => name),
  );
  t.deepEqual([...new Set(texts)].sort(), [...PATHS, ...others].sort());
});

test('the JSON Schema for editors has every verb and option, and requires none', async (t) => {
  const script = pathToFileURL(join(packageRoot, 'scripts', 'lib', 'config-schema.mjs')).href;
  const { configSchema } = (await import(script)) as { configSchema(): Promise<Schema> };
  const { properties = {}, $defs = {} } = await configSchema();
  t.deepEqual(Object.keys(properties), ['$schema', 'common', ...verbNames()]);
  t.deepEqual(Object.keys(properties.common?.properties ?? {}), [...COMMON]);
  for (const verb of verbNames()) {
    const type = $defs[properties[verb]?.$ref?.replace('#/$defs/', '') ?? ''];
    t.deepEqual(
      Object.keys(type?.properties ?? {}),
      fieldsOf(verb).map(({ name }) => name),
    );
    t.like(type, { additionalProperties: false });
    t.false('required' in (type ?? {}));
  }
});

test('every problem is named with its path, the expected value and the nearest name', async (t) => {
  const { root } = await workspace(t);
  const path = await file(root, {
    trian: {},
    common: { wokers: 2, results: 7 },
    train: { epohcs: 5, epochs: 'x', recipe: { loss: { dise: 1 } }, configuration: '3d_fulres', signal: {} },
    predict: 5,
  });
  t.deepEqual((await refusal(t, path)).split('\n'), [
    'trian: unknown verb; did you mean train?',
    `common.wokers: expected one of rawDataBase, preprocessed, results, workers, device, precision; did you mean workers?`,
    'common.results: expected text, got 7',
    'train.signal: a signal belongs in a program; remove it',
    'train.epohcs: unknown option; did you mean epochs?',
    'train.epochs: expected a whole number of at least 1, got "x"',
    'train.recipe.loss.dise: unknown option; did you mean dice?',
    'train.configuration: expected one of 2d, 3d_fullres, 3d_lowres, 3d_cascade_fullres, got "3d_fulres"; did you mean 3d_fullres?',
    'predict: expected an object of options, got 5',
  ]);
  t.is(await refusal(t, await file(root, '[]')), 'expected an object of verbs, got []');
  const half = await file(root, { plan: { task: '501', patchSize: [64, 64, 64] } });
  t.deepEqual((await loadConfig(half)).options.plan.patchSize, [64, 64, 64]);
});

test('JSON with a byte order mark is read; comments and broken JSON are rejected with advice', async (t) => {
  const { root } = await workspace(t);
  const path = await file(root, '\uFEFF{ "train": { "epochs": 3 } }');
  t.is((await loadConfig(path)).options.train.epochs, 3);
  await file(root, '{\n  // epochs\n  "train": { "epochs": 3 }\n}');
  t.regex(await refusal(t, path), /^is no JSON: .*JSON has no comments/s);
  await file(root, '{ "train": ');
  t.regex(await refusal(t, path), /^is no JSON: .*; correct the file$/s);
});

test('programs export the configuration; a program that cannot run is an error that names the file', async (t) => {
  const { root } = await workspace(t);
  const good = await file(join(root, 'a'), 'export default { train: { epochs: 4 } };', 'mjs');
  t.is((await loadConfig(good)).options.train.epochs, 4);
  const common = await file(join(root, 'b'), 'module.exports = { train: { epochs: 5 } };', 'js');
  t.is((await loadConfig(common)).options.train.epochs, 5);
  t.regex(
    await refusal(t, await file(join(root, 'c'), 'export const x = 1;', 'mjs')),
    /has no default export; write `export default/,
  );
  t.regex(
    await refusal(t, await file(join(root, 'd'), 'export default missing.value;', 'mjs')),
    /cannot be loaded: missing is not defined; correct the file/,
  );
  t.regex(
    await refusal(t, await file(join(root, 'e'), "import 'no-such-package-here'; export default {};", 'mjs')),
    /cannot be loaded: .*no-such-package-here.*; install the package beside it/s,
  );
});

test('a TypeScript file is read where Node runs TypeScript; elsewhere the error says what to do', async (t) => {
  const { root } = await workspace(t);
  const path = await file(root, 'const epochs: number = 6;\nexport default { train: { epochs } };', 'ts');
  if ((process.features as { typescript?: unknown }).typescript) {
    t.is((await loadConfig(path)).options.train.epochs, 6);
  } else {
    t.regex(
      await refusal(t, path),
      /does not run TypeScript; use Node 22\.18, 23\.6 or later, or name the file/,
    );
  }
});

test('the nearest parent’s file is found; two in a folder and a named file that is missing are errors', async (t) => {
  const { root } = await workspace(t);
  const inner = join(root, 'project', 'deep');
  await mkdir(inner, { recursive: true });
  const far = await file(root, {});
  t.is(findConfig(undefined, inner), far);
  const near = await file(join(root, 'project'), {});
  t.is(findConfig(undefined, inner), near);
  await file(join(root, 'project'), '', 'ts');
  t.throws(() => findConfig(undefined, inner), {
    message: /has 2 configuration files: .*; keep one of them/,
  });
  t.is(findConfig(far, inner), far);
  const missing = await t.throwsAsync(loadConfig(join(root, 'none.json')));
  t.is((missing as NnunetError).code, 'ERR_NOT_FOUND');
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot(
  'a program in a parent folder that belongs to another user is not run unless it is named',
  async (t) => {
    const { root } = await workspace(t);
    const path = await file(root, 'export default {};', 'mjs');
    t.is(findConfig(undefined, root), path);
    await chown(path, 12345, 12345);
    t.throws(() => findConfig(undefined, root), {
      message: /belongs to another user \(12345\) .*--config/,
    });
    t.is(findConfig(path, root), path);
  },
);

/** Runs the command in a folder and returns its exit code, its JSON lines and its error output. */
function command(cwd: string, words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  const lines = stdout.startsWith('{') ? stdout.trim().split('\n') : [];
  return { code: status, lines: lines.map((line) => JSON.parse(line)), out: stdout, err: stderr };
}

test('the command line uses the nearest file and names it; its flags win, in both directions', async (t) => {
  const { root, folders } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task901_Cube', { a: [16, 16, 16], b: [16, 16, 16] });
  const content = {
    common: { rawDataBase: 'raw', preprocessed: 'preprocessed' },
    preprocess: { task: '901', configurations: ['2d'], keepCropped: false },
  };
  const path = await file(root, content);
  const inner = join(root, 'inner');
  await mkdir(inner);
  const first = command(inner, ['preprocess', '--json']);
  t.is(first.code, 0, first.err);
  t.is(first.lines[0].settings.config, path);
  t.like(first.lines.at(-1), { type: 'done', result: { preprocess: { written: 2 } } });
  const plain = command(inner, ['preprocess', '--verbose']);
  t.true(plain.err.includes(`config ${path}`), plain.err);
  const cropped = join(folders.rawDataBase, 'nnUNet_cropped_data', 'Task901_Cube', 'a.npz');
  t.false(existsSync(cropped));
  const whole = command(inner, ['preprocess', '--overwrite', '--keep-cropped', '--json']);
  t.is(whole.code, 0, whole.err);
  t.true(existsSync(cropped));
  const without = command(inner, ['preprocess', '--no-config']);
  t.is(without.code, 2);
  t.regex(without.err, /<task>: missing/);
});

test('an option of the file that contradicts the command line is an error of the file', async (t) => {
  const { root } = await workspace(t);
  const path = await file(root, { train: { patchSize: [64, 64] } });
  const found = command(root, ['train', '501', '-c', '3d_fullres']);
  t.is(found.code, 2);
  t.true(
    found.err.includes(`ERR_CONFIG: ${path}: train.patchSize: expected 3 values for 3d_fullres, got 64 64`),
    found.err,
  );
  const own = command(root, ['train', '501', '-c', '3d_fullres', '--patch-size', '32x32']);
  t.regex(own.err, /--patch-size: expected 3 values for 3d_fullres, got 32 32/);
  await file(root, { train: { epochs: 0 } });
  const json = command(root, ['check', '501', '--json']);
  t.is(json.code, 2);
  t.like(json.lines, [{ type: 'failed', error: { code: 'ERR_CONFIG' } }]);
  t.is(json.err, '');
});

test('--config and NNUNET_DIAG_CONFIG name a file; --config wins', async (t) => {
  const { root } = await workspace(t);
  const one = await file(join(root, 'one'), { check: { task: 'Task111_X' } });
  const two = await file(join(root, 'two'), { check: { task: 'Task222_X' } });
  const variable = command(root, ['check'], { NNUNET_DIAG_CONFIG: one, nnUNet_raw_data_base: root });
  t.regex(variable.err, /Task111_X/);
  const flag = command(root, ['check', '--config', two], {
    ...{ NNUNET_DIAG_CONFIG: one, nnUNet_raw_data_base: root },
  });
  t.regex(flag.err, /Task222_X/);
  const missing = await cli(['check', '--config', join(root, 'none.json')]);
  t.is(missing.code, 1);
  t.regex(missing.err, /ERR_NOT_FOUND: configuration file .*none\.json does not exist/);
});
