/** Segments a DICOM series of one channel. Usage: node dicom.js SERIES_FOLDER MODEL_FOLDER OUTPUT.nii.gz */
import { loadModel } from 'nnunet-diag';
import { readSeries } from './dicom-series.js';
import { writeLabels } from './nifti.js';

const [series, folder, output] = process.argv.slice(2);
if (series === undefined || folder === undefined || output === undefined) {
  throw new Error('usage: node dicom.js SERIES_FOLDER MODEL_FOLDER OUTPUT.nii.gz');
}
const image = await readSeries(series);
console.log(
  `${image.shape.join(' × ')} voxels (z, y, x) of ${image.spacing.map((mm) => mm.toFixed(3)).join(' × ')} mm`,
);
await using model = await loadModel(folder);
const { segmentation, warnings } = await model.predict(image);
for (const { message } of warnings) console.warn(message);
await writeLabels(output, segmentation, image);
console.log(output);
