/** Trains a fold with tiny settings, and serves a page that shows its curves meanwhile. */
import { join } from 'node:path';
import { train, type Watch, watch } from 'nnunet-diag';

const { RESULTS_FOLDER: results = '' } = process.env;
const trainer = 'nnUNetTrainerV2Sparse';
const fold = join(results, `nnUNet/3d_fullres/Task501_IcbmTissue/${trainer}__nnUNetPlansv2.1/fold_0`);
const run = train({
  task: '501',
  configuration: '3d_fullres',
  fold: 0,
  trainer,
  patchSize: [16, 16, 16],
  epochs: 3,
  iterations: 2,
  validationIterations: 1,
  validate: false,
});
let page: Watch | undefined;
for await (const event of run) {
  if (event.type !== 'epoch') continue;
  // The folder of the fold has something to show from its first epoch on.
  page ??= await watch({ paths: [fold] });
  console.log(`epoch ${event.epoch + 1} of ${event.epochs}: ${page.url}`);
}
await page?.close();
