import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fromNative, NnunetError } from '../errors.js';
import { checkSpace, replaceFolder } from './disk.js';
import { reportDriver } from './driver.js';
import { DOWNLOAD_AGAIN, fetchWheels } from './fetch.js';
import { fromFiles, refuseAborted, unpackWheels } from './fill.js';
import { cacheFolder, inspectFolder, installFolder } from './find.js';
import { withLock } from './lock.js';
import { type LibtorchInstallEvent, Report, size } from './report.js';
import { INSTALLED_RELEASE } from './version.js';
import { type Flavour, pinnedWheels, WHEEL_PLATFORMS } from './wheels.js';

/** Options of {@link installLibtorch}. */
export interface LibtorchInstallOptions {
  /** Keeps the CUDA libraries and their dependencies (2.5 GB to download, 3.8 GB on disk; Linux only). */
  readonly cuda?: boolean;
  /** Installs again if libtorch is installed already. */
  readonly force?: boolean;
  /**
   * Installs from files instead of the network; neither Python nor pip is needed. It is a folder of wheels,
   * as `pip download` wrote them; a wheel of torch, beside the wheels that it needs; or an unpacked libtorch
   * or Python `torch`.
   */
  readonly from?: string | undefined;
  /** Receives a description of each step. */
  readonly onStep?: ((step: string) => void) | undefined;
  /**
   * Receives typed events: `started` with the sizes, `progress` in bytes (the units are `bytes downloaded`
   * and `bytes installed`; `case` is the file), and `warning`.
   */
  readonly onEvent?: ((event: LibtorchInstallEvent) => void) | undefined;
  /** Cancels the installation; an earlier installation stays as it was. */
  readonly signal?: AbortSignal | undefined;
}

/** Result of {@link installLibtorch}. */
export interface LibtorchInstallResult {
  /** Folder of the libtorch. */
  readonly root: string;
  /** Its version. */
  readonly version: string;
  /** False if it was installed already. */
  readonly installed: boolean;
}

/**
 * Installs libtorch into the cache of this package. It downloads the wheels of PyPI with pip, or takes the
 * files that `from` names, checks their SHA-256, and unpacks them. The former installation is replaced at the
 * end. Complete wheels of an interrupted installation are not downloaded again. If another process installs,
 * this one waits for it.
 *
 * @example
 * ```ts
 * import { installLibtorch } from 'nnunet-diag';
 *
 * const { root } = await installLibtorch({
 *   from: '/shared/wheels',
 *   onEvent: (event) => event.type === 'progress' && console.log(event.done / event.total),
 * });
 * ```
 *
 * @throws NnunetError `ERR_LIBTORCH_INSTALL` with the file or the last lines of pip, `ERR_LIBTORCH_VERSION`,
 * `ERR_NOT_FOUND`, `ERR_DISK_FULL`, `ERR_IO`, `ERR_CANCELLED`
 */
export async function installLibtorch(options: LibtorchInstallOptions = {}): Promise<LibtorchInstallResult> {
  const flavour = options.cuda ? 'cuda' : 'cpu';
  const root = installFolder(flavour);
  const present = () => {
    const found = options.force ? null : inspectFolder('cache', root).libtorch;
    return found && { root, version: found.version, installed: false };
  };
  const base = join(cacheFolder(), 'libtorch');
  const report = new Report(options.onStep, options.onEvent);
  try {
    const found = present();
    if (found) return found;
    refuseAborted(options.signal);
    if (options.from === undefined) refusePlatform(flavour);
    await mkdir(base, { recursive: true });
    const work = async () => present() || (await install(flavour, base, root, options, report));
    return await withLock(
      join(base, 'install.lock'),
      work,
      (owner) => {
        const who = owner === undefined ? '' : ` (${owner.pid} on ${owner.host}, since ${owner.since})`;
        report.warn('WARN_LIBTORCH_WAITING', `another process${who} installs libtorch; waiting for it`);
      },
      options.signal,
    );
  } catch (thrown) {
    throw typed(thrown, base);
  }
}

