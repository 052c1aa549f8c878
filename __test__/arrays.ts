import { readFile, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** A float array of a `.npy` file. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** Reads a little-endian float32 or float64 `.npy` file. */
export async function readNpy(path: string): Promise<NpyArray> {
  const file = await readFile(path);
  const start = 10 + file.readUInt16LE(8);
  const header = file.toString('latin1', 10, start);
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '').split(',').filter((n) => n.trim() !== '');
  const bytes = Uint8Array.from(file.subarray(start)).buffer;
  const data = header.includes("'<f8'") ? new Float64Array(bytes) : new Float32Array(bytes);
  return { shape: shape.map(Number), data };
}

/** Writes an uncompressed `.npz` file of float32 arrays by name. */
export async function writeNpz(
  path: string,
  arrays: Record<string, { shape: readonly number[]; data: Float32Array }>,
): Promise<void> {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    const body = Buffer.concat([
      npyHeader(shape),
      Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    ]);
    const file = Buffer.from(`${name}.npy`);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(body), 10);
    common.writeUInt32LE(body.length, 14);
    common.writeUInt32LE(body.length, 18);
    common.writeUInt16LE(file.length, 22);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(20, 4);
    common.copy(entry, 6);
    entry.writeUInt32LE(offset, 42);
    central.push(entry, file);
    const head = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), common, file, body]);
    local.push(head);
    offset += head.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(local.length, 8);
  end.writeUInt16LE(local.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  await writeFile(path, Buffer.concat([...local, directory, end]));
}

function npyHeader(shape: readonly number[]): Buffer {
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const size = Buffer.alloc(2);
  size.writeUInt16LE(padded.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), size, Buffer.from(padded)]);
}
