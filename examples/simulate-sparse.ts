/** Makes sparse labels of three kinds from dense ones and shows the annotated share of each class. */
import { simulateSparse } from 'nnunet-diag';

const patterns = [
  { name: 'Task611_IcbmSlices', pattern: 'slices', slices: 2, axes: ['z', 'y'] },
  { name: 'Task612_IcbmScribbles', pattern: 'scribbles', share: 0.03 },
  { name: 'Task613_IcbmVoxels', pattern: 'voxels', share: 0.01 },
] as const;
for (const { name, ...pattern } of patterns) {
  const { share, classes } = await simulateSparse({ task: '501', name, ...pattern }).result;
  const each = classes.map(({ label, voxels, annotated }) => `${label}: ${percent(annotated / voxels)}`);
  console.log(`${name}: ${percent(share)} annotated (${each.join(', ')})`);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
