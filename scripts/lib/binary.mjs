// Checks of a built addon, from its bytes.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { NEWEST_SYMBOLS } from './platforms.mjs';
import { root } from './process.mjs';

/** Start of a file of each system and processor: ELF, Mach-O, and PE, whose machine is in its second header. */
const MACHINES = {
  'linux-x64': (bytes) => bytes.readUInt32BE(0) === 0x7f454c46 && bytes.readUInt16LE(18) === 62,
  'linux-arm64': (bytes) => bytes.readUInt32BE(0) === 0x7f454c46 && bytes.readUInt16LE(18) === 183,
  'darwin-arm64': (bytes) => bytes.readUInt32LE(0) === 0xfeedfacf && bytes.readUInt32LE(4) === 0x0100000c,
  'win32-x64': (bytes) =>
    bytes.toString('latin1', 0, 2) === 'MZ' && bytes.readUInt16LE(bytes.readUInt32LE(60) + 4) === 0x8664,
};

/** The newest version of each symbol family that an ELF file names, such as `{ GLIBC: '2.17' }`. */
export function symbolVersions(bytes) {
  const text = bytes.toString('latin1');
  const newest = {};
  for (const [, family, version] of text.matchAll(/\0(GLIBC|GLIBCXX|CXXABI)_(\d+(?:\.\d+)+)(?=\0)/g)) {
    if (newest[family] === undefined || compare(version, newest[family]) > 0) newest[family] = version;
  }
  return newest;
}

/** What is wrong with an addon of a platform; empty if nothing is. */
export function problems(file, { os, cpu, libc }) {
  const bytes = readFileSync(file);
  const found = [];
  if (!MACHINES[`${os}-${cpu}`](bytes)) found.push(`no library for ${os} on ${cpu}`);
  if (!bytes.includes('napi_register_module_v1')) found.push('no export napi_register_module_v1');
  for (const folder of [root, homedir()]) {
    if (bytes.includes(folder)) found.push(`names the folder ${folder}`);
  }
  // zig's runtime library has one, slower than the system's. Any of its other symbols links it, too.
  if (os === 'linux' && !bytes.includes('memcpy\0')) found.push('has its own memcpy');
  const versions = os === 'linux' ? symbolVersions(bytes) : {};
  if (libc === 'musl' && versions.GLIBC) found.push(`needs GLIBC_${versions.GLIBC}`);
  for (const [family, version] of Object.entries(versions)) {
    if (compare(version, NEWEST_SYMBOLS[family]) <= 0) continue;
    found.push(`needs ${family}_${version}, newer than ${family}_${NEWEST_SYMBOLS[family]}`);
  }
  return found;
}

function compare(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
