/** Packs the model of consolidate-folds.ts, all of its folds, into a zip file. */
import { join } from 'node:path';
import { exportModel } from 'nnunet-diag';

const { RESULTS_FOLDER: results = '' } = process.env;
const task = join(results, 'nnUNet/3d_fullres/Task501_IcbmTissue');
const { output, files, size, models } = await exportModel({
  models: [join(task, 'nnUNetTrainerV2__nnUNetPlansv2.1')],
  output: 'Task501_IcbmTissue.zip',
}).result;
console.log(`${output}: ${files} files, ${size} bytes, folds`, models[0]?.folds);
