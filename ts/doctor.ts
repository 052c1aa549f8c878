import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import {
  addonCheck,
  type DoctorCheck,
  folderCheck,
  libtorchChecks,
  nodeCheck,
  systemChecks,
} from './doctor/checks.js';
import { runTrial } from './doctor/run-trial.js';
import { type FolderReport, folderReport, memoryLimit, openFileLimit } from './doctor/system.js';
import { fromNative } from './errors.js';
import { type LibtorchStatus, libtorchStatus } from './libtorch/status.js';
import { core } from './native/core.js';
import { platformName } from './native/platform.js';
import { packageRoot, packageVersion } from './version.js';

export type { DoctorCheck, FolderReport };

/** Options of {@link doctor}. */
export interface DoctorOptions {
  /** Leaves out the checks `preprocess`, `train` and `predict`, which take a few seconds. */
  readonly quick?: boolean;
}

/** Result of {@link doctor}. */
export interface DoctorReport {
  /** Version of this package. */
  readonly version: string;
  /** Version of Node. */
  readonly node: string;
  /** Platform as the platform packages are named, such as `linux-x64-gnu`. */
  readonly platform: string;
  /** Operating system, its release and the architecture. */
  readonly system: string;
  /** Whether the `core` addon loads; `problem` is the error message if it does not. */
  readonly addon: { readonly loaded: boolean; readonly problem: string | null };
  /** The libtorch that training and prediction use. */
  readonly libtorch: LibtorchStatus;
  /** Model name of the processor. */
  readonly processor: string;
  /** Cores that this process may use. */
  readonly cores: number;
  /**
   * Memory of the machine in bytes. `limit` is the limit of the container or control group, such as that of a
   * job of a cluster; `null` if there is none.
   */
  readonly memory: { readonly total: number; readonly free: number; readonly limit: number | null };
  /** Files that the process may have open at a time; `null` if there is no limit. */
  readonly openFiles: number | null;
  /** nnU-Net's folders. */
  readonly folders: readonly FolderReport[];
  /** Every check, in order, with what to do about those that failed. */
  readonly checks: readonly DoctorCheck[];
  /** Whether no check failed. */
  readonly healthy: boolean;
}

const VARIABLES = ['nnUNet_raw_data_base', 'nnUNet_preprocessed', 'RESULTS_FOLDER'] as const;

/**
 * Checks everything that training and prediction need on this machine. Unless `quick` is set, it also
 * preprocesses a made-up task in a temporary folder, trains on it, and segments a case, in a process of its
 * own. Never throws.
 *
 * @example
 * ```ts
 * import { doctor } from 'nnunet-diag';
 *
 * const { checks } = await doctor({ quick: true });
 * for (const { name, found, advice } of checks) console.log(name, found, advice ?? '');
 * ```
 */
export async function doctor(options: DoctorOptions = {}): Promise<DoctorReport> {
  const addon = addonState();
  const libtorch = libtorchStatus();
  const folders = await Promise.all(VARIABLES.map(folderReport));
  const cores = availableParallelism();
  const total = totalmem();
  const memory = { total, free: freemem(), limit: memoryLimit(total) };
  const openFiles = openFileLimit();
  const checks: DoctorCheck[] = [
    nodeCheck(process.versions.node, supportedNode()),
    addonCheck(addon.problem, platformName()),
    ...libtorchChecks(libtorch),
    ...systemChecks(cores, memory, openFiles),
    ...folders.map(folderCheck),
    ...(options.quick ? [] : await trialChecks(addon.loaded && libtorch.libtorch !== null)),
  ];
  return {
    version: packageVersion(),
    node: process.versions.node,
    platform: platformName(),
    system: `${platform()} ${release()} ${arch()}`,
    addon,
    libtorch,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores,
    memory,
    openFiles,
    folders,
    checks,
    healthy: checks.every(({ state }) => state !== 'failed'),
  };
}

/** The trial needs addon and libtorch, whose own checks say what is missing. */
async function trialChecks(possible: boolean): Promise<DoctorCheck[]> {
  if (!possible) {
    const found = 'not tried: addon or libtorch does not load';
    return [{ name: 'train', state: 'skipped', found, advice: null }];
  }
  try {
    return await runTrial();
  } catch (thrown) {
    const advice = 'A trial needs a temporary folder. Set TMPDIR to a folder that you can write to.';
    return [{ name: 'train', state: 'failed', found: fromNative(thrown).message, advice }];
  }
}

function supportedNode(): string {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { engines: { node: string } }).engines.node;
}

function addonState(): DoctorReport['addon'] {
  try {
    core();
    return { loaded: true, problem: null };
  } catch (thrown) {
    return { loaded: false, problem: fromNative(thrown).message };
  }
}
