import { access, constants, stat } from 'node:fs/promises';
import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from 'node:os';
import { fromNative } from './errors.js';
import { type LibtorchStatus, libtorchStatus } from './libtorch/status.js';
import { core } from './native/core.js';
import { platformName } from './native/load.js';
import { packageVersion } from './version.js';

/** One of nnU-Net's folders, as its environment variable gives it. */
export interface FolderReport {
  readonly variable: string;
  /** `null` where the variable is not set. */
  readonly path: string | null;
  readonly state: 'not set' | 'missing' | 'no folder' | 'not writable' | 'writable';
}

/** What {@link doctor} found. */
export interface DoctorReport {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly system: string;
  readonly addon: { readonly loaded: boolean; readonly problem: string | null };
  readonly libtorch: LibtorchStatus;
  readonly processor: string;
  readonly cores: number;
  /** Bytes. */
  readonly memory: { readonly total: number; readonly free: number };
  readonly folders: readonly FolderReport[];
  /** Whether everything needed to train and predict is in order. */
  readonly healthy: boolean;
}

const VARIABLES = ['nnUNet_raw_data_base', 'nnUNet_preprocessed', 'RESULTS_FOLDER'] as const;

/** Reports on everything that training and prediction need on this machine. Never throws. */
export async function doctor(): Promise<DoctorReport> {
  const addon = addonState();
  const libtorch = libtorchStatus();
  const folders = await Promise.all(VARIABLES.map(folderState));
  return {
    version: packageVersion(),
    node: process.versions.node,
    platform: platformName(),
    system: `${platform()} ${release()} ${arch()}`,
    addon,
    libtorch,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: { total: totalmem(), free: freemem() },
    folders,
    healthy:
      addon.loaded &&
      libtorch.libtorch !== null &&
      folders.every((f) => f.state === 'writable' || f.state === 'not set'),
  };
}

function addonState(): DoctorReport['addon'] {
  try {
    core();
    return { loaded: true, problem: null };
  } catch (thrown) {
    return { loaded: false, problem: fromNative(thrown).message };
  }
}

async function folderState(variable: string): Promise<FolderReport> {
  const path = process.env[variable];
  if (!path) return { variable, path: null, state: 'not set' };
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return { variable, path, state: 'missing' };
  if (!found.isDirectory()) return { variable, path, state: 'no folder' };
  const writable = await access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
  return { variable, path, state: writable ? 'writable' : 'not writable' };
}
