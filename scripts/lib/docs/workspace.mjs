// Runs the blocks of a page in order, in one shell and in a workspace of its own.
import {
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { capture, root } from '../process.mjs';
import { isRun } from './pages.mjs';
import { fileOf } from './scripts.mjs';

/** Makes a folder with the commands of this build. */
export function makeCommands(folder) {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const commands = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).bin;
  for (const [name, program] of Object.entries(commands)) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec '${process.execPath}' '${join(root, program)}' "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

/** Folder of a page's workspace. It stands for the checkout: the set-up of the pages makes `work` in it. */
export const workspaceOf = (folder, path) => join(folder, 'pages', path.replaceAll(/[/.]/g, '-'));

/**
 * Runs a page after the block `setup`. Returns the lines of the blocks that succeeded, with their seconds, and
 * the output.
 */
export async function runPage(page, { folder, bin, setup }) {
  const workspace = workspaceOf(folder, page.path);
  mkdirSync(workspace, { recursive: true });
  for (const name of ['examples', 'dist']) symlinkSync(join(root, name), join(workspace, name), 'junction');
  if (page.continues !== undefined) {
    const from = join(workspaceOf(folder, page.continues), 'work');
    cpSync(from, join(workspace, 'work'), { recursive: true, mode: constants.COPYFILE_FICLONE });
  }
  const done = join(workspace, 'done');
  const steps = page.blocks.filter(isRun).map((block) => {
    const script = join(folder, 'blocks', `${fileOf(page, block)}.js`);
    const code = block.language === 'ts' ? `node '${script}'\n` : expecting(block);
    return `${code}printf '%s %s\\n' ${block.line} "$SECONDS" >> '${done}'\n`;
  });
  // The page of the set-up runs it as its own block.
  const first = page.blocks.includes(setup) ? '' : setup.code;
  const script = join(workspace, 'page.sh');
  writeFileSync(script, `set -euo pipefail\n${first}${steps.join('')}`);
  const env = { PATH: `${bin}${delimiter}${process.env.PATH}`, NO_COLOR: '1' };
  const { output } = await capture('bash', [script], { quiet: true, cwd: workspace, env });
  const finished = existsSync(done) ? readFileSync(done, 'utf8').trim().split('\n') : [];
  return { finished: new Map(finished.map((line) => line.split(' ').map(Number))), output };
}

/** The code of a block, which fails unless its last command ends with the exit code of the block. */
function expecting({ code, exit }) {
  return exit === '0' ? code : `set +e\n${code}status=$?\nset -e\n[ "$status" -eq ${exit} ]\n`;
}
