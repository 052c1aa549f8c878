import { type Flavour, type PinnedWheel, pinnedWheels } from './wheels.js';

/** A wheel that torch needs beside it. */
export interface Dependency {
  /** Name of the project: `nvidia-cuda-runtime`. */
  readonly project: string;
  /** The only version that fits, or `undefined` if any does. */
  readonly version: string | undefined;
}

/** Projects behind the extras of the package `cuda-toolkit` that libtorch is linked with. */
const TOOLKIT: Readonly<Record<string, string>> = {
  cublas: 'nvidia-cublas',
  cudart: 'nvidia-cuda-runtime',
  cufft: 'nvidia-cufft',
  cufile: 'nvidia-cufile',
  cupti: 'nvidia-cuda-cupti',
  curand: 'nvidia-curand',
  cusolver: 'nvidia-cusolver',
  cusparse: 'nvidia-cusparse',
  nvjitlink: 'nvidia-nvjitlink',
  nvrtc: 'nvidia-cuda-nvrtc',
};

/**
 * The wheels that a torch wheel needs, from the lines `Requires-Dist` of its METADATA. Only NVIDIA's
 * libraries are; what Python needs is left out. libtorch_cpu of a CUDA build is linked with two of them.
 */
export function dependencies(requires: readonly string[], flavour: Flavour): Dependency[] {
  const all = requires.flatMap((line): Dependency[] => {
    const [what = '', marker = ''] = line.split(';');
    if (/\bextra\b/.test(marker) || (/platform_system/.test(marker) && process.platform !== 'linux'))
      return [];
    const toolkit = /^cuda-toolkit\[([\w,-]+)\]/.exec(what);
    if (toolkit !== null) {
      const projects = (toolkit[1] ?? '').split(',').flatMap((extra) => TOOLKIT[extra] ?? []);
      return projects.map((project) => ({ project, version: pinned(project, flavour)?.version }));
    }
    const parts = /^(nvidia-[\w-]+)\s*(?:\(?==\s*([\w.]+?)(?:\.\*)?\)?)?\s*$/.exec(what.trim());
    // The tracing library nvtx is for Python.
    if (parts === null || parts[1]?.startsWith('nvidia-nvtx')) return [];
    return [{ project: parts[1] ?? '', version: parts[2] }];
  });
  return flavour === 'cuda' ? all : all.filter(({ project }) => /-cuda-(runtime|cupti)/.test(project));
}

/** Major version of CUDA that a torch wheel is built with; `undefined` if it is built without. */
export function cudaOf(requires: readonly string[]): number | undefined {
  for (const line of requires) {
    const major = /^cuda-toolkit.*==(\d+)/.exec(line) ?? /^nvidia-[\w-]+-cu(\d+)\b/.exec(line);
    if (major !== null && !(process.platform !== 'linux' && line.includes('platform_system'))) {
      return Number(major[1]);
    }
  }
  return undefined;
}

function pinned(project: string, flavour: Flavour): PinnedWheel | undefined {
  return pinnedWheels(flavour).find((wheel) => wheel.project === project);
}
