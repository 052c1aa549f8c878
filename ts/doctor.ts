import { access, constants, stat } from 'node:fs/promises';
import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from 'node:os';
import { fromNative } from './errors.js';
import { type LibtorchStatus, libtorchStatus } from './libtorch/status.js';
import { core } from './native/core.js';
import { platformName } from './native/platform.js';
import { packageVersion } from './version.js';

/** One of nnU-Net's folders. */
export interface FolderReport {
  /** Environment variable that names the folder. */
  readonly variable: string;
  /** Value of the variable; `null` if it is not set. */
  readonly path: string | null;
  /** What was found at `path`. */
  readonly state: 'not set' | 'missing' | 'no folder' | 'not writable' | 'writable';
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
  /** Memory of the machine in bytes. */
  readonly memory: { readonly total: number; readonly free: number };
  /** nnU-Net's folders. */
  readonly folders: readonly FolderReport[];
  /** Whether addon and libtorch load and every folder that is set is writable. */
  readonly healthy: boolean;
}

const VARIABLES = ['nnUNet_raw_data_base', 'nnUNet_preprocessed', 'RESULTS_FOLDER'] as const;

/** Checks everything that training and prediction need on this machine. Never throws. */
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
