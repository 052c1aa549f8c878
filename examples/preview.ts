/** Draws a training batch, and reads the same batch as arrays. */
import { preview, previewBatches } from 'nnunet-diag';

const options = {
  task: '501',
  configuration: '3d_fullres',
  trainer: 'nnUNetTrainerV2Weighted',
  patchSize: [16, 16, 16],
} as const;
console.log('drawn in', (await preview({ ...options, output: 'batch.svg' }).result).output);
const [batch] = await previewBatches(options).result;
console.log(batch?.cases.join(' '), batch?.data.shape, batch?.weights?.[0]?.shape);
