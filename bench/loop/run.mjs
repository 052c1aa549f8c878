// Delay of Node's event loop while a training runs in the same process. Usage: node bench/loop/run.mjs [ITERATIONS]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/lib/process.mjs';

const iterations = Number(process.argv[2] ?? 40);
const { planAndPreprocess, train } = await import(pathToFileURL(join(root, 'dist', 'ts', 'index.js')).href);
const folder = mkdtempSync(join(tmpdir(), 'nnunet-loop-'));
try {
  const folders = { preprocessed: join(folder, 'preprocessed'), results: join(folder, 'results') };
  const task = join(root, 'examples', 'data', 'Task501_IcbmTissue');
  await planAndPreprocess({ ...folders, task, configurations: ['3d_fullres'], keepCropped: false }).result;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const training = train({
    ...{
      ...folders,
      task,
      configuration: '3d_fullres',
      fold: 0,
      epochs: 2,
      iterations,
      validationIterations: 5,
    },
    ...{ precision: 'bfloat16', workers: 2 },
  });
  let events = 0;
  for await (const _ of training) events += 1;
  delay.disable();
  const ms = (nanoseconds) => `${(nanoseconds / 1e6).toFixed(1)} ms`;
  process.stdout.write(
    `${events} events; delay beyond 1 ms: median ${ms(delay.percentile(50) - 1e6)}, ` +
      `p99 ${ms(delay.percentile(99) - 1e6)}, longest ${ms(delay.max - 1e6)}\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
