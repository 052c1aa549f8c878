import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NnunetError } from '../errors.js';
import { dependencies } from './dependencies.js';
import { downloadCommand } from './from.js';
import { download, findPip, type Pip } from './pip.js';
import { type Report, size } from './report.js';
import { INSTALLED_RELEASE } from './version.js';
import { damaged, fileHash, openWheel } from './wheel.js';
import { parseWheelName, runsHere } from './wheel-name.js';
import { type Flavour, type PinnedWheel, pinnedWheels } from './wheels.js';

/** What to do about a damaged download. */
export const DOWNLOAD_AGAIN = 'It was removed. Run the command again to download it again.';

/** The torch wheel and the wheels that it needs. */
export interface Wheels {
  readonly torch: string;
  readonly others: readonly string[];
}

/**
 * Downloads the wheels of a flavour into `folder`, which keeps complete wheels of an interrupted download.
 *
 * @throws NnunetError `ERR_LIBTORCH_INSTALL`, `ERR_CANCELLED`
 */
export async function fetchWheels(
  flavour: Flavour,
  folder: string,
  work: string,
  report: Report,
  signal?: AbortSignal,
): Promise<Wheels> {
  const pins = pinnedWheels(flavour);
  const platforms = [...new Set(pins.flatMap((pin) => pin.platforms))];
  const meter = report.meter(
    'bytes downloaded',
    pins.reduce((sum, pin) => sum + pin.bytes, 0),
  );
  let pip: Pip | undefined;
  const one = async (project: string, version: string | undefined): Promise<string> => {
    const pin = pins.find((wheel) => wheel.project === project && wheel.version === version);
    const expected = pin?.bytes ?? 0;
    const kept = await complete(folder, project, version, pin);
    if (kept !== undefined) {
      report.step(`${kept} is downloaded already`);
      meter.finish(await bytesOf(folder, kept), kept, expected);
      return join(folder, kept);
    }
    pip ??= await thePip(flavour, report, signal);
    const requirement = version === undefined ? project : `${project}==${version}`;
    report.step(`downloading ${requirement}${pin === undefined ? '' : ` (${size(pin.bytes)})`}`);
    const temporary = join(work, 'download');
    const wanted = { requirement, platforms, folder, temporary };
    const file = await download(pip, wanted, (bytes) => meter.at(bytes, pin?.file ?? requirement), signal);
    const path = join(folder, file);
    await checkPinned(path, pin, DOWNLOAD_AGAIN).catch(async (error) => {
      await rm(path, { force: true });
      throw error;
    });
    meter.finish(await bytesOf(folder, file), file, expected);
    return path;
  };
  const torch = await one('torch', INSTALLED_RELEASE);
  const { requires } = await openWheel(torch, work, DOWNLOAD_AGAIN);
  const others: string[] = [];
  for (const { project, version } of dependencies(requires, flavour))
    others.push(await one(project, version));
  return { torch, others };
}

/**
 * Compares a wheel with the sum of the package index, if it is the wheel with this name.
 *
 * @throws NnunetError `ERR_LIBTORCH_INSTALL`
 */
export async function checkPinned(path: string, pin: PinnedWheel | undefined, advice: string): Promise<void> {
  if (pin === undefined || !path.endsWith(pin.file)) return;
  const { size: bytes } = await stat(path);
  if (bytes !== pin.bytes) throw damaged(path, `it has ${bytes} bytes, expected ${pin.bytes}`, advice);
  const sum = await fileHash(path, 'hex');
  if (sum !== pin.sha256) throw damaged(path, `its SHA-256 is ${sum}, expected ${pin.sha256}`, advice);
}

/** The wheel of an earlier, interrupted installation, if it is whole. */
async function complete(
  folder: string,
  project: string,
  version: string | undefined,
  pin: PinnedWheel | undefined,
): Promise<string | undefined> {
  for (const file of await readdir(folder).catch(() => [])) {
    const name = parseWheelName(file);
    if (name?.project !== project || !runsHere(name.platforms)) continue;
    if (version !== undefined && name.version.split('+')[0] !== version) continue;
    try {
      await checkPinned(join(folder, file), pin, '');
      return file;
    } catch {
      await rm(join(folder, file), { force: true });
    }
  }
  return undefined;
}

async function thePip(flavour: Flavour, report: Report, signal?: AbortSignal): Promise<Pip> {
  const { pip, tried } = await findPip(signal);
  if (pip !== undefined) {
    report.step(`using ${pip.command.join(' ')} (pip ${pip.version.join('.')})`);
    return pip;
  }
  throw new NnunetError(
    'ERR_LIBTORCH_INSTALL',
    `no pip was found. Tried:\n${tried.map((t) => `  ${t.command}: ${t.found}`).join('\n')}\npip is needed for the ` +
      'download only. Install Python 3 with pip, or uv. Or run this where pip and network access are:\n' +
      `  ${downloadCommand(flavour)}\nand here, with the folder it made:\n  nnunet-diag libtorch install ` +
      `${flavour === 'cuda' ? '--cuda ' : ''}--from wheels`,
    { tried },
  );
}

async function bytesOf(folder: string, file: string): Promise<number> {
  return (await stat(join(folder, file))).size;
}
