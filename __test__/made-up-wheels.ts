/**
 * Small wheels with the file names of torch and its dependencies, and the command line in a process of its
 * own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { libraryFile } from '../ts/libtorch/find.js';
import { pinnedWheels } from '../ts/libtorch/wheels.js';
import { packageRoot } from '../ts/version.js';

export const onLinux = process.platform === 'linux';
/** Tag of a wheel that runs here and that pip is asked for. */
export const TAG = pinnedWheels('cpu')[0]?.platforms[0] ?? '';

/** A new folder that is removed at the end of the test. */
export async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'nnunet-wheels-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

type Files = Readonly<Record<string, string>>;

/** A file that is larger than its neighbours, so that a flipped byte or a cut hits it. */
export const LIBRARY = 'made up '.repeat(20_000);
const torch_cpu = `torch/lib/${libraryFile('torch_cpu')}`;

export const TORCH_FILES: Files = {
  [torch_cpu]: LIBRARY,
  [`torch/lib/${libraryFile('c10')}`]: 'c10',
  [`torch/lib/${libraryFile('torch_python')}`]: 'only Python needs it',
  [`torch/lib/${libraryFile('torch_cuda')}`]: 'only CUDA needs it',
  'torch/include/a,b.h': 'a header with a comma',
  'torch/version.py': "__version__ = '2.11.0+cu130'\n",
  'torch/nn.py': 'Python',
};

const TOOLKIT = 'Requires-Dist: cuda-toolkit[cublas,cudart,cupti]==13.0.2; platform_system == "Linux"\n';

/** A wheel as bytes. `recorded` are the files as RECORD lists them, if they differ. */
export function wheel(
  project: string,
  version: string,
  files: Files,
  recorded: Files = files,
  requires = project === 'torch' ? TOOLKIT : '',
): Buffer {
  const info = `${project}-${version}.dist-info`;
  const metadata = `Metadata-Version: 2.1\nName: ${project}\nVersion: ${version}\n${requires}`;
  const all = { ...recorded, [`${info}/METADATA`]: metadata };
  const lines = Object.entries(all).map(([name, text]) => {
    const sum = createHash('sha256').update(text).digest('base64url');
    return `${name.includes(',') ? `"${name}"` : name},sha256=${sum},${Buffer.byteLength(text)}\n`;
  });
  const record = `${lines.join('')}${info}/RECORD,,\n`;
  const tags = 'Wheel-Version: 1.0\nRoot-Is-Purelib: false\n';
  return zip({
    ...files,
    [`${info}/METADATA`]: metadata,
    [`${info}/WHEEL`]: tags,
    [`${info}/RECORD`]: record,
  });
}

/** Writes a torch wheel and the wheels that it needs; returns the file of torch. */
export async function writeWheels(
  into: string,
  { torch = wheel('torch', '2.11.0+made.up', TORCH_FILES), beside = onLinux } = {},
): Promise<string> {
  const file = join(into, `torch-2.11.0+made.up-cp312-cp312-${TAG}.whl`);
  await mkdir(into, { recursive: true });
  await writeFile(file, torch);
  for (const { project, version } of beside ? pinnedWheels('cpu').slice(1) : []) {
    const name = project.replaceAll('-', '_');
    const library = project.includes('cupti') ? 'libcupti.so.13' : 'libcudart.so.13';
    const content = wheel(name, version, { [`nvidia/cu13/lib/${library}`]: library, 'nvidia/x.py': '' });
    await writeFile(join(into, `${name}-${version}-py3-none-${TAG}.whl`), content);
  }
  return file;
}

/** An archive whose members are not compressed. */
function zip(files: Files): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const [path, data] = [Buffer.from(name), Buffer.from(text)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(path.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, place, path);
    const local = [Buffer.from('PK\x03\x04', 'latin1'), common, path, data];
    parts.push(...local);
    offset += local.reduce((sum, part) => sum + part.length, 0);
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(Object.keys(files).length, 8);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, list, end]);
}

function crc32(data: Buffer): number {
  let crc = -1;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A program on the path that is a script for Node. */
export async function program(into: string, name: string, script: string): Promise<void> {
  await mkdir(into, { recursive: true });
  await writeFile(join(into, name), `#!${process.execPath}\n${script}`);
  await chmod(join(into, name), 0o755);
}

/**
 * A pip that copies wheels from `wheels` and writes each requirement to `calls`. It does not end when it is
 * asked for what contains `hangs`.
 */
export function fakePip(wheels: string, calls: string, hangs = 'nothing'): string {
  return `
    const fs = require('node:fs'), path = require('node:path');
    const words = process.argv.slice(2);
    if (words.includes('--version')) { console.log('pip 25.1 from /made/up (python 3.12)'); process.exit(); }
    const [project, version] = words.at(-1).split('==');
    fs.appendFileSync(${JSON.stringify(calls)}, words.at(-1) + '\\n');
    if (project.includes(${JSON.stringify(hangs)})) setInterval(() => {}, 1000);
    else {
      const start = project.replaceAll('-', '_') + '-' + version;
      const file = fs.readdirSync(${JSON.stringify(wheels)}).find((name) => name.startsWith(start));
      if (file === undefined) { console.error('no matching distribution for ' + project); process.exit(1); }
      fs.copyFileSync(path.join(${JSON.stringify(wheels)}, file), path.join(words[words.indexOf('-d') + 1], file));
    }`;
}

/** `nnunet-diag libtorch install` in a process. */
export interface Installer {
  readonly child: ChildProcess;
  readonly end: Promise<{ code: number | null; out: string; err: string }>;
}

/** Starts `libtorch install` with this cache and, unless `env` has one, no path. */
export function install(cache: string, flags: readonly string[], env: NodeJS.ProcessEnv = {}): Installer {
  const main = join(packageRoot, 'dist', 'ts', 'cli', 'main.js');
  const clean = { ...process.env, VIRTUAL_ENV: '', CONDA_PREFIX: '', PATH: '/nonexistent' };
  const child = spawn(process.execPath, [main, 'libtorch', 'install', ...flags], {
    env: { ...clean, NNUNET_DIAG_CACHE: cache, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const end = new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, out, err }));
  });
  return { child, end };
}
