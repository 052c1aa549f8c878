/** Applies the rules of determine-postprocessing.ts to the predictions of predict.ts. */
import { applyPostprocessing } from 'nnunet-diag';

const { written, changed } = await applyPostprocessing({
  input: 'predictions',
  output: 'postprocessed',
  rules: 'postprocessing.json',
}).result;
console.log(`${changed} of ${written} segmentations changed`);
