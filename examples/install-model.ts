/** Installs the models in the zip file of export-model.ts into another folder. */
import { installModel } from 'nnunet-diag';

const { models } = await installModel({ zip: 'Task501_IcbmTissue.zip', output: 'installed' }).result;
for (const { folder, folds } of models) console.log(`${folder}: folds`, folds);
