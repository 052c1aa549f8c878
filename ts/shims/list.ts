import { findBestShim } from './best.js';
import { changeTrainerShim } from './missing.js';
import { planShim } from './plan.js';
import { predictShim } from './predict.js';
import { determinePostprocessingShim, ensembleShim } from './several.js';
import { convertShim, evaluateShim, weightmapsShim } from './small.js';
import type { Shim } from './table.js';
import { trainShim } from './train.js';
import { exportShim, installShim } from './zips.js';

/** Every command of nnU-Net v1 and DIAG's fork that `shims install` writes. */
export const SHIMS: readonly Shim[] = [
  convertShim,
  planShim,
  trainShim,
  predictShim,
  evaluateShim,
  weightmapsShim,
  ensembleShim,
  determinePostprocessingShim,
  findBestShim,
  exportShim,
  installShim,
  changeTrainerShim,
];

/** The table of a command. */
export function shimNamed(name: string): Shim | undefined {
  return SHIMS.find((one) => one.name === name);
}
