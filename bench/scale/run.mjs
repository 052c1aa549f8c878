// Speed of a training with 1, 2, … ranks on the CPU. Usage: node bench/scale/run.mjs [RANKS…]
//
// The batch is the same for every number of ranks (strong scaling). Each rank has one thread, so that more ranks have more
// of the machine: the efficiency is the speed per rank, relative to that of one rank with one thread.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/lib/process.mjs';

const numbers = process.argv.slice(2).map(Number);
const sizes = numbers.length > 0 ? numbers : [1, 2];
const { planAndPreprocess, train } = await import(pathToFileURL(join(root, 'dist', 'ts', 'index.js')).href);
const folder = mkdtempSync(join(tmpdir(), 'nnunet-scale-'));
try {
  const folders = { preprocessed: join(folder, 'preprocessed'), results: join(folder, 'results') };
  const task = join(root, 'examples', 'data', 'Task501_IcbmTissue');
  await planAndPreprocess({ ...folders, task, configurations: ['3d_fullres'], keepCropped: false }).result;
  let alone;
  for (const ranks of sizes) {
    const training = train({
      ...{
        ...folders,
        task,
        configuration: '3d_fullres',
        fold: 0,
        outputFolder: join(folder, `ranks${ranks}`),
      },
      ...{ epochs: 2, iterations: 10, validationIterations: 1, batchSize: 4, validate: false },
      ...{ patchSize: [32, 32, 32], device: 'cpu', precision: 'float32', workers: ranks, gpus: ranks },
    });
    let speed = 0;
    // The first epoch warms up.
    for await (const event of training) if (event.type === 'epoch') speed = event.iterationsPerSecond;
    alone ??= speed / ranks;
    const efficiency = speed / (alone * ranks);
    process.stdout.write(
      `${ranks} ranks: ${speed.toFixed(2)} iterations/s, efficiency ${(100 * efficiency).toFixed(0)} %\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
