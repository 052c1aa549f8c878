// Time and memory of verbs with very many cases. The cases are hard links to one small case, so that listing, planning and
// merging are measured, not the work on voxels. See README.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../dist/ts/cli/main.js');
const FOLDER = resolve(import.meta.dirname, 'work');
const SHAPE = [16, 16, 16];

/** Runs the program; returns wall seconds, peak memory of the process in MiB, and its output. */
async function measure(argv) {
  const start = performance.now();
  const child = spawn(process.execPath, [MAIN, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  let peak = 0;
  const timer = setInterval(async () => {
    // The high-water mark of the system only grows; the last look before the end misses little.
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }, 10);
  const [code] = await once(child, 'close');
  clearInterval(timer);
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${text.slice(-2000)}`);
  return { seconds: (performance.now() - start) / 1000, mebibytes: peak / 1024 };
}

/** A NIfTI file of float32. */
async function writeNifti(path, value) {
  const voxels = SHAPE.reduce((a, b) => a * b);
  const file = Buffer.alloc(352 + 4 * voxels);
  file.writeInt32LE(348, 0);
  [3, ...SHAPE, 1, 1, 1, 1].forEach((n, i) => {
    file.writeInt16LE(n, 40 + 2 * i);
  });
  file.writeInt16LE(16, 70);
  file.writeInt16LE(32, 72);
  [1, 1, 1, 1].forEach((n, i) => {
    file.writeFloatLE(n, 76 + 4 * i);
  });
  file.writeFloatLE(352, 108);
  file.writeInt16LE(1, 254);
  [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0].forEach((n, i) => {
    file.writeFloatLE(n, 280 + 4 * i);
  });
  file.write('n+1\0', 344, 'latin1');
  for (let i = 0; i < voxels; i += 1) file.writeFloatLE(value(i), 352 + 4 * i);
  await writeFile(path, file);
}

/** The folders of a task with `count` cases, and the flags that name them. */
async function prepare(count) {
  const root = join(FOLDER, String(count));
  const at = (name) => join(root, name);
  const raw = join(at('raw'), 'nnUNet_raw_data', 'Task701_Many');
  const cropped = join(at('raw'), 'nnUNet_cropped_data', 'Task701_Many');
  const stage = join(at('preprocessed'), 'Task701_Many', 'nnUNetData_plans_v2.1_stage0');
  const flags = ['--raw-data-base', at('raw'), '--preprocessed', at('preprocessed')];
  const names = Array.from({ length: count }, (_, i) => `case_${String(i).padStart(6, '0')}`);
  const dataset = (training) =>
    JSON.stringify({
      name: 'Many',
      modality: { 0: 'MRI' },
      labels: { 0: 'background', 1: 'one' },
      numTraining: training.length,
      numTest: 0,
      training: training.map((name) => ({
        image: `./imagesTr/${name}.nii.gz`,
        label: `./labelsTr/${name}.nii.gz`,
      })),
      test: [],
    });
  const first = names[0];
  if (!existsSync(at('done'))) {
    await rm(root, { recursive: true, force: true });
    for (const name of ['imagesTr', 'labelsTr']) await mkdir(join(raw, name), { recursive: true });
    await writeNifti(join(raw, 'imagesTr', `${first}_0000.nii`), (i) => 100 + ((Math.sin(i) * 43758) % 50));
    await writeNifti(join(raw, 'labelsTr', `${first}.nii`), (i) => Number(i % 16 > 7));
    await writeFile(join(raw, 'dataset.json'), dataset([first]));
    await measure(['preprocess', '701', '-c', '3d_fullres', ...flags]);
    const more = [
      ...[
        [join(raw, 'imagesTr'), '_0000.nii'],
        [join(raw, 'labelsTr'), '.nii'],
      ],
      ...[
        [cropped, '.npz'],
        [cropped, '.pkl'],
        [join(cropped, 'gt_segmentations'), '.nii.gz'],
      ],
      ...[
        [stage, '.npz'],
        [stage, '.pkl'],
      ],
    ];
    for (const [folder, ending] of more) {
      const from = join(folder, `${first}${ending}`);
      if (!existsSync(from)) continue;
      for (const name of names.slice(1)) await link(from, join(folder, `${name}${ending}`));
    }
    await writeFile(join(raw, 'dataset.json'), dataset(names));
    await writeFile(at('done'), '');
  }
  return { raw, stage, flags, labels: join(raw, 'labelsTr'), images: join(raw, 'imagesTr'), root };
}

const counts = process.argv.slice(2).map(Number);
const rows = [];
for (const count of counts.length > 0 ? counts : [1_000, 10_000]) {
  const { flags, labels, images, root, stage } = await prepare(count);
  const task = ['701', '-c', '3d_fullres', ...flags];
  const summary = join(root, 'summary.json');
  const evaluation = ['evaluate', labels, labels, '-l', '1', '-o', summary];
  const dryRun = ['--engine', 'slurm', '--dry-run', '--no-config'];
  const verbs = {
    'plan, all cropped': ['plan', ...task],
    'preprocess, all done': ['preprocess', ...task],
    'preprocess --shard 1/100': ['preprocess', ...task, '--shard', '1/100'],
    'preprocess --engine slurm --dry-run': ['preprocess', ...task, ...dryRun, '--shards', '100'],
    splits: ['splits', '701', ...flags, '--overwrite'],
    check: ['check', '701', ...flags],
    evaluate: evaluation,
    'evaluate --shard 1/2': [...evaluation, '--shard', '1/2'],
    'evaluate --shard 2/2': [...evaluation, '--shard', '2/2'],
    'evaluate --merge-shards 2': [...evaluation, '--merge-shards', '2'],
    weightmaps: ['weightmaps', stage, '-o', join(root, 'weightmaps')],
  };
  for (const [name, argv] of Object.entries(verbs)) {
    const { seconds, mebibytes } = await measure(argv);
    rows.push([count, name, seconds.toFixed(1), mebibytes.toFixed(0)]);
    console.log(rows.at(-1).join('\t'));
  }
  await rm(join(root, 'weightmaps'), { recursive: true });
  console.log(`${(await readdir(images)).length} images`);
}
