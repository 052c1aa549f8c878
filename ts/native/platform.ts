import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../version.js';

/** Name of this platform as the platform packages have it: `linux-x64-gnu`, `darwin-arm64`, … */
export function platformName(): string {
  const base = `${process.platform}-${process.arch}`;
  return process.platform === 'linux' ? `${base}-${isMusl() ? 'musl' : 'gnu'}` : base;
}

/** The platforms that have a package. */
export function supportedPlatforms(): string[] {
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    optionalDependencies?: Record<string, string>;
  };
  return Object.keys(manifest.optionalDependencies ?? {}).map((name) => name.replace(/^nnunet-diag-/, ''));
}

/** Version of the glibc that this process uses. */
export function glibcVersion(): string | undefined {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime;
}

/** Whether Node itself runs on musl. Its dynamic linker says so; the process report would take 20 ms. */
function isMusl(): boolean {
  const linker = dynamicLinker(process.execPath);
  return linker === undefined ? glibcVersion() === undefined : /\/ld-musl-/.test(linker);
}

/** The dynamic linker that a 64-bit little-endian ELF file names. */
function dynamicLinker(path: string): string | undefined {
  const INTERPRETER = 3;
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const head = Buffer.alloc(4096);
    const length = readSync(file, head, 0, head.length, 0);
    if (head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1) return undefined;
    const table = Number(head.readBigUInt64LE(32));
    const size = head.readUInt16LE(54);
    const count = head.readUInt16LE(56);
    for (let at = table; at < table + count * size && at + size <= length; at += size) {
      if (head.readUInt32LE(at) !== INTERPRETER) continue;
      const text = Buffer.alloc(Number(head.readBigUInt64LE(at + 32)));
      readSync(file, text, 0, text.length, Number(head.readBigUInt64LE(at + 8)));
      return text.toString('latin1').replace(/\0.*$/s, '');
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
