/**
 * The whole pipeline is killed, and its disk is full, at every change of a file; the same command again then ends with
 * the files of an undisturbed run.
 */

import { spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { kebab } from '../ts/cli/schema.js';
import { packageRoot } from '../ts/version.js';
import { contents, differences } from './contents.js';
import { type Shape, workspace, writeTask } from './made-up.js';

const MAIN = join(packageRoot, 'dist', 'ts', 'cli', 'main.js');
const SHAPE: Shape = [12, 12, 12];
/** Changes tried in each step of the pipeline and for each fault, or `all`. */
const POINTS = process.env.NNUNET_DIAG_POINTS || '3';
/** Files that a step writes once: after a fault they are whole or not there. */
const WHOLE = /\.(npz|pkl|npy|nii\.gz|zip)$/;
/** Those among them that are written again with more content. */
const TWICE = /\.model|nnUNet_cropped_data.*\.pkl$/;

interface Step {
  readonly name: string;
  readonly argv: readonly string[];
}

function steps(root: string, folders: readonly string[]): Step[] {
  const task = join(root, 'preprocessed', 'Task702_Small');
  const cases = join(task, 'nnUNetData_plans_v2.1_stage0');
  const model = join(root, 'results/nnUNet/3d_fullres/Task702_Small/nnUNetTrainerV2__nnUNetPlansv2.1');
  const raw = join(root, 'raw', 'nnUNet_raw_data', 'Task702_Small');
  const predicted = join(root, 'predicted');
  const training = [
    ...['-c', '3d_fullres', '-f', '0', '--patch-size', '12x12x12', '--batch-size', '2', '--epochs', '2'],
    ...['--iterations', '2', '--validation-iterations', '1', '--save-every', '1', '--precision', 'float32'],
    ...['--workers', '2', '--npz', '--continue', '--tensorboard', '-o', model],
  ];
  const list: readonly (readonly string[])[] = [
    ['check', raw],
    ['preprocess', '702', '-c', '3d_fullres', ...folders],
    ['splits', '702', ...folders],
    ['weightmaps', cases, '--skip-existing'],
    ['train', '702', ...training, ...folders],
    [
      'predict',
      '-i',
      join(raw, 'imagesTr'),
      '-o',
      predicted,
      '-m',
      model,
      '--precision',
      'float32',
      '--save-softmax',
    ],
    ['ensemble', '-o', join(root, 'ensemble'), predicted, predicted],
    ['determine-postprocessing', join(raw, 'labelsTr'), predicted, '-o', join(root, 'rules.json')],
    [
      'apply-postprocessing',
      '-i',
      predicted,
      '-o',
      join(root, 'applied'),
      '--rules',
      join(root, 'rules.json'),
    ],
    ['evaluate', join(raw, 'labelsTr'), predicted, '-l', '1', '-o', join(root, 'summary.json')],
    ['export-model', model, '-o', join(root, 'model.zip')],
    ['install-model', join(root, 'model.zip'), '-o', join(root, 'installed')],
    ['copy-tree', predicted, join(root, 'copy'), '--continue'],
  ];
  return list.map((argv) => ({ name: argv[0] ?? '', argv }));
}

/** A library that is loaded before the C library, or `undefined` where none can be built. */
function library(folder: string, source: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const built = join(folder, 'library.so');
  const argv = ['-shared', '-fPIC', '-O1', '-o', built, join(packageRoot, source), '-ldl'];
  return spawnSync(process.env.CC || 'cc', argv).status === 0 ? built : undefined;
}

/** Runs a step with more environment variables. */
function run(step: Step, env: Readonly<Record<string, string>>) {
  const argv = [MAIN, ...step.argv, '--quiet'];
  const options = { env: { ...process.env, ...env }, encoding: 'utf8', timeout: 180_000 } as const;
  const { status, signal, stderr } = spawnSync(process.execPath, argv, options);
  return { status, signal, stderr };
}

/** Runs a step with a fault below `root`. Returns how it ended and the number of changes. */
async function disturbed(
  step: Step,
  root: string,
  shim: string,
  fault: { FAULT: 'kill' | 'full'; FAULT_AT: string } | undefined,
) {
  const counter = `${root}.counter`;
  await writeFile(counter, Buffer.alloc(8));
  const ended = run(step, { LD_PRELOAD: shim, FAULT_UNDER: root, FAULT_COUNTER: counter, ...fault });
  return { ...ended, changes: Number((await readFile(counter)).readBigInt64LE()) };
}

/** The numbers of the changes that are tried, of `count`. */
function chosen(count: number, offset: number): number[] {
  if (POINTS === 'all') return Array.from({ length: count }, (_, i) => i + 1);
  const points = Math.min(Number(POINTS), count);
  // The first change and the last are among them, if both faults are taken together.
  return Array.from(
    { length: points },
    (_, i) => 1 + Math.floor(((i + offset) * (count - 1)) / (points - 0.5)),
  );
}

/** What is wrong after a fault: what is written once is whole, and nothing that was there is lost. */
function damage(
  found: Record<string, string>,
  before: Record<string, string>,
  after: Record<string, string>,
): string[] {
  const lost = Object.keys(before).filter((name) => !(name in found));
  const once = Object.keys(found).filter((name) => WHOLE.test(name) && name in after && !TWICE.test(name));
  const torn = once.filter((name) => ![after[name], before[name]].includes(found[name]));
  return [...lost.map((name) => `${name} is lost`), ...torn.map((name) => `${name} is neither old nor new`)];
}

/** A raw task on a disk of its own, and the flags of the folders on it. */
async function prepare(t: ExecutionContext): Promise<{ base: string; root: string; flags: string[] }> {
  const { root: base, folders } = await workspace(t);
  const root = join(base, 'disk');
  await mkdir(root);
  const names = ['a', 'b', 'c', 'd', 'e'];
  await writeTask(join(root, 'raw'), 'Task702_Small', Object.fromEntries(names.map((name) => [name, SHAPE])));
  const flags = Object.entries(folders).flatMap(([name, folder]) => [
    `--${kebab(name)}`,
    folder.replace(base, root),
  ]);
  return { base, root, flags };
}

test('a pipeline that is killed or out of space at any change of a file ends with the files of an undisturbed one', async (t) => {
  t.timeout(6 * 3600_000);
  const { base, root, flags } = await prepare(t);
  const shim = library(base, '__test__/faults/every-write.c');
  if (shim === undefined) return t.pass('needs Linux and a C compiler');
  const saved = join(base, 'saved');
  const restore = async (from: string, to: string): Promise<void> => {
    await rm(to, { recursive: true, force: true });
    await cp(from, to, { recursive: true });
  };
  const tried: Record<string, number> = {};
  const problems: string[] = [];
  for (const step of steps(root, flags)) {
    await restore(root, saved);
    const before = await contents(root);
    const undisturbed = await disturbed(step, root, shim, undefined);
    t.is(undisturbed.status, 0, `${step.name}: ${undisturbed.stderr}`);
    const after = await contents(root);
    const disturb = async (FAULT: 'kill' | 'full', at: number): Promise<string[]> => {
      await restore(saved, root);
      const { status, signal, stderr } = await disturbed(step, root, shim, { FAULT, FAULT_AT: String(at) });
      const ended = FAULT === 'kill' ? signal === 'SIGKILL' || status === 0 : status !== null;
      const found = ended ? [] : [`it ended with ${status ?? signal}: ${stderr}`];
      if (FAULT === 'full' && status !== 0 && !/ERR_DISK_FULL|no space left/.test(stderr))
        found.push(`it says ${stderr}`);
      const left = await contents(root);
      found.push(...damage(left, before, after));
      const complete = differences(left, after).length === 0;
      const again = await disturbed(step, root, shim, undefined);
      // A step that was complete may refuse to replace its result.
      const refused = complete && /^error: ERR_\w*EXISTS?:/m.test(again.stderr);
      if (again.status !== 0 && !refused) found.push(`again: ${again.stderr}`);
      return [...found, ...differences(await contents(root), after)];
    };
    for (const [fault, offset] of [
      ['kill', 0],
      ['full', 0.5],
    ] as const) {
      for (const at of chosen(undisturbed.changes, offset)) {
        const found = await disturb(fault, at);
        const label = `${step.name}, ${fault} at change ${at} of ${undisturbed.changes}`;
        if (found.length > 0) problems.push([label, ...found].join('\n  '));
        tried[step.name] = (tried[step.name] ?? 0) + 1;
      }
    }
  }
  t.log(tried);
  t.is(problems.join('\n'), '');
});

for (const [name, number] of [
  ['EPERM', constants.errno.EPERM],
  ['ENOTSUP', constants.errno.ENOTSUP],
] as const) {
  test(`every step works on a server that answers ${name} to modes, times and owners`, async (t) => {
    t.timeout(3600_000);
    const { base, root, flags } = await prepare(t);
    const shim = library(base, 'crates/storage/tests/faults/shim.c');
    if (shim === undefined) return t.pass('needs Linux and a C compiler');
    const env = { LD_PRELOAD: shim, FAULT: `metadata:${number}`, FAULT_UNDER: root };
    const all = steps(root, flags);
    // The second time, over what is there.
    const again = all.filter((step) => !['splits', 'install-model', 'export-model'].includes(step.name));
    for (const step of [...all, ...again]) {
      const { status, stderr } = run(step, env);
      t.is(status, 0, `${step.name}: ${stderr}`);
    }
  });
}
