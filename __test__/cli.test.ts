import test from 'ava';
import { weightmapsMain } from '../ts/cli/program.js';
import { packageVersion } from '../ts/version.js';
import { cli, workspace, writeTask } from './made-up.js';

const VERBS = [
  'check',
  'plan',
  'preprocess',
  'splits',
  'weightmaps',
  'preview',
  'train',
  'predict',
  'evaluate',
  'convert',
  'inspect',
];

test('--help lists every verb, --version says the version', async (t) => {
  const help = await cli(['--help']);
  t.is(help.code, 0);
  for (const verb of [...VERBS, 'libtorch', 'doctor']) t.true(help.out.includes(`  ${verb}`), verb);
  t.is((await cli(['--version'])).out.trim(), packageVersion());
});

for (const verb of VERBS) {
  test(`${verb} --help has examples, and every flag its words`, async (t) => {
    const { code, out } = await cli([verb, '--help']);
    t.is(code, 0);
    t.regex(out, /Examples:\n {2}nnunet-diag /);
    t.regex(out, /--json /);
    const bare = out.split('\n').filter((line) => /^ {2}(-\w, )?--[\w-]+( <[^>]+>)?$/.test(line));
    t.deepEqual(bare, []);
  });
}

test('bad usage exits with 2 and says what was wrong', async (t) => {
  t.is((await cli(['nonsense'])).code, 2);
  t.is((await cli(['train'])).code, 2);
  const wrong = await cli(['train', '501', '-c', '4d']);
  t.is(wrong.code, 2);
  t.regex(wrong.err, /configuration but received "4d"/);
});

test('an option that only the verb can judge is bad usage too', async (t) => {
  const { folders, flags } = await workspace(t);
  await writeTask(folders.rawDataBase, 'Task901_Cube', { a: [16, 16, 16] });
  const { code, err } = await cli(['plan', '901', '-c', '2d', '--patch-size', '7', '9', ...flags]);
  t.regex(err, /ERR_OPTIONS: .*patch-?size: .*\(2d\).*\[7, 9\]/i);
  t.is(code, 2);
});

test('an error with --json is one JSON line on standard output', async (t) => {
  const { code, out } = await cli(['weightmaps', 'x', '--sigma', '-3', '--json']);
  t.is(code, 2);
  const { type, error } = JSON.parse(out) as { type: string; error: { code: string; message: string } };
  t.is(type, 'failed');
  t.is(error.code, 'ERR_OPTIONS');
  t.regex(error.message, /sigma but received -3/);
});

test('the weightmap command stands under DIAG’s own name', async (t) => {
  const { code, out } = await cli(['--help'], weightmapsMain);
  t.is(code, 0);
  t.regex(out, /Usage: nnUNet_diag_generate_unet_weightmaps/);
  for (const flag of ['--output-dir', '--matching-pattern', '--sigma', '--w0', '-c, --classes']) {
    t.true(out.includes(flag), flag);
  }
});
