import type { EstimateMemoryOptions } from '../generated/options.js';
import { estimateMemory } from '../verbs/memory.js';
import type { Values } from './argv.js';
import type { SubmittableVerb } from './jobs-of.js';
import type { AllSlurmOptions, TaskMemory } from './script.js';

const MIB = 2 ** 20;
/** Slurm's memory is rounded up to this many MiB, so that tasks of nearly the same need are of one size. */
const STEP = 256;

/** The memory of the tasks of a verb: that of the options, else an estimate. */
export async function memoryOf(
  verb: SubmittableVerb,
  options: Values,
  slurm: AllSlurmOptions,
): Promise<TaskMemory> {
  if (slurm.mem === 'default') return { mem: undefined, comment: undefined };
  if (slurm.mem !== undefined) return { mem: slurm.mem, comment: undefined };
  const given = slurm.sbatch?.find((text) => /^--(mem|exclusive)\b/.test(text));
  if (given !== undefined) return { mem: undefined, comment: undefined };
  const { bytes, parts, basis } = await estimateMemory({
    verb,
    options: options as EstimateMemoryOptions['options'],
    gpu: hasGpu(options, slurm),
    workers: slurm.cpus ?? 1,
  }).result;
  const reason = basis.replaceAll(/\s+/g, ' ');
  if (bytes === null) {
    return {
      mem: undefined,
      comment: `Memory: that of the cluster, because there is no estimate: ${reason}`,
    };
  }
  const terms = Object.entries(parts).map(([name, part]) => `${name} ${Math.ceil(part / MIB)}`);
  const mem = Math.ceil(bytes / MIB / STEP) * STEP;
  return { mem: `${mem}M`, comment: `Memory in MiB: ${terms.join(' + ')} + a tenth (${reason})` };
}

/** Whether libtorch computes on a GPU of the task. */
function hasGpu({ device }: Values, { gres, sbatch }: AllSlurmOptions): boolean {
  const asked = [...(gres === undefined ? [] : [gres]), ...(sbatch ?? [])].some((text) => /gpu/.test(text));
  return asked && device !== 'cpu';
}
