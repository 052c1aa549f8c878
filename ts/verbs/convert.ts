import type { ConvertOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/** Converts a data set of nnU-Net v2 (its `ignore` label becomes -1) or of the Medical Decathlon to a raw task. */
export function convertDataset(options: ConvertOptions): RunOf<'convert'> {
  return startCore('convert', options);
}
