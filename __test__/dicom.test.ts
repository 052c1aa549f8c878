import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import dcmjs from 'dcmjs';
import { readSeries } from '../examples/dicom-series.js';
import { writeLabels } from '../examples/nifti.js';
import { loadModel, readVolume, type Volume } from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { noise, workspace } from './made-up.js';

const test = anyTest as TestFn;
const FULLRES = '3d_fullres/Task011_GoldenTiny/nnUNetTrainerV2__nnUNetPlansv2.1';
const MODEL = join(packageRoot, '__test__/fixtures/checkpoint/model/nnUNet', FULLRES);
const { DicomDict, DicomMetaDictionary } = dcmjs.data;
const MR = '1.2.840.10008.5.1.4.1.1.4';
const EXPLICIT = '1.2.840.10008.1.2.1';

/** A rotation about two axes, as nine cosines. Its columns are the axes of the voxel grid. */
const [A, B] = [0.4, -0.3];
const OBLIQUE = [
  ...[Math.cos(A), -Math.sin(A) * Math.cos(B), Math.sin(A) * Math.sin(B)],
  ...[Math.sin(A), Math.cos(A) * Math.cos(B), -Math.cos(A) * Math.sin(B)],
  ...[0, Math.sin(B), Math.cos(B)],
];
const SHAPE = [12, 18, 20] as const;
const GEOMETRY = { spacing: [2.5, 0.9, 1.25], origin: [-31.5, 12.25, 7], direction: OBLIQUE } as const;
/** Values that int16 holds. */
const VALUES = Int16Array.from({ length: 12 * 18 * 20 }, (_, i) => 2 * Math.round(noise(i)) - 100);

/** A DS of DICOM has at most 16 characters. */
const decimal = (n: number) => Number(n.toPrecision(10));

interface Change {
  /** Other values of the slice's data set, by keyword. */
  values?: object;
  syntax?: string;
}

/** Writes slice `z` of the volume, stored as `(value + 100) / 2`. */
async function writeSlice(folder: string, z: number, { values = {}, syntax = EXPLICIT }: Change = {}) {
  const { spacing, origin, direction } = GEOMETRY;
  const [rows, columns] = [SHAPE[1], SHAPE[2]];
  const stored = VALUES.slice(z * rows * columns, (z + 1) * rows * columns).map((value) => (value + 100) / 2);
  const column = (axis: number) => [0, 1, 2].map((row) => decimal(direction[3 * row + axis] ?? 0));
  const instance = DicomMetaDictionary.uid();
  const slice = {
    SOPClassUID: MR,
    SOPInstanceUID: instance,
    SeriesInstanceUID: '1.2.3.4',
    Modality: 'MR',
    // Not the distance of the slices.
    SliceThickness: 4,
    ImagePositionPatient: origin.map((mm, i) => decimal(mm + z * spacing[0] * (direction[3 * i + 2] ?? 0))),
    ImageOrientationPatient: [...column(0), ...column(1)],
    PixelSpacing: [spacing[1], spacing[2]],
    ...{ Rows: rows, Columns: columns, SamplesPerPixel: 1, PhotometricInterpretation: 'MONOCHROME2' },
    ...{ BitsAllocated: 16, BitsStored: 16, HighBit: 15, PixelRepresentation: 1 },
    ...{ RescaleSlope: 2, RescaleIntercept: -100 },
    PixelData: stored.buffer,
    _vrMap: { PixelData: 'OW' },
    ...values,
  };
  const meta = {
    MediaStorageSOPClassUID: MR,
    MediaStorageSOPInstanceUID: instance,
    TransferSyntaxUID: syntax,
  };
  const file = new DicomDict(DicomMetaDictionary.denaturalizeDataset(meta));
  file.dict = DicomMetaDictionary.denaturalizeDataset(slice);
  // The order of names is not that of positions.
  await writeFile(join(folder, `${(7 * z) % 12}.dcm`), Buffer.from(file.write()));
}

const nameOf = (z: number) => `${(7 * z) % 12}.dcm`;

async function series(t: ExecutionContext, change: (z: number) => Change = () => ({})) {
  const { root } = await workspace(t);
  const folder = join(root, 'series');
  await mkdir(folder);
  for (let z = 0; z < SHAPE[0]; z += 1) await writeSlice(folder, z, change(z));
  return { root, folder };
}

function sameGrid(t: ExecutionContext, found: Volume, expected: Volume) {
  t.deepEqual(found.shape, expected.shape);
  for (const key of ['spacing', 'origin', 'direction'] as const) {
    const apart = found[key].map((n, i) => Math.abs(n - (expected[key][i] ?? Number.NaN)));
    t.true(Math.max(...apart) < 1e-5, `${key}: ${found[key]}, expected ${expected[key]}`);
  }
}

test('an oblique series has voxels, position and segmentation of the same volume as NIfTI', async (t) => {
  const { root, folder } = await series(t);
  const [nifti, output, segmentation] = ['nifti', 'output', 'segmentation'].map((n) =>
    join(root, `${n}.nii.gz`),
  );
  if (nifti === undefined || output === undefined || segmentation === undefined)
    throw new Error('unreachable');
  await writeLabels(nifti, { data: VALUES, shape: SHAPE }, GEOMETRY);
  const expected = await readVolume(nifti);
  t.deepEqual(expected.data, Float32Array.from(VALUES));
  t.deepEqual(Array.from(expected.spacing, decimal6), [...GEOMETRY.spacing]);
  const found = await readSeries(folder);
  t.deepEqual(found.data, expected.data);
  sameGrid(t, found, expected);

  const program = join(packageRoot, 'dist/examples/dicom.js');
  const { stdout } = await promisify(execFile)(process.execPath, [program, folder, MODEL, output]);
  t.regex(stdout, /12 × 18 × 20 voxels \(z, y, x\) of 2\.500 × 0\.900 × 1\.250 mm/);
  await using model = await loadModel(MODEL);
  await model.predictFile(nifti, segmentation);
  const [ofSeries, ofNifti] = [await readVolume(output), await readVolume(segmentation)];
  t.deepEqual(ofSeries.data, ofNifti.data);
  t.true(new Set(ofSeries.data).size > 1);
  sameGrid(t, ofSeries, ofNifti);
});

