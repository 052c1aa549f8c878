/** Copies a preprocessed task to a fast disk, without unpacked arrays. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { copyTree } from 'nnunet-diag';

const { nnUNet_preprocessed: preprocessed = '' } = process.env;
const target = join('copies', 'Task501_IcbmTissue');
await rm(target, { recursive: true, force: true });
const run = copyTree({ source: join(preprocessed, 'Task501_IcbmTissue'), target, ignore: ['*.npy'] });
for await (const event of run) {
  if (event.type === 'warning') console.warn(event.message);
}
const { files, folders } = await run.result;
console.log(`${files} files in ${folders} folders copied`);
