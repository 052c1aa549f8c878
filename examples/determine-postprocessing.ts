/** Finds the labels of predict.ts's predictions that are better with their largest component only. */
import { join } from 'node:path';
import { determinePostprocessing } from 'nnunet-diag';

const { nnUNet_raw_data_base: raw = '' } = process.env;
const { postprocessing, dice, postprocessedDice } = await determinePostprocessing({
  // Real rules come from validation cases, never from test cases.
  referenceDir: join(raw, 'nnUNet_raw_data', 'Task501_IcbmTissue', 'labelsTs'),
  predictionDir: 'predictions',
  output: 'postprocessing.json',
}).result;
console.log('only the largest component of', postprocessing);
for (const label of Object.keys(dice)) console.log(label, dice[label], '→', postprocessedDice[label]);
