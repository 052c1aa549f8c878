/** Exit codes of scripts whose run fails. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { packageRoot } from '../ts/version.js';

const index = pathToFileURL(join(packageRoot, 'dist', 'ts', 'index.js')).href;

/** Runs a script in which `run` is a failing check. */
function script(body: string): { code: number | null; out: string; err: string } {
  const text = `
    import { checkDataset } from ${JSON.stringify(index)};
    const options = { task: '999', rawDataBase: '/nonexistent', preprocessed: '/nonexistent', results: '/nonexistent' };
    const run = checkDataset(options);
    ${body}`;
  const argv = ['--input-type=module', '-e', text];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 60_000 });
  return { code: status, out: stdout, err: stderr };
}

const FAILED = /NnunetError: .*999/;

for (const [what, body] of [
  ['for await over a failed run ends the process with the error', 'for await (const event of run);'],
  ['a failed result ends the process with the error', 'await run.result;'],
  ['an unhandled failure ends the process with the error', ''],
] as const) {
  test(what, (t) => {
    const { code, err } = script(body);
    t.is(code, 1, err);
    t.regex(err, FAILED);
  });
}

for (const [what, body] of [
  [
    'a failure caught from the iterator',
    'try { for await (const event of run); } catch (e) { console.log(e.code); }',
  ],
  ['a failure caught from the result', 'await run.result.catch((e) => console.log(e.code));'],
] as const) {
  test(`${what} is no unhandled rejection`, (t) => {
    const { code, out, err } = script(body);
    t.is(code, 0, err);
    t.regex(out, /^ERR_\w+\n$/);
    t.is(err, '');
  });
}

test('an unhandled cancelled run ends the process with exit code 0', (t) => {
  t.like(script('run.cancel();'), { code: 0, out: '', err: '' });
});

test('two iterators of one run both get the error', (t) => {
  const body = `
    const read = async (name) => {
      try { for await (const event of run); } catch (e) { console.log(name, e.name); }
    };
    await Promise.all([read('first'), read('second')]);`;
  t.like(script(body), { code: 0, out: 'first NnunetError\nsecond NnunetError\n', err: '' });
});
