import type { CopyFileOptions, CopyTreeOptions } from '../generated/options.js';
import { type RunOf, startCore } from './start.js';

/**
 * Copies the content of a file, and neither mode, times nor owner: servers that store no such metadata reject them. The
 * target may be a folder. The copy is complete or absent.
 *
 * Source: `shutil_sol.copyfile` of DIAG.
 *
 * @throws (through `result`) NnunetError `ERR_NOT_FOUND`, `ERR_STORAGE_IO`, `ERR_DISK_FULL`, `ERR_SAME_FILE`,
 * `ERR_SPECIAL_FILE`, `ERR_CANCELLED`
 */
export function copyFile(options: CopyFileOptions): RunOf<'copyFile'> {
  return startCore('copyFile', options);
}

/**
 * Copies a folder as {@link copyFile}. Symbolic links are followed, relative ones from their own folder; links to nothing
 * are left out, with a warning. Every entry is tried; `ERR_COPY_TREE` lists all that failed.
 *
 * ```ts
 * await copyTree({ source: '/data/Task501_X', target: '/scratch/Task501_X', ignore: ['*.tmp'] }).result;
 * ```
 *
 * Source: `shutil_sol.copytree` of DIAG.
 *
 * @throws (through `result`) NnunetError `ERR_COPY_TREE`, `ERR_TARGET_EXISTS`, `ERR_NOT_FOUND`, `ERR_STORAGE_IO`,
 * `ERR_LINK_CYCLE`, `ERR_PATTERN`, `ERR_CANCELLED`
 */
export function copyTree(options: CopyTreeOptions): RunOf<'copyTree'> {
  return startCore('copyTree', options);
}
