import type { Command } from 'commander';
import { downloadCommand } from '../libtorch/from.js';
import { installLibtorch, type LibtorchInstallResult } from '../libtorch/install.js';
import { type LibtorchStatus, libtorchStatus } from '../libtorch/status.js';
import { EXIT, type Io } from './command.js';
import { InstallView } from './install-view.js';
import { jsonLine } from './lines.js';

/** Adds `libtorch install` and `libtorch status`. */
export function registerLibtorch(program: Command, io: Io, finish: (code: number) => void): void {
  const libtorch = program
    .command('libtorch')
    .description('install or find libtorch, which training and prediction need');
  libtorch
    .command('install')
    .description('install libtorch into the cache: downloads it with pip, or takes the files of --from')
    .option('--cuda', 'with CUDA 13, for NVIDIA GPUs (Linux; 2.5 GB to download; driver 580 or later)')
    .option(
      '--from <path>',
      'folder of wheels, wheel of torch, or unpacked libtorch or Python torch; no pip needed',
    )
    .option('--force', 'install again if it is installed already')
    .option('--json', 'write events and result as JSON lines')
    .addHelpText('after', installHelp)
    .action(async (flags: InstallFlags) => {
      const result = await install(flags, io);
      io.out.write(
        flags.json
          ? jsonLine({ type: 'done', result })
          : `libtorch ${result.version} ${result.installed ? 'installed' : 'is already'} at ${result.root}\n`,
      );
      finish(EXIT.done);
    });
  libtorch
    .command('status')
    .description('show which libtorch is used, the locations searched, and its devices')
    .option('--json', 'write the result as JSON')
    .action((flags: { json?: boolean }) => {
      const status = libtorchStatus();
      io.out.write(flags.json ? jsonLine({ type: 'done', result: status }) : `${renderLibtorch(status)}\n`);
      finish(status.libtorch === null ? EXIT.failed : EXIT.done);
    });
}

interface InstallFlags {
  readonly cuda?: boolean;
  readonly force?: boolean;
  readonly from?: string;
  readonly json?: boolean;
}

async function install(flags: InstallFlags, io: Io): Promise<LibtorchInstallResult> {
  const { cuda = false, force = false, from, json } = flags;
  const view = new InstallView(io.err);
  try {
    return await installLibtorch({
      cuda,
      force,
      from,
      onStep: (step) => void (json || view.step(step)),
      onEvent: (event) => void (json ? io.out.write(jsonLine(event)) : view.show(event)),
      signal: io.signal,
    });
  } finally {
    view.close();
  }
}

/** Examples, and how to install without network access. */
function installHelp(): string {
  const onLinux = process.platform === 'linux';
  return [
    '',
    'Examples:',
    '  nnunet-diag libtorch install',
    ...(onLinux ? ['  nnunet-diag libtorch install --cuda'] : []),
    '  nnunet-diag libtorch install --from wheels',
    '',
    'Without network access: run this where pip and network access are, then copy the folder `wheels`:',
    `  ${downloadCommand('cpu')}`,
    ...(onLinux ? ['With CUDA:', `  ${downloadCommand('cuda')}`] : []),
    '',
  ].join('\n');
}

/** A status as text. */
export function renderLibtorch(status: LibtorchStatus): string {
  const lines = status.places.map((place) => `  ${place.source}: ${place.path} – ${place.found}`);
  const head =
    status.libtorch === null
      ? `libtorch: not usable (needed ${status.needed})`
      : `libtorch: ${status.libtorch.version} at ${status.libtorch.root}`;
  const devices = status.devices.length > 0 ? [`  devices: ${status.devices.join(', ')}`] : [];
  const precision = status.precision === null ? [] : [`  precision auto: ${status.precision}`];
  const problem = status.problem === null ? [] : [`  ${status.problem.code}: ${status.problem.message}`];
  return [head, ...lines, ...devices, ...precision, ...problem].join('\n');
}
