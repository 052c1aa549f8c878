/** Averages the softmax of the models of train.ts and consolidate-folds.ts for the test cases. */
import { join } from 'node:path';
import { ensemble, predict } from 'nnunet-diag';

const { nnUNet_raw_data_base: raw = '', RESULTS_FOLDER: results = '' } = process.env;
const models = join(results, 'nnUNet/3d_fullres/Task501_IcbmTissue');
const folders: string[] = [];
for (const trainer of ['nnUNetTrainerV2Weighted', 'nnUNetTrainerV2']) {
  const { output } = await predict({
    input: join(raw, 'nnUNet_raw_data', 'Task501_IcbmTissue', 'imagesTs'),
    output: `softmax-${trainer}`,
    model: join(models, `${trainer}__nnUNetPlansv2.1`),
    folds: [0],
    saveSoftmax: true,
    mirroring: false,
    stepSize: 1,
  }).result;
  folders.push(output);
}
const { written, output } = await ensemble({ folders, output: 'ensemble' }).result;
console.log(`${written} cases in ${output}`);
