import type { Command } from 'commander';
import { type DoctorReport, doctor } from '../doctor.js';
import { EXIT, type Io } from './command.js';
import { renderLibtorch } from './libtorch.js';
import { jsonLine } from './lines.js';

/** Adds `doctor`. */
export function registerDoctor(program: Command, io: Io, finish: (code: number) => void): void {
  program
    .command('doctor')
    .description('check node, addon, libtorch, devices, cores, memory and nnU-Net’s folders')
    .option('--json', 'write the report as JSON')
    .action(async (flags: { json?: boolean }) => {
      const report = await doctor();
      io.out.write(flags.json ? jsonLine({ type: 'done', result: report }) : `${render(report)}\n`);
      finish(report.healthy ? EXIT.done : EXIT.failed);
    });
}

const GIB = 2 ** 30;

function render(report: DoctorReport): string {
  const { memory } = report;
  return [
    `nnunet-diag ${report.version}, node ${report.node}, ${report.platform} (${report.system})`,
    `processor: ${report.processor}, ${report.cores} cores`,
    `memory: ${(memory.total / GIB).toFixed(1)} GiB, ${(memory.free / GIB).toFixed(1)} GiB free`,
    `addon: ${report.addon.loaded ? 'loads' : report.addon.problem}`,
    renderLibtorch(report.libtorch),
    'folders:',
    ...report.folders.map((f) => `  ${f.variable}: ${f.path ?? ''}${f.path ? ' – ' : ''}${f.state}`),
    report.healthy ? 'no problem found' : 'problems found: see above',
  ].join('\n');
}
