/** Reads a DICOM series: one folder, one file for each slice. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import dcmjs from 'dcmjs';
import type { Volume } from 'nnunet-diag';

const { DicomMessage, DicomMetaDictionary } = dcmjs.data;
// It complains of the pixels of every file in implicit little endian.
dcmjs.log.getLogger('validation.dcmjs').setLevel('silent');

type Vector = [x: number, y: number, z: number];

interface Slice {
  file: string;
  series: string;
  rows: number;
  columns: number;
  /** Distance between rows and between columns, in millimetres. */
  spacing: [rows: number, columns: number];
  /** Direction of a row and of a column, in LPS coordinates as everything here. */
  orientation: [row: Vector, column: Vector];
  /** Centre of the first voxel. */
  position: Vector;
  pixels: Float32Array;
}

/** The transfer syntaxes without compression, in little endian. */
const [IMPLICIT, EXPLICIT] = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1'];
/** Tag of the pixels. */
const PIXELS = '7FE00010';

/** Largest difference of a distance between slices, as a part of it. Positions in files are rounded. */
const UNEVEN = 0.02;

/**
 * Reads the slices of a series, in the order of their positions. Values have slope and intercept applied.
 *
 * @throws Error if the folder does not hold exactly one volume with even distances, or if a file is compressed
 */
export async function readSeries(folder: string): Promise<Volume> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.') && name !== 'DICOMDIR').sort();
  const slices: Slice[] = [];
  for (const name of names) slices.push(await readSlice(join(folder, name)));
  const [first] = slices;
  if (first === undefined || slices.length < 2) {
    throw new Error(`${folder} has ${slices.length} files; expected a series of at least two slices`);
  }
  for (const slice of slices) requireAlike(first, slice);

  const [x, y, normal] = axes(first);
  const height = ({ position }: Slice) => dot(position, normal);
  slices.sort((a, b) => height(a) - height(b));
  const distance = requireEven(slices, normal);
  const [lowest = first] = slices;

  const { rows, columns, spacing } = first;
  const data = new Float32Array(slices.length * rows * columns);
  for (const [z, { pixels }] of slices.entries()) data.set(pixels, z * rows * columns);
  return {
    data,
    shape: [slices.length, rows, columns],
    spacing: [distance, ...spacing],
    origin: lowest.position,
    // The axes are the columns of the matrix.
    direction: [0, 1, 2].flatMap((i) => [x[i], y[i], normal[i]] as Vector),
  };
}

/** The values of a file by their keyword. Refuses a file that is compressed or truncated. */
async function valuesOf(file: string): Promise<Record<string, unknown>> {
  const content = await readFile(file);
  const { meta, dict } = parse(file, content);
  const syntax = `${DicomMetaDictionary.naturalizeDataset(meta).TransferSyntaxUID}`;
  if (syntax !== IMPLICIT && syntax !== EXPLICIT) {
    throw new Error(
      `${file} has the transfer syntax ${syntax}; expected uncompressed little endian; convert it, for ` +
        'example with `gdcmconv --raw` or `dcmdjpeg`',
    );
  }
  // dcmjs reads zeros where a truncated file has no pixels.
  const pixels = dict[PIXELS];
  const bytes = pixels?.Value[0] instanceof ArrayBuffer ? pixels.Value[0].byteLength : 0;
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes);
  const type = syntax === EXPLICIT ? [Buffer.from(`${pixels?.vr}\0\0`)] : [];
  const header = Buffer.concat([Buffer.from([0xe0, 0x7f, 0x10, 0x00]), ...type, length]);
  const start = content.lastIndexOf(header);
  if (start < 0 || start + header.length + bytes > content.length) {
    throw new Error(`${file} has no pixels, or not all of them; it may be truncated; copy it again`);
  }
  return DicomMetaDictionary.naturalizeDataset(dict);
}

