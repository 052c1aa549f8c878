import type { Command } from 'commander';
import { optionError } from '../errors.js';
import { EXIT, type Io } from './command.js';

/** Completions of a command: its flags, the choices of each flag, its subcommands. */
interface Words {
  readonly path: readonly string[];
  readonly flags: readonly string[];
  readonly choices: ReadonlyMap<string, readonly string[]>;
  readonly commands: readonly string[];
}

const SHELLS = { bash, zsh, fish } as const;

/** Adds `completion`, which writes the completion script of a shell. */
export function registerCompletion(program: Command, io: Io, finish: (code: number) => void): void {
  program
    .command('completion')
    .description('write a completion script: source <(nnunet-diag completion bash)')
    .argument('<shell>', Object.keys(SHELLS).join(', '))
    .action((shell: string) => {
      if (!Object.hasOwn(SHELLS, shell)) {
        throw optionError('shell', `expected one of ${Object.keys(SHELLS).join(', ')}, got "${shell}"`);
      }
      io.out.write(SHELLS[shell as keyof typeof SHELLS](program.name(), wordsOf(program)));
      finish(EXIT.done);
    });
}

function wordsOf(command: Command, path: readonly string[] = []): Words[] {
  const choices = new Map<string, readonly string[]>();
  const flags = ['--help'];
  for (const option of command.options.filter(({ hidden }) => !hidden)) {
    for (const flag of [option.short, option.long]) if (flag) flags.push(flag);
    const listed = /\[([\w|]+)\]/.exec(option.description)?.[1]?.split('|');
    if (listed && option.long) choices.set(option.long, listed);
  }
  const commands = command.commands.map((child) => child.name());
  const inner = command.commands.flatMap((child) => wordsOf(child, [...path, child.name()]));
  return [{ path, flags, choices, commands }, ...inner];
}

function bash(program: string, all: readonly Words[]): string {
  const name = `_${program.replaceAll('-', '_')}`;
  const cases = all.map(({ path, flags, choices, commands }) => {
    const inner = [...choices].map(([flag, words]) => `        ${flag}) words="${words.join(' ')}" ;;`);
    const body = [
      `      words="${[...commands, ...flags].join(' ')}"`,
      ...(inner.length > 0 ? ['      case "$previous" in', ...inner, '      esac'] : []),
    ];
    return `    "${path.join(' ')}")\n${body.join('\n')}\n      ;;`;
  });
  const paths = all.map(({ path }) => `"${path.join(' ')}"`).join('|');
  return `# ${program} completion for bash
${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F ${name} ${program}
`;
}

function zsh(program: string, all: readonly Words[]): string {
  return `#compdef ${program}\nautoload -U +X bashcompinit && bashcompinit\n${bash(program, all)}`;
}

function fish(program: string, all: readonly Words[]): string {
  const lines = all.flatMap(({ path, flags, choices, commands }) => {
    const last = path.at(-1);
    const when = last === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${last}`;
    const start = `complete -c ${program} -n '${when}'`;
    const words = commands.map((word) => `${start} -f -a '${word}'`);
    const options = flags.map((flag) => {
      const listed = choices.get(flag);
      const name = flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`;
      return `${start} ${name}${listed ? ` -x -a '${listed.join(' ')}'` : ''}`;
    });
    return [...words, ...options];
  });
  return `# ${program} completion for fish\n${lines.join('\n')}\n`;
}
