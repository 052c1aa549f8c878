/** Segments the test cases with the model of train.ts. */
import { join } from 'node:path';
import { predict } from 'nnunet-diag';

const { nnUNet_raw_data_base: raw = '', RESULTS_FOLDER: results = '' } = process.env;
const { written, device, seconds } = await predict({
  input: join(raw, 'nnUNet_raw_data', 'Task501_IcbmTissue', 'imagesTs'),
  output: 'predictions',
  model: join(results, 'nnUNet/3d_fullres/Task501_IcbmTissue/nnUNetTrainerV2Weighted__nnUNetPlansv2.1'),
  // Faster and a little worse than the defaults.
  mirroring: false,
  stepSize: 1,
  overwrite: true,
}).result;
console.log(`${written} cases on ${device} in ${seconds.toFixed(0)} s`);
