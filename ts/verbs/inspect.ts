import { z } from 'zod';
import type { Run } from '../run.js';
import { common, field, type OptionsOf, parseOptions, verb } from '../schema.js';
import { runCore } from './native.js';

export const inspectSpec = verb({
  name: 'inspect',
  summary: 'show what a file of nnU-Net holds, as JSON',
  positional: ['file'],
  options: z.object({
    file: field(z.string().min(1), 'a .pkl, .model, .npz, .npy, .nii or .nii.gz file'),
    ...common,
  }),
  examples: [
    'inspect nnUNet_preprocessed/Task501_X/nnUNetPlansv2.1_plans_3D.pkl',
    'inspect case_0000.nii.gz',
  ],
});

export type InspectOptions = OptionsOf<typeof inspectSpec>;

/**
 * Reads a file of nnU-Net without executing anything in it: pickles and checkpoints become JSON (tensors and arrays
 * as their shapes and types), archives, arrays and NIfTI files their headers.
 */
export function inspect(options: InspectOptions): Run<unknown> {
  const { workers, ...rest } = parseOptions(inspectSpec, options);
  return runCore('inspect', rest, workers, options.signal);
}
