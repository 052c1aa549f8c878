import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Report } from './report.js';

/**
 * Oldest NVIDIA driver for each major version of CUDA
 * (https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html).
 */
const OLDEST_DRIVER: Readonly<Record<number, number>> = { 12: 525, 13: 580 };

/** The NVIDIA driver of this machine, such as `580.95.05`; `undefined` if there is none. */
export function nvidiaDriver(version = '/proc/driver/nvidia/version'): string | undefined {
  try {
    const words = /Kernel Module.*?\s(\d+\.\d+(?:\.\d+)?)\s/.exec(readFileSync(version, 'utf8'));
    if (words !== null) return words[1];
  } catch {
    // Not Linux, or a container without the driver's files.
  }
  const argv = ['--query-gpu=driver_version', '--format=csv,noheader'];
  const answer = spawnSync('nvidia-smi', argv, { encoding: 'utf8', timeout: 10_000 });
  return answer.status === 0 ? /^\d+\.\d+(\.\d+)?/m.exec(answer.stdout)?.[0] : undefined;
}

/** The driver that a version of CUDA needs, in words. */
export function neededDriver(cuda: number): string {
  const oldest = OLDEST_DRIVER[cuda];
  return `CUDA ${cuda} needs an NVIDIA driver${oldest === undefined ? '' : `, version ${oldest} or later`}`;
}

/** Why this driver cannot run a version of CUDA, and what to do; `undefined` if it can. */
export function driverProblem(cuda: number, driver: string | undefined): string | undefined {
  const needed = neededDriver(cuda);
  if (driver === undefined) {
    return `${needed}; this machine has none. Training uses the CPU until a driver is installed.`;
  }
  const oldest = OLDEST_DRIVER[cuda];
  if (oldest === undefined || Number.parseInt(driver, 10) >= oldest) return undefined;
  return `${needed}; this machine has ${driver}. Training uses the CPU until the driver is updated.`;
}

/**
 * Reports the driver that a version of CUDA needs, with a warning if this machine has none or an older one.
 */
export function reportDriver(cuda: number, report: Report): void {
  const driver = nvidiaDriver();
  const problem = driverProblem(cuda, driver);
  if (problem !== undefined) report.warn('WARN_NVIDIA_DRIVER', problem);
  else report.step(`${neededDriver(cuda)}; this machine has ${driver}`);
}
