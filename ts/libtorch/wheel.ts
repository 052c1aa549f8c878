import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fromNative, NnunetError } from '../errors.js';
import { core } from '../native/core.js';
import { parseWheelName } from './wheel-name.js';
import type { Flavour } from './wheels.js';

/** A file of a wheel, as the wheel's RECORD lists it. */
interface Member {
  readonly name: string;
  /** URL-safe base64 of the SHA-256; `undefined` for files that need none. */
  readonly sha256: string | undefined;
  readonly bytes: number;
}

/** What a wheel says about itself. */
export interface WheelContent {
  /** The lines `Requires-Dist` of METADATA, without the name of the field. */
  readonly requires: readonly string[];
  readonly members: readonly Member[];
  /** Folder of METADATA, RECORD and licences, unpacked. */
  readonly info: string;
}

/** Libraries of torch that only CUDA needs. */
const CUDA_LIBRARY = /^(lib)?(torch_cuda|torch_cuda_linalg|c10_cuda|torch_nvshmem|caffe2_nvrtc)\b/;
/** Libraries of NVIDIA that a libtorch archive has in the same folder; CPU use needs none of them. */
const NVIDIA_LIBRARY =
  /^lib(cublas|cudnn|cufft|cufile|curand|cusolver|cusparse|nccl|nvrtc|nvJitLink|nvshmem)/;
/** Libraries of CUDA that libtorch_cpu of a CUDA build is linked with: it needs them without a GPU, too. */
const ALWAYS_NEEDED = /^lib(cudart|cupti)(-\w+)?\.so/;

/** Whether a library of torch's own `lib` folder is installed. */
export function isInstalledLibrary(file: string, flavour: Flavour): boolean {
  if (/^(lib)?torch_python\b/.test(file)) return false;
  return flavour === 'cuda' || !(CUDA_LIBRARY.test(file) || NVIDIA_LIBRARY.test(file));
}

/** Whether a file of an NVIDIA package is installed. */
export function isInstalledDependency(file: string, flavour: Flavour): boolean {
  return flavour === 'cuda' ? /\.so(\.|$)/.test(file) : ALWAYS_NEEDED.test(file);
}

/**
 * Unpacks METADATA, RECORD and licences of a wheel below `work`.
 *
 * @throws NnunetError `ERR_LIBTORCH_INSTALL` if the file is damaged; `advice` says what to do
 */
export async function openWheel(wheel: string, work: string, advice: string): Promise<WheelContent> {
  const target = join(work, 'info', basename(wheel));
  const name = parseWheelName(basename(wheel));
  const prefix = /^[\w.]+-/.exec(basename(wheel))?.[0] ?? '';
  await extract(wheel, target, [prefix], advice);
  const folder = (await readdir(target).catch(() => [])).find((entry) => entry.endsWith('.dist-info'));
  if (name === undefined || folder === undefined) throw damaged(wheel, 'it has no .dist-info folder', advice);
  const info = join(target, folder);
  const read = (file: string) =>
    readFile(join(info, file), 'utf8').catch(() => {
      throw damaged(wheel, `it has no ${folder}/${file}`, advice);
    });
  const requires = [...(await read('METADATA')).matchAll(/^Requires-Dist: (.*)$/gm)].map((m) => m[1] ?? '');
  return { requires, members: parseRecord(await read('RECORD')), info };
}

/** The lines `name,sha256=…,bytes` of a RECORD. Names with commas are in quotation marks. */
export function parseRecord(text: string): Member[] {
  const members: Member[] = [];
  for (const line of text.split(/\r?\n/)) {
    const parts = /^(?:"((?:[^"]|"")*)"|([^,]*)),(?:sha256=([\w-]+)=*)?,(\d*)$/.exec(line);
    if (parts === null) continue;
    const name = parts[1]?.replaceAll('""', '"') ?? parts[2] ?? '';
    members.push({ name, sha256: parts[3], bytes: Number(parts[4] ?? 0) });
  }
  return members;
}

/**
 * Unpacks the members of a wheel to `destination` and compares every file with RECORD. `onBytes` receives the
 * unpacked bytes, file by file.
 *
 * @throws NnunetError `ERR_LIBTORCH_INSTALL` for a damaged file, `ERR_DISK_FULL`
 */
export async function unpackWheel(
  wheel: string,
  members: readonly Member[],
  destination: string,
  advice: string,
  onBytes: (bytes: number) => void = () => {},
): Promise<void> {
  // The addon takes starts of names: headers are one start, libraries one each, so that progress is visible.
  const groups = new Map<string, Member[]>();
  for (const member of members) {
    const group = member.name.startsWith(HEADERS) ? HEADERS : member.name;
    groups.set(group, [...(groups.get(group) ?? []), member]);
  }
  const refuse = (name: string, found: string) => damaged(wheel, `${name} ${found}`, advice);
  for (const [prefix, group] of groups) {
    await extract(wheel, destination, [prefix], advice);
    for (const { name, sha256, bytes } of group) {
      const path = join(destination, ...name.split('/'));
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) throw refuse(name, 'is in its RECORD, but not in the wheel');
      if (sha256 === undefined) throw refuse(name, 'has no SHA-256 in RECORD');
      if (found.size !== bytes) throw refuse(name, `has ${found.size} bytes; RECORD says ${bytes}`);
      const sum = await fileHash(path, 'base64url');
      if (sum !== sha256) throw refuse(name, `has the SHA-256 ${sum}; RECORD says ${sha256}`);
      onBytes(bytes);
    }
  }
}

const HEADERS = 'torch/include/';

/** Members of the torch wheel that a flavour needs. */
export function torchMembers(members: readonly Member[], flavour: Flavour): Member[] {
  return members.filter(({ name }) => {
    if (name.startsWith(HEADERS) || name === 'torch/version.py') return true;
    const library = /^torch\/lib\/([^/]+)$/.exec(name)?.[1];
    return library !== undefined && isInstalledLibrary(library, flavour);
  });
}

/** Members of an NVIDIA wheel that a flavour needs. */
export function dependencyMembers(members: readonly Member[], flavour: Flavour): Member[] {
  return members.filter(({ name }) => isInstalledDependency(basename(name), flavour));
}

/** Moves every file below `from` into the folder `to`. */
export async function moveFiles(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true }).catch(() => [])) {
    const path = join(from, entry.name);
    if (entry.isDirectory()) await moveFiles(path, to);
    else await rename(path, join(to, entry.name));
  }
  await rm(from, { recursive: true, force: true });
}

/** SHA-256 of a file. */
export async function fileHash(path: string, encoding: 'hex' | 'base64url'): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
  return hash.digest(encoding);
}

/** Error for a file of the installation that is damaged. */
export function damaged(file: string, problem: string, advice: string): NnunetError {
  return new NnunetError('ERR_LIBTORCH_INSTALL', `${file} is damaged: ${problem}. ${advice}`, {
    path: file,
    reason: problem,
  });
}

async function extract(wheel: string, to: string, prefixes: string[], advice: string): Promise<void> {
  try {
    await mkdir(dirname(to), { recursive: true });
    await core().extractWheel(wheel, to, prefixes);
  } catch (thrown) {
    const error = fromNative(thrown);
    if (error.code !== 'ERR_WHEEL') throw error;
    if (/os error (28|122)|No space left|quota/i.test(error.message)) {
      throw new NnunetError('ERR_DISK_FULL', error.message, error.details, error);
    }
    throw damaged(wheel, error.message, advice);
  }
}
