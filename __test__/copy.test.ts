import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { copyFile, copyTree } from '../ts/index.js';
import { cli } from './made-up.js';

const onUnix = process.platform === 'win32' ? test.skip : test;

onUnix(
  'copyTree copies the content of links, names dangling ones, and copy-tree prints the counts',
  async (t) => {
    const base = await mkdtemp(join(tmpdir(), 'copy-'));
    t.teardown(() => rm(base, { recursive: true }));
    const path = (name: string) => join(base, name);
    await mkdir(path('from/sub'), { recursive: true });
    await writeFile(path('from/a.txt'), 'a');
    await symlink('../a.txt', path('from/sub/link'));
    await symlink('nothing', path('from/dangling'));
    const run = copyTree({ source: path('from'), target: path('to') });
    const warnings: string[] = [];
    for await (const event of run) if (event.type === 'warning') warnings.push(event.code);
    t.deepEqual(await run.result, {
      target: path('to'),
      files: 2,
      kept: 0,
      folders: 2,
      danglingLinks: [path('from/dangling')],
    });
    t.deepEqual(warnings, ['WARN_DANGLING_LINK']);
    t.is(await readFile(path('to/sub/link'), 'utf8'), 'a');

    const again = await cli(['copy-tree', path('from'), path('to')]);
    t.is(again.code, 1);
    t.regex(again.err, /ERR_TARGET_EXISTS: .*to exists already/);
    const other = await cli(['copy-tree', path('from'), path('other'), '--ignore', 'sub']);
    t.is(other.code, 0, other.err);
    t.regex(other.out, /1 files in 1 folders copied to /);
  },
);

test('copyFile copies into a folder and rejects a missing file', async (t) => {
  const base = await mkdtemp(join(tmpdir(), 'copy-'));
  t.teardown(() => rm(base, { recursive: true }));
  await writeFile(join(base, 'a.txt'), 'a');
  await mkdir(join(base, 'to'));
  const { target } = await copyFile({ source: join(base, 'a.txt'), target: join(base, 'to') }).result;
  t.is(target, join(base, 'to', 'a.txt'));
  t.is(await readFile(target, 'utf8'), 'a');
  await t.throwsAsync(copyFile({ source: join(base, 'none'), target: base }).result, {
    code: 'ERR_NOT_FOUND',
  });
});
