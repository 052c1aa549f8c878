import { spawnSync } from 'node:child_process';
import test from 'ava';
import { ROWS } from '../ts/cli/rows.js';
import { kebab } from '../ts/cli/schema.js';
import { packageVersion } from '../ts/version.js';
import { cli, workspace, writeTask } from './made-up.js';

const VERBS = ROWS.map((row) => kebab(row.name));

test('--help lists every verb, --version prints the version', async (t) => {
  const help = await cli(['--help']);
  t.is(help.code, 0);
  for (const verb of [...VERBS, 'watch', 'libtorch', 'doctor', 'shims'])
    t.true(help.out.includes(`  ${verb}`), verb);
  t.is((await cli(['--version'])).out.trim(), packageVersion());
});

for (const verb of VERBS) {
  test(`${verb} --help has examples and a description of every flag`, async (t) => {
    const { code, out } = await cli([verb, '--help']);
    t.is(code, 0);
    t.regex(out, /Examples:\n {2}nnunet-diag /);
    t.regex(out, /--json /);
    const bare = out.split('\n').filter((line) => /^ {2}(-\w, )?--[\w-]+( <[^>]+>)?$/.test(line));
    t.deepEqual(bare, []);
  });
}

test('bad usage exits with 2 and names the flag in words', async (t) => {
  t.is((await cli(['nonsense'])).code, 2);
  const cases: [string[], RegExp][] = [
    [
      ['train'],
      /<task>: missing; expected text that is not empty\n--configuration: missing; expected one of 2d, /,
    ],
    [['train', '501', '-c', '4d'], /--configuration: expected one of 2d, .*, got "4d"; did you mean 2d\?/],
    [
      ['train', '501', '-c', '2d', '--epochs', 'x'],
      /--epochs: expected a whole number of at least 1, got "x"/,
    ],
    [
      ['train', '501', '-c', '3d_fullres', '--patch-size', '48', '48'],
      /--patch-size: expected 3 values for 3d_fullres, got 48 48/,
    ],
    [
      ['train', '501', '-c', '3d_fullres', '--patch-size', '64x64xy'],
      /--patch-size: expected a list of 2 to 3 values/,
    ],
    [
      ['train', '501', '-c', '2d', '--trainer', 'nnUNetTrainerV2Sprase'],
      /--trainer: .*; did you mean nnUNetTrainerV2Sparse\?/,
    ],
    [
      ['train', '501', '-c', '2d', '--recipe', '{"loss":{"dise":1}}'],
      /--recipe: loss\.dise: unknown option; did you mean dice\?/,
    ],
    [
      ['splits', '501', '--groups', 'a', '--from', 'b'],
      /--from: expected at most one of groupPattern, groups and from/,
    ],
    [['predict', '-i', 'a', '-o', 'b'], /--model: missing/],
    [['weightmaps', 'x', '-c', '1', 'two'], /--classes: value 2: expected a whole number.*, got "two"/],
  ];
  for (const [argv, words] of cases) {
    const { code, out, err } = await cli(argv);
    t.is(code, 2, argv.join(' '));
    t.regex(err, words, argv.join(' '));
    t.is(out, '');
  }
});

test('an option that only the verb can judge is bad usage too', async (t) => {
  const { folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task901_Cube', { a: [16, 16, 16] });
  const { code, err } = await cli(['plan', '901', '-c', '2d', '--patch-size', '7x9', ...flags]);
  t.regex(err, /--patch-size: expected .* \(2d\), got \[7, 9\]/);
  t.is(code, 2);
});

test('-v after a verb shows all settings; before it, -v prints the version', async (t) => {
  const { folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task901_Cube', { a: [16, 16, 16] });
  t.notRegex((await cli(['check', '901', ...flags])).err, /tolerance/);
  t.regex((await cli(['check', '901', '-v', ...flags])).err, /tolerance 0\.001/);
  t.is((await cli(['-v'])).out.trim(), packageVersion());
});

test('with --json every line is typed and versioned, from started to done', async (t) => {
  const { folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task901_Cube', { a: [16, 16, 16], b: [16, 16, 16] });
  const { code, out, err } = await cli(['check', '901', '--json', ...flags]);
  t.is(code, 0);
  t.is(err, '');
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { format: number; type: string });
  t.true(lines.every((line) => line.format === 1));
  t.is(lines[0]?.type, 'started');
  t.is(lines.at(-1)?.type, 'done');
});

test('with --json an error is one failed line on standard output, a usage error too', async (t) => {
  const failed = async (...argv: string[]) => {
    const { code, out, err } = await cli([...argv, '--json']);
    t.is(code, 2);
    t.is(err, '');
    const line = JSON.parse(out) as {
      format: number;
      type: string;
      error: { code: string; message: string };
    };
    t.like(line, { format: 1, type: 'failed', error: { code: 'ERR_OPTIONS' } });
    return line.error.message;
  };
  t.regex(await failed('weightmaps', 'x', '--sigma', '-3'), /^sigma: expected a number from .*, got -3$/);
  t.regex(await failed('weightmaps', 'x', '--sgima', '3'), /unknown option '--sgima'/);
  t.regex(await failed('nonsense'), /unknown command/);
});

test('what does not exist is ERR_NOT_FOUND, with what to run first', async (t) => {
  const { folders, flags } = await workspace(t);
  const missing = await cli(['check', '999', ...flags]);
  t.is(missing.code, 1);
  t.regex(missing.err, /ERR_NOT_FOUND: .*999/);
  await writeTask(folders.rawDataBase, 'Task901_Cube', { a: [16, 16, 16] });
  const unplanned = await cli(['preview', '901', '-c', '3d_fullres', ...flags]);
  t.is(unplanned.code, 1);
  t.regex(unplanned.err, /ERR_NOT_FOUND: .*preprocess/);
});

for (const shell of ['bash', 'zsh', 'fish']) {
  test(`completion for ${shell} knows verbs, flags and choices`, async (t) => {
    const { code, out } = await cli(['completion', shell]);
    t.is(code, 0);
    for (const word of ['preprocess', 'patch-size', 'nnUNetTrainerV2Sparse'])
      t.true(out.includes(word), word);
    const parser = spawnSync(shell, ['-n'], { input: out });
    if (parser.error === undefined) t.is(parser.status, 0, String(parser.stderr));
  });
}

test('completion in bash offers verbs, then the flags of the verb, then the choices of the flag', async (t) => {
  const { out } = await cli(['completion', 'bash']);
  const offered = (...words: string[]) => {
    const script = `${out}\nCOMP_WORDS=(nnunet-diag ${words.map((w) => `'${w}'`).join(' ')})
COMP_CWORD=${words.length}\n_nnunet_diag\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
    return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.trim().split('\n');
  };
  t.deepEqual(offered('pre').sort(), ['predict', 'preprocess', 'preview']);
  t.deepEqual(offered('train', '501', '--patch'), ['--patch-size']);
  t.deepEqual(offered('train', '--trainer', 'nnUNetTrainer_'), ['nnUNetTrainer_V2_Loss_CEandDice_Weighted']);
  t.deepEqual(offered('libtorch', 'in'), ['install']);
  t.deepEqual(offered('shims', 'in'), ['install']);
  t.is((await cli(['completion', 'tcsh'])).code, 2);
});
