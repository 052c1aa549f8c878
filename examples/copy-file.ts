/** Copies the plans of a task to a folder. The server of the folder need not store modes and times. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { copyFile } from 'nnunet-diag';

const { nnUNet_preprocessed: preprocessed = '' } = process.env;
await mkdir('copies', { recursive: true });
const source = join(preprocessed, 'Task501_IcbmTissue', 'nnUNetPlansv2.1_plans_3D.pkl');
const { target } = await copyFile({ source, target: 'copies' }).result;
console.log(`copied to ${target}`);
