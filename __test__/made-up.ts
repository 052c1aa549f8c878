/** Small raw tasks in a temporary folder, and the command line run on them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Io } from '../ts/cli/command.js';
import { main } from '../ts/cli/program.js';
import { planAndPreprocess } from '../ts/index.js';

/** Voxels `(z, y, x)`. */
export type Shape = readonly [number, number, number];

export interface Folders {
  rawDataBase: string;
  preprocessed: string;
  results: string;
}

/** New nnU-Net folders and their flags. They are removed at the end of the test. */
export async function workspace(
  t: ExecutionContext,
): Promise<{ root: string; folders: Folders; flags: string[] }> {
  const root = await mkdtemp(join(tmpdir(), 'nnunet-made-up-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const folders = {
    rawDataBase: join(root, 'raw'),
    preprocessed: join(root, 'preprocessed'),
    results: join(root, 'results'),
  };
  await mkdir(folders.rawDataBase);
  const { rawDataBase, preprocessed, results } = folders;
  const flags = ['--raw-data-base', rawDataBase, '--preprocessed', preprocessed, '--results', results];
  return { root, folders, flags };
}

/**
 * An uncompressed float32 NIfTI-1 file. The default spacing is 1 mm; `spacing` is `(z, y, x)`. Several volumes make it 4D.
 * `affine` has the three rows of the header's sform, which maps voxels (x, y, z) to millimetres in RAS.
 */
export async function writeNifti(
  path: string,
  shape: Shape,
  value: (index: number) => number,
  {
    spacing = [1, 1, 1],
    volumes = 1,
    affine,
  }: { spacing?: Shape; volumes?: number; affine?: readonly (readonly number[])[] | undefined } = {},
): Promise<void> {
  const voxels = shape[0] * shape[1] * shape[2] * volumes;
  const file = Buffer.alloc(352 + 4 * voxels);
  file.writeInt32LE(348, 0);
  [volumes > 1 ? 4 : 3, shape[2], shape[1], shape[0], volumes, 1, 1, 1].forEach((n, i) => {
    file.writeInt16LE(n, 40 + 2 * i);
  });
  file.writeInt16LE(16, 70);
  file.writeInt16LE(32, 72);
  [1, spacing[2], spacing[1], spacing[0]].forEach((mm, i) => {
    file.writeFloatLE(mm, 76 + 4 * i);
  });
  file.writeFloatLE(352, 108);
  if (affine === undefined)
    file.writeInt16LE(1, 252); // qform with the identity rotation
  else file.writeInt16LE(1, 254);
  affine?.flat().forEach((value, i) => {
    file.writeFloatLE(value, 280 + 4 * i);
  });
  file.write('n+1\0', 344, 'latin1');
  for (let i = 0; i < voxels; i += 1) file.writeFloatLE(value(i), 352 + 4 * i);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, file);
}

/** Pseudorandom values that do not compress. */
export function noise(index: number): number {
  return 100 + ((Math.sin(index * 12.9898) * 43758.5453) % 50);
}

/** Half background, half label 1. */
export function halves(shape: Shape): (index: number) => number {
  return (index) => (index < (shape[0] * shape[1] * shape[2]) / 2 ? 0 : 1);
}

/** Writes a raw task of one channel and returns its folder. Cases are listed in the given order. */
export async function writeTask(
  rawDataBase: string,
  task: string,
  cases: Readonly<Record<string, Shape>>,
  { modality = 'MRI', image = noise }: { modality?: string; image?: (index: number) => number } = {},
): Promise<string> {
  const folder = join(rawDataBase, 'nnUNet_raw_data', task);
  const names = Object.keys(cases);
  for (const [name, shape] of Object.entries(cases)) {
    await writeNifti(join(folder, 'imagesTr', `${name}_0000.nii`), shape, image);
    await writeNifti(join(folder, 'labelsTr', `${name}.nii`), shape, halves(shape));
  }
  const dataset = {
    name: task,
    modality: { 0: modality },
    labels: { 0: 'background', 1: 'organ' },
    training: names.map((name) => ({
      image: `./imagesTr/${name}.nii.gz`,
      label: `./labelsTr/${name}.nii.gz`,
    })),
    test: [],
  };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(dataset));
  return folder;
}

/** A workspace with the preprocessed task 701 of five small cases. */
export async function preprocessedTask(t: ExecutionContext): Promise<{ root: string; folders: Folders }> {
  const { root, folders } = await workspace(t);
  const shape: Shape = [20, 20, 20];
  await writeTask(folders.rawDataBase, 'Task701_Small', { a: shape, b: shape, c: shape, d: shape, e: shape });
  await planAndPreprocess({ task: '701', configurations: ['3d_fullres'], ...folders }).result;
  return { root, folders };
}

/** Runs the program in this process and returns its exit code and output. */
export async function cli(
  argv: readonly string[],
  program: typeof main = main,
): Promise<{ code: number; out: string; err: string }> {
  const text = { out: '', err: '' };
  const io: Io = {
    out: { write: (s) => (text.out += s) },
    err: { write: (s) => (text.err += s) },
  };
  return { code: await program(argv, io), ...text };
}
