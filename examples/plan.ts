/** Plans a task and shows the patch size of each configuration. */
import { planExperiment } from 'nnunet-diag';

const { configurations } = await planExperiment({ task: '501' }).result;
for (const { configuration, patchSize, batchSize, spacing } of configurations) {
  console.log(configuration, patchSize.join('×'), `batch ${batchSize}`, `${spacing.join('×')} mm`);
}
