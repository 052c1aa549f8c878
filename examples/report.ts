/** Shows the model of train.ts, and its predictions beside those of ensemble.ts, each as one HTML file. */
import { join } from 'node:path';
import { report } from 'nnunet-diag';

const { nnUNet_raw_data_base: raw = '', RESULTS_FOLDER: results = '' } = process.env;
const model = join(results, 'nnUNet/3d_fullres/Task501_IcbmTissue/nnUNetTrainerV2__nnUNetPlansv2.1');
const task = join(raw, 'nnUNet_raw_data', 'Task501_IcbmTissue');
const reports = [
  { paths: [model], output: 'model.html' },
  {
    paths: ['predictions', 'ensemble'],
    output: 'predictions.html',
    reference: join(task, 'labelsTs'),
    images: join(task, 'imagesTs'),
  },
];
for (const options of reports) {
  const { output, bytes, cases, failures } = await report(options).result;
  console.log(output, `${(bytes / 1e6).toFixed(1)} MB`, `${cases} cases`, failures);
}
