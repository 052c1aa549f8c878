/** The minor version of libtorch whose headers the `torch` addon was built with; patch releases keep its ABI. */
export const REQUIRED_VERSION = '2.11';

/** The exact release that `nnunet-diag libtorch install` fetches. */
export const INSTALLED_RELEASE = '2.11.0';

/** `2.11.0+cu130` → `2.11`. */
export function minorOf(version: string): string {
  return version.split('+')[0]?.split('.').slice(0, 2).join('.') ?? version;
}
