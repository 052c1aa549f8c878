import { z } from 'zod';
import { NnunetError } from '../errors.js';
import type { CaseFailure } from '../events.js';
import type { Run } from '../run.js';
import { common, field, type OptionsOf, parseOptions, verb } from '../schema.js';
import { runCore } from './native.js';

export const weightmapsSpec = verb({
  name: 'weightmaps',
  summary: 'generate U-Net border weightmaps beside preprocessed cases',
  positional: ['folder'],
  options: z.object({
    folder: field(
      z.string().min(1),
      'folder of preprocessed cases, such as …/Task501_X/nnUNetData_plans_v2.1_stage0',
    ),
    outputDir: field(
      z.string().min(1).optional(),
      'folder for the weightmaps (default: beside the cases)',
      'o',
    ),
    matchingPattern: field(z.string().min(1).default('*.npz'), 'which files are cases'),
    sigma: field(z.number().positive().default(5), 'width of the border term, voxels (mm with --spacing)'),
    w0: field(z.number().min(0).default(10), 'height of the border term'),
    classes: field(
      z.array(z.int()).min(1).optional(),
      'labels that count as objects (default: the non-zero labels of ../dataset.json)',
      'c',
    ),
    dtype: field(z.enum(['float32', 'float64', 'float16']).default('float32'), 'number type on disk'),
    compat: field(z.boolean().default(false), 'reproduce DIAG’s fork to the last digit, its errors included'),
    spacing: field(
      z.boolean().default(false),
      'distances and sigma in millimetres of the case’s own spacing',
    ),
    mode: field(
      z.enum(['border', 'instances', '2d']).default('border'),
      'border: as DIAG’s fork; instances: the U-Net paper’s formula; 2d: border, slice by slice',
    ),
    frequencies: field(
      z.enum(['case', 'dataset']).default('case'),
      'class weights from each case or from the whole data set',
    ),
    skipExisting: field(z.boolean().default(false), 'leave weightmaps that exist already'),
    overwrite: field(z.boolean().default(false), 'write over weightmaps that exist already (the default)'),
    ...common,
  }),
  examples: [
    'weightmaps nnUNet_preprocessed/Task501_IcbmTissue/nnUNetData_plans_v2.1_stage0',
    'weightmaps DIR --sigma 3 --w0 5 -c 1 2 --workers 4',
    'weightmaps DIR -o weightmaps --mode instances --spacing',
  ],
});

export type WeightmapsOptions = OptionsOf<typeof weightmapsSpec>;

export interface WeightmapsSummary {
  /** Files that matched. */
  readonly cases: number;
  /** Weightmaps written in this run. */
  readonly written: number;
  /** Cases left alone because their weightmap exists. */
  readonly skipped: number;
  readonly failures: readonly CaseFailure[];
  /** `null` where the maps lie beside their cases. */
  readonly outputDir: string | null;
  /** The classes used. */
  readonly classes: readonly number[];
  readonly seconds: number;
}

/**
 * Writes `<case>_weightmap.npy`, shape `(1, z, y, x)`, for every case of a folder.
 *
 * Weight of a voxel: `w_c + w0·exp(−d²/2σ²)`, where `w_c` is one minus its class's frequency and `d` its distance to
 * the eroded objects. Unlabelled voxels (-1) weigh 0. Source: `nnunet.utilities.diag.generate_unet_weightmaps`;
 * Ronneberger et al. 2015 for `mode: 'instances'`.
 */
export function generateWeightmaps(options: WeightmapsOptions): Run<WeightmapsSummary> {
  const { workers, skipExisting, overwrite, ...rest } = parseOptions(weightmapsSpec, options);
  if (skipExisting && overwrite) {
    throw new NnunetError(
      'ERR_OPTIONS',
      'weightmaps: expected one of skipExisting and overwrite, received both',
    );
  }
  const existing = skipExisting ? 'skip' : 'overwrite';
  return runCore('weightmaps', { ...rest, existing }, workers, options.signal);
}
