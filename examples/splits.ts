/** Writes folds that keep the cases of a patient together. Here the last digit of a case is its patient. */
import { makeSplits } from 'nnunet-diag';

const { folds, groups } = await makeSplits({ task: '501', groupPattern: '(\\d)$', overwrite: true }).result;
console.log(`${groups} patients`);
for (const { train, val } of folds) console.log(train.length, 'for training; validation:', val.join(' '));
