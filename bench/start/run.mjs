// Start-up time of the command and of the import, beside plain Node. Usage: node bench/start/run.mjs [RUNS]
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/lib/process.mjs';

const runs = Number(process.argv[2] ?? 21);
const index = pathToFileURL(join(root, 'dist', 'ts', 'index.js')).href;
const cli = join(root, 'dist', 'ts', 'cli', 'main.js');
const PROGRAMS = {
  'plain Node': ['-e', '0'],
  "import 'nnunet-diag'": ['--input-type=module', '-e', `import ${JSON.stringify(index)}`],
  'nnunet-diag --version': [cli, '--version'],
  'nnunet-diag --help': [cli, '--help'],
  'nnunet-diag train --help': [cli, 'train', '--help'],
};

const times = Object.fromEntries(Object.keys(PROGRAMS).map((name) => [name, []]));
// In turn, so that a slow moment of the machine meets all programs.
for (let i = 0; i < runs; i++) {
  for (const [name, args] of Object.entries(PROGRAMS)) {
    const start = process.hrtime.bigint();
    const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
    if (status !== 0) throw new Error(`${name} ended with ${status}`);
    times[name].push(Number(process.hrtime.bigint() - start) / 1e6);
  }
}
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const plain = median(times['plain Node']);
for (const [name, values] of Object.entries(times)) {
  const middle = median(values);
  const fastest = Math.min(...values);
  process.stdout.write(
    `${name.padEnd(26)} median ${middle.toFixed(0).padStart(4)} ms (+${(middle - plain).toFixed(0)}), fastest ${fastest.toFixed(0)} ms\n`,
  );
}
