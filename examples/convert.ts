/** Converts a data set of nnU-Net v2 or the Medical Decathlon, named on the command line, to a raw task. */
import { convertDataset } from 'nnunet-diag';

const [, , source = 'Dataset503_Icbm'] = process.argv;
const { convention, task, training, failures } = await convertDataset({ source, overwrite: true }).result;
console.log(`${convention} → ${task}: ${training} training cases, ${failures.length} failed`);
