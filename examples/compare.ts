/** Compares the predictions of predict.ts with the ensemble of ensemble.ts. */
import { join } from 'node:path';
import { compare } from 'nnunet-diag';

const { nnUNet_raw_data_base: raw = '' } = process.env;
const { tests, files } = await compare({
  referenceDir: join(raw, 'nnUNet_raw_data', 'Task501_IcbmTissue', 'labelsTs'),
  firstDir: 'predictions',
  secondDir: 'ensemble',
  labels: [1, 2, 3],
  metrics: ['surface', 'volume'],
}).result;
for (const { region, metric, firstMean, secondMean, p } of tests) {
  console.log(region, metric, firstMean, secondMean, p);
}
console.log(files);
