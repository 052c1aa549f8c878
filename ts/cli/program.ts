import { Command, CommanderError } from 'commander';
import { fromNative, NnunetError } from '../errors.js';
import { packageVersion } from '../version.js';
import { EXIT, type Io, register, report } from './command.js';
import { registerCompletion } from './completion.js';
import { registerDoctor } from './doctor.js';
import { registerJobs } from './jobs.js';
import { registerLibtorch } from './libtorch.js';
import { ROWS } from './rows.js';
import { registerShims } from './shims.js';
import { registerWatch } from './watch.js';

/**
 * Runs `nnunet-diag` with the arguments after its name.
 *
 * @returns the exit code: 0 done, 1 failed or some cases failed, 2 wrong usage, 130 cancelled
 */
export function main(argv: readonly string[], io: Io): Promise<number> {
  return execute(io, argv, (finish) => {
    const program = new Command('nnunet-diag');
    program.description(
      'nnU-Net v1 with DIAG’s additions: plan, preprocess, train, predict, evaluate; no Python at run time',
    );
    program.version(packageVersion(), '-v, --version');
    // Otherwise `-v` of a verb would print the version.
    program.enablePositionalOptions();
    for (const row of ROWS) register(program, row, io, finish);
    registerWatch(program, io, finish);
    registerJobs(program, io, finish);
    registerLibtorch(program, io, finish);
    registerDoctor(program, io, finish);
    registerShims(program, io, finish);
    registerCompletion(program, io, finish);
    return program;
  });
}

async function execute(
  io: Io,
  argv: readonly string[],
  build: (finish: (code: number) => void) => Command,
): Promise<number> {
  let code: number = EXIT.done;
  const program = build((exit) => {
    code = exit;
  });
  const json = argv.includes('--json');
  prepare(program, io, json);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) return report(fromNative(thrown), json, io);
    if (thrown.exitCode === 0) return EXIT.done;
    if (json) return report(new NnunetError('ERR_OPTIONS', thrown.message.replace(/^error: /, '')), json, io);
    return EXIT.usage;
  }
}

function prepare(program: Command, io: Io, json: boolean): void {
  for (const command of [program, ...program.commands]) {
    command.exitOverride();
    command.configureOutput({
      writeOut: (text) => void io.out.write(text),
      // With --json a usage error is one line on standard output.
      writeErr: (text) => void (json || io.err.write(text)),
    });
    if (command !== program) prepare(command, io, json);
  }
}
