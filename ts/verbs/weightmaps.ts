import type { WeightmapsOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Writes `<case>_weightmap.npy`, shape `(1, z, y, x)`, for every case of a folder.
 *
 * Weight of a voxel: `w_c + w0·exp(−d²/2σ²)`, where `w_c` is one minus its class's frequency and `d` its distance to
 * the eroded objects. Unlabelled voxels (-1) weigh 0. Source: `nnunet.utilities.diag.generate_unet_weightmaps`;
 * Ronneberger et al. 2015 for `mode: 'instances'`.
 */
export function generateWeightmaps(options: WeightmapsOptions): RunOf<'weightmaps'> {
  return startCore('weightmaps', options);
}