function parse(file: string, { buffer, byteOffset, byteLength }: Buffer) {
  try {
    return DicomMessage.readFile(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  } catch (cause) {
    throw new Error(`${file} is not a readable DICOM file; move other files out of the folder`, { cause });
  }
}

async function readSlice(file: string): Promise<Slice> {
  const values = await valuesOf(file);
  const numbers = (keyword: string, length: number, initial?: number): number[] => {
    const found = values[keyword] ?? initial;
    const list = (Array.isArray(found) ? found : [found]).map(Number);
    if (found === undefined || list.length !== length || !list.every(Number.isFinite)) {
      throw new Error(
        `${file} has ${keyword} ${JSON.stringify(values[keyword])}; expected ${length} numbers`,
      );
    }
    return list;
  };
  const one = (keyword: string, initial?: number) => numbers(keyword, 1, initial)[0] ?? 0;
  const [rows, columns, frames] = [one('Rows'), one('Columns'), one('NumberOfFrames', 1)];
  const colours = `${values.PhotometricInterpretation}`;
  if (frames !== 1 || !colours.startsWith('MONOCHROME')) {
    throw new Error(`${file} has ${frames} frames of ${colours}; expected one frame of MONOCHROME2`);
  }
  if (values.ModalityLUTSequence !== undefined) {
    throw new Error(`${file} has a table of intensities; expected a slope and an intercept`);
  }
  const used = one('BitsStored');
  const pixels = intensities(file, values.PixelData, rows * columns, {
    allocated: one('BitsAllocated'),
    used,
    high: one('HighBit', used - 1),
    signed: one('PixelRepresentation') === 1,
    slope: one('RescaleSlope', 1),
    intercept: one('RescaleIntercept', 0),
  });
  const cosines = numbers('ImageOrientationPatient', 6);
  return {
    file,
    series: `${values.SeriesInstanceUID}`,
    rows,
    columns,
    spacing: numbers('PixelSpacing', 2) as [number, number],
    orientation: [cosines.slice(0, 3) as Vector, cosines.slice(3) as Vector],
    position: numbers('ImagePositionPatient', 3) as Vector,
    pixels,
  };
}

interface Stored {
  /** Bits of a value in the file, those that are used, and the highest of these. */
  allocated: number;
  used: number;
  high: number;
  signed: boolean;
  slope: number;
  intercept: number;
}

/** The values of a slice. Bits beside the used ones do not count. */
function intensities(file: string, pixelData: unknown, length: number, stored: Stored): Float32Array {
  const { allocated, used, high, signed, slope, intercept } = stored;
  const Values = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array }[allocated];
  if (Values === undefined || used > allocated || high !== used - 1) {
    throw new Error(`${file} has ${used} of ${allocated} bits up to bit ${high}; expected 8, 16 or 32 bits`);
  }
  const bytes: unknown = Array.isArray(pixelData) ? pixelData[0] : undefined;
  const expected = length * Values.BYTES_PER_ELEMENT;
  if (!(bytes instanceof ArrayBuffer) || bytes.byteLength < expected) {
    const found = bytes instanceof ArrayBuffer ? bytes.byteLength : 0;
    throw new Error(`${file} has ${found} bytes of pixels; expected ${expected}; it may be truncated`);
  }
  const shift = 32 - used;
  const pixels = new Float32Array(length);
  for (const [i, value] of new Values(bytes, 0, length).entries()) {
    const left = value << shift;
    pixels[i] = slope * (signed ? left >> shift : left >>> shift) + intercept;
  }
  return pixels;
}

/** Refuses a slice of another series or on another grid. */
function requireAlike(first: Slice, slice: Slice): void {
  const names = `${first.file} and ${slice.file}`;
  if (slice.series !== first.series) {
    throw new Error(`${names} are of two series, ${first.series} and ${slice.series}; separate them`);
  }
  const grid = ({ rows, columns, spacing }: Slice) => [rows, columns, ...spacing];
  if (grid(slice).some((n, i) => Math.abs(n - (grid(first)[i] ?? 0)) > 1e-4)) {
    throw new Error(`${names} have the grids ${grid(first)} and ${grid(slice)}; expected one grid`);
  }
  const cosines = ({ orientation }: Slice) => orientation.flat();
  if (cosines(slice).some((n, i) => Math.abs(n - (cosines(first)[i] ?? 0)) > 1e-4)) {
    throw new Error(`${names} have different orientations; remove localisers from the folder`);
  }
}

/** Directions of the x, y and z axis, made orthonormal, because their digits are rounded. */
function axes({ file, orientation: [row, column] }: Slice): [Vector, Vector, Vector] {
  const normal = unit(cross(row, column));
  if (
    Math.abs(dot(row, column)) > 1e-3 ||
    Math.abs(dot(row, row) - 1) > 1e-3 ||
    !normal.every(Number.isFinite)
  ) {
    throw new Error(
      `${file} has the orientation [${[...row, ...column]}]; expected two orthogonal unit vectors`,
    );
  }
  const x = unit(row);
  return [x, cross(normal, x), normal];
}

/** The distance between sorted slices. Refuses double, missing and sheared slices. */
function requireEven(slices: readonly Slice[], normal: Vector): number {
  const steps = slices.slice(1).map((slice, i) => {
    const before = slices[i] ?? slice;
    const step = slice.position.map((n, axis) => n - (before.position[axis] ?? 0)) as Vector;
    const height = dot(step, normal);
    const shear = Math.sqrt(Math.max(0, dot(step, step) - height * height));
    return { names: `${before.file} and ${slice.file}`, height, shear };
  });
  const heights = steps.map(({ height }) => height).sort((a, b) => a - b);
  const usual = heights[Math.floor(heights.length / 2)] ?? 0;
  const double = steps.find(({ height }) => height < 1e-3);
  if (double !== undefined) {
    throw new Error(`${double.names} are at the same position; expected one time point and echo`);
  }
  for (const { names, height, shear } of steps) {
    if (Math.abs(height - usual) > UNEVEN * usual) {
      const text = `${height.toFixed(3)} mm, most others ${usual.toFixed(3)} mm`;
      throw new Error(`the distance of ${names} is ${text}; a slice is missing, or the distances are uneven`);
    }
    if (shear > UNEVEN * usual) {
      throw new Error(
        `${names} are shifted by ${shear.toFixed(3)} mm within their plane; gantry tilt is not supported`,
      );
    }
  }
  return heights.reduce((sum, height) => sum + height, 0) / heights.length;
}

const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const unit = (a: Vector) => a.map((n) => n / Math.sqrt(dot(a, a))) as Vector;
