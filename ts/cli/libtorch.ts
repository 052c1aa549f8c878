import type { Command } from 'commander';
import { installLibtorch } from '../libtorch/install.js';
import { type LibtorchStatus, libtorchStatus } from '../libtorch/status.js';
import { EXIT, type Io } from './command.js';
import { jsonLine } from './lines.js';

/** Adds `libtorch install` and `libtorch status`. */
export function registerLibtorch(program: Command, io: Io, finish: (code: number) => void): void {
  const libtorch = program
    .command('libtorch')
    .description('install or find libtorch, which training and prediction need');
  libtorch
    .command('install')
    .description('install libtorch into the cache, with pip')
    .option('--cuda', 'with CUDA, for NVIDIA GPUs (several gigabytes)')
    .option('--force', 'install again if it is installed already')
    .option('--json', 'write the result as JSON')
    .action(async (flags: { cuda?: boolean; force?: boolean; json?: boolean }) => {
      const onStep = (step: string): void => void io.err.write(`libtorch: ${step}\n`);
      const result = await installLibtorch({ ...flags, onStep, signal: io.signal });
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
