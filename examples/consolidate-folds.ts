/** Trains all folds with tiny settings, and determines the postprocessing of the model by all validation cases. */
import { dirname } from 'node:path';
import { consolidateFolds, train } from 'nnunet-diag';

const trained = await train({
  task: '501',
  configuration: '3d_fullres',
  folds: [0, 1, 2, 3, 4],
  patchSize: [32, 32, 32],
  epochs: 1,
  iterations: 2,
  validationIterations: 1,
}).result;
const { cases, postprocessing, dice } = await consolidateFolds({ model: dirname(trained.folder) }).result;
console.log(`${cases} validation cases, Dice`, dice);
console.log('predict keeps only the largest component of', postprocessing);
