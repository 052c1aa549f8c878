/** Preprocesses both example tasks and shows the progress. */
import { planAndPreprocess } from 'nnunet-diag';

for (const task of ['501', '502']) {
  const run = planAndPreprocess({ task, configurations: ['3d_fullres'] });
  for await (const event of run) {
    if (event.type === 'progress') console.log(`${event.done} of ${event.total} ${event.unit}`);
    if (event.type === 'warning') console.warn(event.code, event.message);
  }
  const { preprocess } = await run.result;
  console.log(`${preprocess.task}: ${preprocess.written} written, ${preprocess.failures.length} failed`);
}
