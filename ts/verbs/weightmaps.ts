import type { WeightmapsOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Writes `<case>_weightmap.npy`, shape `(1, z, y, x)`, for every case of a folder.
 *
 * The weight of a voxel is `w_c + w0·exp(−d²/2σ²)`. `w_c` is one minus the frequency of its class; `d` is its distance to
 * the nearest eroded object. Unlabelled voxels (-1) have weight 0. Source: `nnunet.utilities.diag.generate_unet_weightmaps`;
 * Ronneberger et al. 2015 for `mode: 'instances'`.
 */
export function generateWeightmaps(options: WeightmapsOptions): RunOf<'weightmaps'> {
  return startCore('weightmaps', options);
}
