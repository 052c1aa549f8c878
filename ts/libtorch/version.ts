/** Minor version of libtorch that the `torch` addon is built with; patch releases have the same ABI. */
export const REQUIRED_VERSION = '2.11';

/** Release that `nnunet-diag libtorch install` downloads. */
export const INSTALLED_RELEASE = '2.11.0';

/** `2.11.0+cu130` → `2.11`. */
export function minorOf(version: string): string {
  return version.split('+')[0]?.split('.').slice(0, 2).join('.') ?? version;
}
