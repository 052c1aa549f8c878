import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { packageRoot } from '../ts/version.js';
import { canLimitFiles, limited } from './limited.js';
import { noise, type Shape, workspace, writeNifti, writeTask } from './made-up.js';

const PROGRAM = [process.execPath, join(packageRoot, 'dist', 'ts', 'cli', 'main.js')];
const LARGE: Shape = [40, 40, 40];
const SMALL: Shape = [10, 10, 10];
const STAGE = 'nnUNetData_plans_v2.1_stage0';
// One worker at a time, so that the order of events is that of the cases.
const SETTINGS = ['-c', '3d_fullres', '--no-keep-cropped', '--workers', '1'];

/** Runs the program with a limit on the size of files. */
function program(blocks: number | 'unlimited', ...argv: string[]): { code: number | null; text: string } {
  const { code, out, err } = limited(blocks, [...PROGRAM, ...argv]);
  return { code, text: out + err };
}

const withLimits = canLimitFiles ? test : test.skip;

withLimits('a case that cannot be written is named, leaves nothing behind, and is made up for', async (t) => {
  const { folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task621_Disk', { a: SMALL, b: LARGE, c: SMALL });
  const stage = join(folders.preprocessed, 'Task621_Disk', STAGE);
  const run = (blocks: number | 'unlimited', ...more: string[]) =>
    program(blocks, 'preprocess', '621', ...SETTINGS, ...more, ...flags);

  const first = run(128);
  t.is(first.code, 1, first.text);
  t.regex(first.text, /2 cases preprocessed, 1 failed:\n {2}b: ERR_STORAGE_IO: cannot write .*\/b\.npz: /);
  t.deepEqual(readdirSync(stage).sort(), ['a.npz', 'a.pkl', 'c.npz', 'c.pkl']);

  const second = run('unlimited');
  t.is(second.code, 0, second.text);
  t.regex(second.text, /1 cases preprocessed, 2 skipped because they exist/);
  const whole = readFileSync(join(stage, 'b.npz'));

  t.is(run(128, '--overwrite').code, 1);
  t.deepEqual(readFileSync(join(stage, 'b.npz')), whole);
  t.is(readdirSync(stage).length, 6);
  t.regex(run('unlimited').text, /0 cases preprocessed, 3 skipped because they exist/);
});

withLimits('a pickle that cannot be written is named, and the former one stays', async (t) => {
  const { folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task622_Disk', { a: SMALL, b: SMALL });
  const folder = join(folders.preprocessed, 'Task622_Disk');
  t.is(program('unlimited', 'plan', '622', ...SETTINGS, ...flags).code, 0);
  const files = readdirSync(folder);
  const read = () => files.map((name) => readFileSync(join(folder, name)));
  const before = read();
  const failed = program(1, 'plan', '622', '--overwrite', ...SETTINGS, ...flags);
  t.is(failed.code, 1);
  t.regex(failed.text, /ERR_STORAGE_IO: cannot write .*\/nnUNetPlansv2\.1_plans_3D\.pkl: /);
  t.deepEqual(readdirSync(folder), files);
  t.deepEqual(read(), before);
});

/** Whether this user may mount a file system, as on most Linux systems; else tests that need one are skipped. */
const mounts = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs none /tmp']).status === 0;
const withMounts = mounts ? test : test.skip;

/** Runs the program twice with a file system of 200 KiB at `disk`, which grows between; lists `folder` after each run. */
function onSmallDisk(disk: string, folder: string, argv: readonly string[]) {
  const script = `
    disk=$1; folder=$2; shift 2
    mkdir -p "$disk" && mount -t tmpfs -o size=200k none "$disk" || exit 99
    "$@"; echo "code $?"; ls -A "$folder" | tr '\\n' ' '; echo
    mount -o remount,size=20m "$disk"
    "$@"; echo "code $?"; ls -A "$folder" | tr '\\n' ' '; echo`;
  const words = ['-rm', 'sh', '-c', script, 'sh', disk, folder, ...PROGRAM, ...argv];
  const { stdout, stderr } = spawnSync('unshare', words, { encoding: 'utf8' });
  return { stdout, stderr };
}

withMounts('a full file system ends the verb with its own code, and room lets it go on', async (t) => {
  const { folders, flags } = await workspace(t);
  // The next case would fail on a full disk, too.
  await writeTask(folders.rawDataBase, 'Task623_Disk', { a: SMALL, b: LARGE, c: LARGE });
  const folder = join(folders.preprocessed, 'Task623_Disk', STAGE);
  const verb = ['preprocess', '623', ...SETTINGS, '--quiet', ...flags];
  const { stdout, stderr } = onSmallDisk(folders.preprocessed, folder, verb);
  t.regex(
    stderr,
    /^error: ERR_DISK_FULL: no space left to write .*\/b\.npz: .*free some space and try again/,
  );
  t.regex(stdout, /^code 1\na\.npz a\.pkl \n/);
  t.regex(
    stdout,
    /2 cases preprocessed, 1 skipped because they exist\ncode 0\na\.npz a\.pkl b\.npz b\.pkl c\.npz c\.pkl \n$/,
  );
});

withMounts('a full file system ends a conversion, which leaves no dataset.json', async (t) => {
  const { root } = await workspace(t);
  const source = join(root, 'Dataset071_Disk');
  for (const name of ['a', 'b', 'c']) {
    await writeNifti(join(source, 'imagesTr', `${name}_0000.nii`), name === 'a' ? SMALL : LARGE, noise);
    await writeNifti(join(source, 'labelsTr', `${name}.nii`), name === 'a' ? SMALL : LARGE, () => 1);
  }
  const dataset = { channel_names: { 0: 'CT' }, labels: { background: 0, organ: 1 }, file_ending: '.nii' };
  await writeFile(join(source, 'dataset.json'), JSON.stringify(dataset));
  const disk = join(root, 'disk');
  const verb = ['convert', source, '-o', disk, '--workers', '1', '--quiet'];
  const { stdout, stderr } = onSmallDisk(disk, join(disk, 'Task071_Disk'), verb);
  t.regex(stderr, /^error: ERR_DISK_FULL: no space left to write .*\/b_0000\.nii\.gz: /);
  t.regex(stdout, /^code 1\nimagesTr labelsTr \n/);
  t.regex(stdout, /3 training and 0 test cases\ncode 0\ndataset\.json imagesTr labelsTr \n$/);
});
