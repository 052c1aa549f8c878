import { driverProblem, nvidiaDriver } from '../libtorch/driver.js';
import type { LibtorchStatus } from '../libtorch/status.js';
import { type FolderReport, satisfies } from './system.js';

/** One check of {@link doctor}. */
export interface DoctorCheck {
  /** What was checked, such as `libtorch`, `nnUNet_preprocessed` or `train`. */
  readonly name: string;
  /** `failed` makes the report unhealthy; a `warning` does not. */
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  /** What was found. */
  readonly found: string;
  /** What to do; `null` if nothing is. */
  readonly advice: string | null;
}

const GIB = 2 ** 30;
/** Below this, the default sizes of 3D tasks are unlikely to fit. */
const LITTLE_MEMORY = 4 * GIB;
/** A preprocessed task of average size needs more. */
const LITTLE_DISK = 5 * GIB;
/** Fewer leave too little beside the libraries, pipes and files of a verb with many workers. */
const FEW_FILES = 256;

const ok = (name: string, found: string): DoctorCheck => ({ name, state: 'ok', found, advice: null });

/** Whether this version of Node is supported. */
export function nodeCheck(version: string, range: string): DoctorCheck {
  if (satisfies(version, range)) return ok('node', version);
  return {
    name: 'node',
    state: 'failed',
    found: version,
    advice: `Install Node ${range} (https://nodejs.org).`,
  };
}

/** Whether the addon `core` loads. */
export function addonCheck(problem: string | null, platform: string): DoctorCheck {
  if (problem === null) return ok('addon', platform);
  return { name: 'addon', state: 'failed', found: `does not load on ${platform}`, advice: problem };
}

/** Whether libtorch loads, and the devices that it sees. */
export function libtorchChecks(status: LibtorchStatus, driver = nvidiaDriver()): DoctorCheck[] {
  const { libtorch, problem, devices, precision } = status;
  if (libtorch === null) {
    const found = problem?.code ?? 'not found';
    return [{ name: 'libtorch', state: 'failed', found, advice: problem?.message ?? null }];
  }
  const usable = ok('libtorch', `${libtorch.version} at ${libtorch.root}`);
  const found = `${devices.join(', ')} (precision auto: ${precision})`;
  const seesGpu = devices.some((device) => device.startsWith('cuda'));
  if (seesGpu || (!libtorch.cuda && driver === undefined)) return [usable, ok('devices', found)];
  const advice = libtorch.cuda
    ? // A machine without a GPU may use a libtorch with CUDA.
      (driverProblem(13, driver) ?? 'libtorch sees no GPU. Compare `nvidia-smi` and CUDA_VISIBLE_DEVICES.')
    : `There is an NVIDIA driver (${driver}). To train on the GPU, run \`nnunet-diag libtorch install --cuda\`.`;
  return [usable, { name: 'devices', state: 'warning', found, advice }];
}

/** Whether memory and the limit of open files allow a training. */
export function systemChecks(
  cores: number,
  memory: { readonly total: number; readonly free: number; readonly limit: number | null },
  openFiles: number | null,
): DoctorCheck[] {
  const usable = memory.limit ?? memory.total;
  const limited = memory.limit === null ? '' : ', the limit of this container or job';
  const found = `${gib(usable)}${limited}; ${gib(memory.free)} free on the machine`;
  const few = openFiles !== null && openFiles < FEW_FILES;
  return [
    ok('cores', `${cores}`),
    {
      name: 'memory',
      state: usable < LITTLE_MEMORY ? 'warning' : 'ok',
      found,
      advice:
        usable < LITTLE_MEMORY
          ? `At least ${gib(LITTLE_MEMORY)} are recommended. Raise the limit, or use --workers 1 and a smaller --patch-size.`
          : null,
    },
    {
      name: 'open files',
      state: few ? 'warning' : 'ok',
      found: openFiles === null ? 'no limit' : `at most ${openFiles}`,
      advice: few ? `Run \`ulimit -n 1024\` before nnunet-diag, or raise the limit of the job.` : null,
    },
  ];
}

/** Whether a folder of nnU-Net can be used. */
export function folderCheck({ variable, path, state, free }: FolderReport): DoctorCheck {
  const named = { name: variable, found: path === null ? state : `${path}: ${state}` };
  if (path === null) {
    return { ...named, state: 'skipped', found: 'not set; options can name the folder', advice: null };
  }
  if (state !== 'writable') {
    const quoted = /^["']|["']$/.test(path) ? `Remove the quotation marks from ${variable}.` : undefined;
    const advice = {
      missing: `Create the folder, or correct ${variable}.`,
      'no folder': `${variable} names a file. Let it name a folder.`,
      'not writable': 'Give yourself the right to write to it, or name another folder.',
      'not set': null,
    }[state];
    return { ...named, state: 'failed', advice: quoted ?? advice };
  }
  const little = free !== null && free < LITTLE_DISK;
  const found = `${path}${free === null ? '' : `, ${gib(free)} free`}`;
  const advice = little
    ? 'The disk has little free space. Free some, or name a folder on another disk.'
    : null;
  return { ...named, state: little ? 'warning' : 'ok', found, advice };
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
