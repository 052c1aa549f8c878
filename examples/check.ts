/** Checks a raw task and lists its problems, and its cases with unlabelled voxels. */
import { checkDataset } from 'nnunet-diag';

const { task, cases, problems } = await checkDataset({ task: '502' }).result;
for (const { kind, file, message } of problems) console.log(`${kind} ${file}: ${message}`);
const sparse = cases.filter((one) => one.unlabelledVoxels > 0);
console.log(`${task}: ${cases.length} cases, ${sparse.length} with unlabelled voxels`);