const decimal6 = (n: number) => Number(n.toFixed(6));

test('stored bits: unsigned, 12 of 16 bits signed, and 8 bits', async (t) => {
  const unsigned = { PixelRepresentation: 0, RescaleSlope: 1, RescaleIntercept: -1 };
  const voxels = SHAPE[1] * SHAPE[2];
  const read = async (values: object) =>
    (await readSeries((await series(t, () => ({ values }))).folder)).data;
  const all = (value: number) => new Float32Array(12 * voxels).fill(value);
  const words = (value: number) => ({ PixelData: new Uint16Array(voxels).fill(value).buffer });
  t.deepEqual(await read({ ...unsigned, ...words(65_535) }), all(65_534));
  const twelve = { BitsStored: 12, HighBit: 11, RescaleSlope: 1, RescaleIntercept: 0 };
  // -5 in 12 bits, below bits that do not count.
  t.deepEqual(await read({ ...twelve, ...words(0x3ffb) }), all(-5));
  const eight = { ...unsigned, BitsAllocated: 8, BitsStored: 8, HighBit: 7 };
  t.deepEqual(await read({ ...eight, PixelData: new Uint8Array(voxels).fill(200).buffer }), all(199));
});

test('names of files do not count; implicit little endian is read', async (t) => {
  const { folder } = await series(t, () => ({ syntax: '1.2.840.10008.1.2' }));
  const expected = await readSeries(folder);
  for (const name of await readdir(folder)) {
    await rename(join(folder, name), join(folder, `r${99 - Number.parseInt(name, 10)}`));
  }
  await writeFile(join(folder, '.hidden'), '');
  t.deepEqual(await readSeries(folder), expected);
  t.deepEqual(expected.data, Float32Array.from(VALUES));
});

test('a folder that is not one even, uncompressed volume is refused, with the files', async (t) => {
  const refused = async (
    message: RegExp,
    change?: (z: number) => Change,
    spoil?: (folder: string) => unknown,
  ) => {
    const { folder } = await series(t, change);
    await spoil?.(folder);
    const error = await t.throwsAsync(readSeries(folder));
    t.regex(error?.message ?? '', message);
  };
  const third =
    (values: object, syntax = EXPLICIT) =>
    (z: number) =>
      z === 3 ? { values, syntax } : {};
  const at = (z: number, shift = 0) =>
    GEOMETRY.origin.map((mm, i) =>
      decimal(mm + z * 2.5 * (OBLIQUE[3 * i + 2] ?? 0) + shift * (OBLIQUE[3 * i] ?? 0)),
    );
  await refused(/4\.dcm and .*6\.dcm is 5\.000 mm, most others 2\.500/, undefined, (f) =>
    rm(join(f, nameOf(5))),
  );
  await refused(/same position/, third({ ImagePositionPatient: at(4) }));
  await refused(/is 3\.000 mm|is 2\.000 mm/, third({ ImagePositionPatient: at(3.2) }));
  await refused(/shifted by \d\.\d+ mm within/, (z) => ({
    values: { ImagePositionPatient: at(z, 0.5 * z) },
  }));
  await refused(/two series, 1\.2\.3\.\d and 1\.2\.3\.\d/, third({ SeriesInstanceUID: '1.2.3.5' }));
  await refused(new RegExp(`${nameOf(3)} have the grids`), third({ PixelSpacing: [0.9, 1.3] }));
  await refused(/different orientations/, third({ ImageOrientationPatient: [1, 0, 0, 0, 1, 0] }));
  await refused(/two orthogonal unit vectors/, () => ({
    values: { ImageOrientationPatient: [1, 0, 0, 1, 0, 0] },
  }));
  await refused(
    /ImageOrientationPatient undefined; expected 6/,
    third({ ImageOrientationPatient: undefined }),
  );
  await refused(/1 frames of RGB/, third({ SamplesPerPixel: 3, PhotometricInterpretation: 'RGB' }));
  await refused(
    new RegExp(`${nameOf(3)} has 100 bytes of pixels`),
    third({ PixelData: new ArrayBuffer(100) }),
  );
  await refused(/is not a readable DICOM file/, undefined, (f) => writeFile(join(f, 'notes.txt'), 'notes'));
  await refused(/at least two slices/, undefined, async (f) => {
    for (let z = 1; z < 12; z += 1) await rm(join(f, nameOf(z)));
  });
  const encapsulated = { PixelData: [new ArrayBuffer(360)], _vrMap: { PixelData: 'OB' } };
  for (const syntax of ['1.2.840.10008.1.2.4.70', '1.2.840.10008.1.2.5']) {
    await refused(
      new RegExp(`9\\.dcm has the transfer syntax ${syntax}; .*gdcmconv`),
      third(encapsulated, syntax),
    );
  }
  for (const bytes of [1, 100, 500]) {
    await refused(/9\.dcm has no pixels, or not all of them/, undefined, async (folder) => {
      const file = join(folder, nameOf(3));
      const content = await readFile(file);
      await writeFile(file, content.subarray(0, content.length - bytes));
    });
  }
});
