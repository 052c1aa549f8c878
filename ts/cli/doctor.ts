import type { Command } from 'commander';
import { type DoctorCheck, type DoctorReport, doctor } from '../doctor.js';
import { EXIT, type Io } from './command.js';
import { jsonLine } from './lines.js';
import type { Screen } from './screen.js';
import { styled } from './style.js';

/** Adds `doctor`. */
export function registerDoctor(program: Command, io: Io, finish: (code: number) => void): void {
  program
    .command('doctor')
    .description('check node, addon, libtorch, devices, memory and nnU-Net’s folders; train a tiny network')
    .option('--quick', 'do not preprocess, train and predict; those take a few seconds')
    .option('--json', 'write the report as JSON')
    .action(async (flags: { quick?: boolean; json?: boolean }) => {
      const report = await doctor(flags);
      io.out.write(flags.json ? jsonLine({ type: 'done', result: report }) : `${render(report, io.out)}\n`);
      finish(report.healthy ? EXIT.done : EXIT.failed);
    });
}

const MARKS = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✗', 'red'],
  skipped: ['–', 'dim'],
} as const;

function render(report: DoctorReport, screen: Screen): string {
  const { version, node, platform, system, processor, checks } = report;
  const width = Math.max(...checks.map(({ name }) => name.length));
  const failed = checks.filter(({ state }) => state === 'failed').map(({ name }) => name);
  return [
    `nnunet-diag ${version}, node ${node}, ${platform} (${system}), ${processor}`,
    ...checks.flatMap((check) => lines(check, width, screen)),
    failed.length === 0 ? 'no problem found' : `problems found: ${failed.join(', ')}`,
  ].join('\n');
}

/** The line of a check and, below it, what to do. */
function lines({ name, state, found, advice }: DoctorCheck, width: number, screen: Screen): string[] {
  const [sign, style] = MARKS[state];
  const mark = screen.isTTY ? styled(screen, style, sign) : state.padEnd('warning'.length);
  const line = `${mark} ${name.padEnd(width)}  ${found}`;
  return advice === null ? [line] : [line, ...advice.split('\n').map((words) => `    ${words}`)];
}
