import type { ExportModelOptions, InstallModelOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Writes trained models into a zip file that `installModel` and nnU-Net v1 install.
 * Source: `nnunet.inference.pretrained_models.collect_pretrained_models.export_pretrained_model`.
 *
 * ```ts
 * const { size } = await exportModel({ models: [folder], output: 'Task501.zip' }).result;
 * ```
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_MODEL_FOLDER`, `ERR_FOLD_UNFINISHED`,
 * `ERR_FILE_EXISTS`, `ERR_CANCELLED`, `ERR_DISK_FULL`
 */
export function exportModel(options: ExportModelOptions): RunOf<'exportModel'> {
  return startCore('exportModel', options);
}

/**
 * Installs the models of a zip file of `exportModel` or nnU-Net v1: all of them, or nothing. Nothing in the file is
 * executed, and a file that could do harm is refused.
 * Source: `nnunet.inference.pretrained_models.download_pretrained_model.install_model_from_zip_file`.
 *
 * ```ts
 * const { models } = await installModel({ zip: 'Task501.zip' }).result;
 * ```
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_FOLDER_UNSET`, `ERR_MODEL_ZIP`,
 * `ERR_MODEL_EXISTS`, `ERR_LOCKED`, `ERR_CANCELLED`, `ERR_DISK_FULL`
 */
export function installModel(options: InstallModelOptions): RunOf<'installModel'> {
  return startCore('installModel', options);
}
