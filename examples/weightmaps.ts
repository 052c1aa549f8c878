/** Writes weightmaps beside the preprocessed cases. */
import { join } from 'node:path';
import { generateWeightmaps } from 'nnunet-diag';

const { nnUNet_preprocessed: preprocessed = '' } = process.env;
const folder = join(preprocessed, 'Task501_IcbmTissue', 'nnUNetData_plans_v2.1_stage0');
const { written, classes } = await generateWeightmaps({ folder, w0: 2, sigma: 2 }).result;
console.log(`${written} weightmaps of the classes ${classes.join(', ')}`);
