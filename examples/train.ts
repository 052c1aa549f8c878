/** Trains one fold with tiny settings and draws the learning curves. Ctrl-C writes a checkpoint first. */
import { writeFile } from 'node:fs/promises';
import { drawCurves, type EpochEvent, NnunetError, train } from 'nnunet-diag';

const abort = new AbortController();
process.once('SIGINT', () => abort.abort());
const epochs: EpochEvent[] = [];
try {
  const run = train({
    task: '501',
    configuration: '3d_fullres',
    fold: 0,
    trainer: 'nnUNetTrainerV2Weighted',
    patchSize: [32, 32, 32],
    epochs: 2,
    iterations: 4,
    validationIterations: 1,
    signal: abort.signal,
  });
  for await (const event of run) {
    if (event.type !== 'epoch') continue;
    epochs.push(event);
    console.log(`epoch ${event.epoch + 1} of ${event.epochs}: loss ${event.trainLoss?.toFixed(3)}`);
  }
  console.log((await run.result).checkpoint);
  await writeFile('curves.svg', drawCurves('Task501', epochs, ['CSF', 'GM', 'WM']));
} catch (error) {
  if (!(error instanceof NnunetError) || error.code !== 'ERR_CANCELLED') throw error;
  console.log('stopped; continue with `continue: true`');
}
