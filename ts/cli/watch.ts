import type { Command } from 'commander';
import { fromNative } from '../errors.js';
import type { WatchOptions } from '../generated/options.js';
import { type WatchEvent, watch } from '../watch.js';
import { EXIT, type Io, type Output, report } from './command.js';
import { addConfigFlags, configured } from './configured.js';
import { addFlags, collect, type Flags } from './flags.js';
import { jsonLine } from './lines.js';
import { usedFieldsOf } from './schema.js';
import { styled } from './style.js';

/** Adds `watch`. */
export function registerWatch(program: Command, io: Io, finish: (code: number) => void): void {
  const flags: Flags = { fields: usedFieldsOf('watch'), positional: ['paths'], short: {} };
  const child = program.command('watch').description('serve the page of report, which follows a training');
  addFlags(child, flags);
  child.option('--json', 'write events and result as JSON lines on standard output');
  child.option('--quiet', 'write nothing but the address, warnings and errors');
  addConfigFlags(child);
  child.addHelpText('after', `\nExamples:\n${EXAMPLES.map((line) => `  ${line}`).join('\n')}\n`);
  child.action(async (...given: unknown[]) => {
    const output = given[flags.positional.length] as Output & Record<string, unknown>;
    const options = collect(flags, given.slice(0, flags.positional.length), output);
    finish(await runWatch(options, output, io, flags));
  });
}

const EXAMPLES = [
  'nnunet-diag watch RESULTS/nnUNet/3d_fullres/Task501_X/nnUNetTrainerV2__nnUNetPlansv2.1 --open',
  'nnunet-diag watch RESULTS/nnUNet/2d/Task501_X/nnUNetTrainerV2__nnUNetPlansv2.1/fold_0 --port 8080',
];

/** Serves until the signal of the command, such as Ctrl-C. */
async function runWatch(given: object, output: Output, io: Io, flags: Flags): Promise<number> {
  const json = output.json === true;
  const show = (event: WatchEvent) => {
    if (json) io.out.write(jsonLine(event));
    else if (event.type === 'warning')
      io.err.write(`${styled(io.err, 'yellow', 'warning')}: ${event.message}\n`);
    else if (!output.quiet) io.err.write(wordsOf(event));
  };
  try {
    const file = await configured(output.config);
    // The addon checks them.
    const options = { ...file.defaults('watch'), ...given } as object as WatchOptions;
    const page = await watch({ ...options, signal: io.signal, onEvent: show }).catch((error: unknown) => {
      throw file.explain(fromNative(error), 'watch', given);
    });
    const { url, port } = page;
    if (json) io.out.write(jsonLine({ type: 'listening', url, port }));
    else io.out.write(`${url}\n`);
    if (!json && !output.quiet) io.err.write('Ctrl-C ends the page.\n');
    await page.closed;
    if (json) io.out.write(jsonLine({ type: 'done', result: { url } }));
    return EXIT.done;
  } catch (thrown) {
    return report(fromNative(thrown), json, io, flags);
  }
}

/** An event as a line; updates are seen on the page. */
function wordsOf(event: Exclude<WatchEvent, { type: 'warning' }>): string {
  switch (event.type) {
    case 'update':
      return '';
    case 'problem':
      return `${event.message}; looking again\n`;
    case 'recovered':
      return 'the files can be read again\n';
    case 'images':
      if (event.state === 'failed') return `no images and scores: ${event.reason}\n`;
      return event.state === 'ready' ? 'images and scores are ready\n' : '';
  }
}
