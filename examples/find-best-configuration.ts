/** Compares the configurations of a task that have a cross-validation, here that of consolidate-folds.ts alone. */
import { findBestConfiguration } from 'nnunet-diag';

const { best, meanDice, commands } = await findBestConfiguration({
  task: '501',
  configurations: ['3d_fullres'],
}).result;
console.log(`best: ${best}, Dice ${meanDice}`);
console.log(commands.join('\n'));
