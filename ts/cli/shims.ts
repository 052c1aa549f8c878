import type { Command } from 'commander';
import { EXIT, type Io } from './command.js';
import { jsonLine } from './lines.js';
import { table } from './text-table.js';

/** Adds `shims install` and `shims list`. */
export function registerShims(program: Command, io: Io, finish: (code: number) => void): void {
  const shims = program
    .command('shims')
    .description('write commands with nnU-Net v1’s names and flags, for existing job scripts');
  shims
    .command('install')
    .description('write the commands into a folder, which belongs in PATH')
    .argument('<folder>', 'folder for the commands; created if missing')
    .option('--overwrite', 'replace files of other programs, such as nnU-Net’s own commands')
    .option('--json', 'write the result as JSON')
    .action(async (folder: string, flags: { overwrite?: boolean; json?: boolean }) => {
      const { installShims } = await import('../shims/install.js');
      const result = await installShims(folder, flags);
      const advice = result.onPath
        ? 'the folder is in PATH'
        : `the folder is not in PATH; add it: export PATH="${result.folder}:$PATH"`;
      io.out.write(
        flags.json
          ? jsonLine({ type: 'done', result })
          : `${result.files.length} commands written to ${result.folder}; ${advice}\n`,
      );
      finish(EXIT.done);
    });
  shims
    .command('list')
    .description('show the commands, and the verb that each runs')
    .option('--json', 'write the list as JSON')
    .action(async (flags: { json?: boolean }) => {
      const { SHIMS } = await import('../shims/list.js');
      const result = SHIMS.map(({ name, summary, verb }) => {
        const found = typeof verb === 'string';
        return { name, summary, verb: found ? verb : null, instead: found ? null : verb.missing };
      });
      const rows = result.map(({ name, verb, instead }) => [name, verb ?? `no verb yet: ${instead}`]);
      io.out.write(flags.json ? jsonLine({ type: 'done', result }) : `${table(['command', 'verb'], rows)}\n`);
      finish(EXIT.done);
    });
}
