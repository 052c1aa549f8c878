/** Compares the predictions of predict.ts with the test labels. */
import { join } from 'node:path';
import { evaluate } from 'nnunet-diag';

const { nnUNet_raw_data_base: raw = '' } = process.env;
const { results } = await evaluate({
  referenceDir: join(raw, 'nnUNet_raw_data', 'Task501_IcbmTissue', 'labelsTs'),
  predictionDir: 'predictions',
  labels: [1, 2, { name: 'brain', labels: [2, 3] }],
}).result;
for (const [region, metrics] of Object.entries(results.mean)) console.log(region, metrics.Dice);
