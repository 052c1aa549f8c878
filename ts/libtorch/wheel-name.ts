/** Parts of the file name of a wheel. */
export interface WheelName {
  /** Name of the project in the index's spelling: `nvidia-cuda-runtime`. */
  readonly project: string;
  readonly version: string;
  /** Tags of the platforms, such as `manylinux_2_28_x86_64`. */
  readonly platforms: readonly string[];
}

/**
 * The parts of a file name such as `torch-2.11.0+cpu-cp312-cp312-win_amd64.whl`; `undefined` for other files.
 */
export function parseWheelName(file: string): WheelName | undefined {
  // Browsers save `+` as `%2B`.
  const parts = /^([\w.]+)-([^-]+)(?:-\d[^-]*)?-[^-]+-[^-]+-([^-]+)\.whl$/.exec(file.replaceAll('%2B', '+'));
  if (parts === null) return undefined;
  const [, project = '', version = '', platforms = ''] = parts;
  return {
    project: project.toLowerCase().replace(/[-_.]+/g, '-'),
    version,
    platforms: platforms.split('.'),
  };
}

/** Whether a wheel with these tags runs on this platform. */
export function runsHere(
  tags: readonly string[],
  platform: string = process.platform,
  arch: string = process.arch,
): boolean {
  const machine = platform === 'darwin' ? 'arm64|universal2' : arch === 'x64' ? 'x86_64' : 'aarch64';
  const pattern =
    platform === 'win32'
      ? arch === 'x64'
        ? /^win_amd64$/
        : /^win_arm64$/
      : platform === 'darwin'
        ? new RegExp(`^macosx_\\d+_\\d+_(${machine})$`)
        : new RegExp(`^(many)?linux[\\d_]*_${machine}$`);
  return tags.some((tag) => pattern.test(tag));
}
