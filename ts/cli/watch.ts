import type { Command } from 'commander';
import { fromNative } from '../errors.js';
import { type WatchEvent, type WatchOptions, watch } from '../watch.js';
import { EXIT, type Io, type Output, report } from './command.js';
import { addFlags, collect, type Flags } from './flags.js';
import { jsonLine } from './lines.js';
import { type Field, fieldsOf } from './schema.js';
import { styled } from './style.js';

/** Options of `report` that a served page does not have. */
const WITHOUT = ['output', 'workers'];

/** Options of the server. */
const SERVER: readonly Field[] = [
  {
    name: 'host',
    description: 'Address to listen at; another one than this machine’s own opens the page to the network.',
    kind: 'text',
    list: false,
    default: '127.0.0.1',
    choices: [],
  },
  {
    name: 'port',
    description: 'Port to listen at; 0 takes a free one.',
    kind: 'number',
    list: false,
    default: 0,
    choices: [],
  },
  {
    name: 'interval',
    description: 'Seconds between two looks at the files.',
    kind: 'number',
    list: false,
    default: 1,
    choices: [],
  },
  {
    name: 'open',
    description: 'Open the page in the browser of this machine.',
    kind: 'boolean',
    list: false,
    default: false,
    choices: [],
  },
];

/** Adds `watch`. */
export function registerWatch(program: Command, io: Io, finish: (code: number) => void): void {
  const fields = [...fieldsOf('report').filter(({ name }) => !WITHOUT.includes(name)), ...SERVER];
  const flags: Flags = { fields, positional: ['paths'], short: {} };
  const child = program.command('watch').description('serve the page of report, which follows a training');
  addFlags(child, flags);
  child.option('--json', 'write events and result as JSON lines on standard output');
  child.option('--quiet', 'write nothing but the address, warnings and errors');
  child.addHelpText('after', `\nExamples:\n${EXAMPLES.map((line) => `  ${line}`).join('\n')}\n`);
  child.action(async (...given: unknown[]) => {
    const output = given[flags.positional.length] as Output & Record<string, unknown>;
    const options = collect(
      flags,
      given.slice(0, flags.positional.length),
      output,
    ) as unknown as WatchOptions;
    finish(await runWatch(options, output, io, flags));
  });
}

const EXAMPLES = [
  'nnunet-diag watch RESULTS/nnUNet/3d_fullres/Task501_X/nnUNetTrainerV2__nnUNetPlansv2.1 --open',
  'nnunet-diag watch RESULTS/nnUNet/2d/Task501_X/nnUNetTrainerV2__nnUNetPlansv2.1/fold_0 --port 8080',
];

/** Serves until the signal of the command, such as Ctrl-C. */
async function runWatch(options: WatchOptions, output: Output, io: Io, flags: Flags): Promise<number> {
  const json = output.json === true;
  const show = (event: WatchEvent) => {
    if (json) io.out.write(jsonLine(event));
    else if (event.type === 'warning')
      io.err.write(`${styled(io.err, 'yellow', 'warning')}: ${event.message}\n`);
    else if (!output.quiet) io.err.write(wordsOf(event));
  };
  try {
    const page = await watch({ ...options, onEvent: show, signal: io.signal });
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