/** Installs while this process holds the lock. */
async function install(
  flavour: Flavour,
  base: string,
  root: string,
  options: LibtorchInstallOptions,
  report: Report,
): Promise<LibtorchInstallResult> {
  await removeIncomplete(base);
  const work = await mkdtemp(join(base, INCOMPLETE));
  const downloads = join(base, 'wheels');
  const target = join(work, 'torch');
  try {
    if (options.from === undefined) {
      await announce(flavour, root, downloads, report);
      await fromIndex(flavour, downloads, work, report, options.signal);
    } else {
      await fromFiles(options.from, flavour, work, report, options.signal);
    }
    const { libtorch, found } = inspectFolder('cache', target);
    if (libtorch === null) {
      throw new NnunetError('ERR_LIBTORCH_INSTALL', `what was unpacked is no libtorch: ${found}`, { found });
    }
    await writeFile(join(target, 'NOTICE-nnunet-diag'), NOTICE);
    await replaceFolder(root, target, join(work, 'former'));
    if (options.from === undefined) await rm(downloads, { recursive: true, force: true });
    return { root, version: libtorch.version, installed: true };
  } finally {
    // Again at the end: a pip whose parent was killed may have continued to write.
    await removeIncomplete(base);
  }
}

/** Start of the names of folders that an installation works in. */
const INCOMPLETE = 'incomplete-';

/**
 * Removes the folders of installations. Only the holder of the lock has one, so all others are of ended
 * processes.
 */
async function removeIncomplete(base: string): Promise<void> {
  for (const entry of await readdir(base)) {
    if (entry.startsWith(INCOMPLETE)) await rm(join(base, entry), { recursive: true, force: true });
  }
}

const NOTICE =
  'From the wheels of PyTorch (BSD-3-Clause) and of NVIDIA’s CUDA libraries (NVIDIA’s licences); see licenses/.\n';

/**
 * Downloads wheels and unpacks them. A wheel that turns out to be damaged is removed, so that it is
 * downloaded again.
 */
async function fromIndex(
  flavour: Flavour,
  downloads: string,
  work: string,
  report: Report,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const wheels = await fetchWheels(flavour, downloads, work, report, signal);
    await unpackWheels(wheels, flavour, work, DOWNLOAD_AGAIN, report, signal);
  } catch (error) {
    const path = error instanceof NnunetError && error.code === 'ERR_LIBTORCH_INSTALL' && error.details.path;
    if (typeof path === 'string') await rm(path, { force: true });
    throw error;
  }
}

/** Says what is installed, its sizes, and the driver that it needs, before the download. */
async function announce(flavour: Flavour, root: string, downloads: string, report: Report): Promise<void> {
  const wheels = pinnedWheels(flavour);
  const download = wheels.reduce((sum, wheel) => sum + wheel.bytes, 0);
  const disk = wheels.reduce((sum, wheel) => sum + wheel.unpacked[flavour], 0);
  const settings = {
    release: INSTALLED_RELEASE,
    flavour,
    folder: root,
    downloadBytes: download,
    diskBytes: disk,
  };
  report.event({ type: 'started', verb: 'libtorch install', settings });
  report.step(
    `libtorch ${INSTALLED_RELEASE} for ${flavour === 'cuda' ? 'CUDA' : 'CPU'}: ` +
      `${size(download)} to download, ${size(disk)} on disk in ${root}`,
  );
  const kept = await Promise.all(
    wheels.map(({ file }) => stat(join(downloads, file)).catch(() => undefined)),
  );
  const there = kept.reduce((sum, found) => sum + (found?.size ?? 0), 0);
  // pip copies the wheel that it has downloaded.
  const copy = Math.max(...wheels.map((wheel) => wheel.bytes));
  await checkSpace(dirname(root), download - there + copy + disk);
  if (flavour === 'cuda') reportDriver(13, report);
}

function refusePlatform(flavour: Flavour): void {
  if (pinnedWheels(flavour).length > 0 && (flavour === 'cpu' || process.platform === 'linux')) return;
  const here = `${process.platform}-${process.arch}`;
  const known =
    flavour === 'cuda' ? WHEEL_PLATFORMS.filter((name) => name.startsWith('linux')) : WHEEL_PLATFORMS;
  throw new NnunetError(
    'ERR_LIBTORCH_INSTALL',
    `PyPI has no libtorch ${INSTALLED_RELEASE} ${flavour === 'cuda' ? 'with CUDA ' : ''}for ${here}; it has it for ` +
      `${known.join(', ')}. Set NNUNET_DIAG_LIBTORCH to the folder of a libtorch or Python torch of this version.`,
    { platform: here, known },
  );
}

/** Errors of files as errors of this package. */
function typed(thrown: unknown, base: string): NnunetError {
  const { code, path, message } = thrown as NodeJS.ErrnoException;
  if (thrown instanceof NnunetError || typeof code !== 'string') return fromNative(thrown);
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new NnunetError(
    full ? 'ERR_DISK_FULL' : 'ERR_IO',
    `libtorch cannot be installed in ${base}: ${message}. NNUNET_DIAG_CACHE can name another folder.`,
    { path: path ?? base, reason: message },
    thrown,
  );
}
