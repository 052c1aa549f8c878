import { Command, CommanderError } from 'commander';
import { fromNative, type NnunetError } from '../errors.js';
import { packageVersion } from '../version.js';
import { type AnyVerbCommand, configure, EXIT, type Io, register } from './command.js';
import { allCommands, weightmapsCommand } from './commands.js';
import { registerDoctor } from './doctor.js';
import { registerLibtorch } from './libtorch.js';

/**
 * Runs `nnunet-diag` with the arguments after its name.
 *
 * @returns the exit code: 0 done, 1 failed or some cases failed, 2 bad usage, 130 cancelled
 */
export function main(argv: readonly string[], io: Io): Promise<number> {
  return execute(io, argv, (finish) => {
    const program = new Command('nnunet-diag');
    program.description(
      'nnU-Net v1 with DIAG’s additions: plan, preprocess, train, predict, evaluate; no Python at run time',
    );
    program.version(packageVersion());
    for (const definition of allCommands) register(program, definition, io, finish);
    registerLibtorch(program, io, finish);
    registerDoctor(program, io, finish);
    return program;
  });
}

/** Runs `nnUNet_diag_generate_unet_weightmaps`, the command as DIAG's users know it. */
export function weightmapsMain(argv: readonly string[], io: Io): Promise<number> {
  return execute(io, argv, (finish) => {
    const program = new Command('nnUNet_diag_generate_unet_weightmaps');
    program.description(weightmapsCommand.spec.summary);
    configure(program, forOwnName(weightmapsCommand), io, finish, '');
    return program;
  });
}

/** Examples of the verb, under the name of the command that stands for it. */
function forOwnName(definition: AnyVerbCommand): AnyVerbCommand {
  const examples = definition.spec.examples.map((e) =>
    e.replace(/^weightmaps/, 'nnUNet_diag_generate_unet_weightmaps'),
  );
  return { ...definition, spec: { ...definition.spec, examples } };
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
  prepare(program, io);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
    return report(fromNative(thrown), argv.includes('--json'), io);
  }
}

function prepare(program: Command, io: Io): void {
  for (const command of [program, ...program.commands]) {
    command.exitOverride();
    command.configureOutput({
      writeOut: (text) => void io.out.write(text),
      writeErr: (text) => void io.err.write(text),
    });
    if (command !== program) prepare(command, io);
  }
}

function report(error: NnunetError, json: boolean, io: Io): number {
  if (json) io.out.write(`${JSON.stringify({ type: 'failed', error })}\n`);
  else io.err.write(`${error.code === 'ERR_CANCELLED' ? '' : `${error.code}: `}${error.message}\n`);
  if (error.code === 'ERR_CANCELLED') return EXIT.cancelled;
  return error.code === 'ERR_OPTIONS' ? EXIT.usage : EXIT.failed;
}
