/**
 * Converts a data set of nnU-Net v2 or the Medical Decathlon to a raw task. With a second argument, the folder of the result,
 * converts a raw task or a trained model of nnU-Net v1 to v2.
 */
import { convertDataset } from 'nnunet-diag';

const [, , source = 'Dataset503_Icbm', output] = process.argv;
const options = output === undefined ? {} : { to: 'v2' as const, output };
const { convention, folder, training, folds, failures } = await convertDataset({
  source,
  ...options,
  overwrite: true,
}).result;
const what = folds.length > 0 ? `${folds.length} folds` : `${training} training cases`;
console.log(`${convention} → ${folder}: ${what}, ${failures.length} failed`);
