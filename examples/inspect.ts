/** Shows what a plans file holds, without Python. */
import { join } from 'node:path';
import { inspect } from 'nnunet-diag';

const { nnUNet_preprocessed: preprocessed = '' } = process.env;
const file = join(preprocessed, 'Task501_IcbmTissue', 'nnUNetPlansv2.1_plans_3D.pkl');
console.log(JSON.stringify(await inspect({ file }).result, null, 2));
