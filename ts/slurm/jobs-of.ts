import { fieldsOf } from '../cli/schema.js';
import { optionError } from '../errors.js';
import type { VerbName } from '../generated/verbs.js';
import { argvOf, type Values } from './argv.js';
import type { AllSlurmOptions, ArrayJob } from './script.js';
import { secondsOf, stopAfter } from './time.js';

/** A job whose memory is not known yet. */
export type WantedJob = Omit<ArrayJob, 'memory'>;

/** Verbs that Slurm can run. */
export const SUBMITTABLE = ['preprocess', 'weightmaps', 'train', 'predict', 'ensemble', 'evaluate'] as const;

/** A verb that Slurm can run. */
export type SubmittableVerb = (typeof SUBMITTABLE)[number];

/** Whether Slurm can run a verb. */
export function isSubmittable(verb: VerbName): verb is SubmittableVerb {
  return (SUBMITTABLE as readonly string[]).includes(verb);
}

/** The job arrays of a verb, in order: each waits for the one before it. */
export function jobsOf(verb: SubmittableVerb, options: Values, slurm: AllSlurmOptions): WantedJob[] {
  if (options.shard !== undefined && options.shard !== null) {
    throw optionError('shard', 'expected no part of the cases with Slurm: shards divides them');
  }
  if (options.mergeShards !== undefined && options.mergeShards !== null) {
    throw optionError('mergeShards', 'expected no number of parts with Slurm: shards has its own last job');
  }
  if (slurm.shards > 1 && verb === 'train') {
    throw optionError('shards', `expected 1, got ${slurm.shards}: train has one task a fold`);
  }
  const jobs = jobsOfVerb(verb, options, slurm);
  return jobs.map((job, i) => ({ ...job, name: jobs.length > 1 ? `${i + 1}-${job.name}` : job.name }));
}

function jobsOfVerb(verb: SubmittableVerb, options: Values, slurm: AllSlurmOptions): WantedJob[] {
  const { shards } = slurm;
  switch (verb) {
    case 'train':
      return [training(options, slurm)];
    case 'evaluate':
      return shards === 1 ? [job(verb, options, 1, false)] : evaluation(options, shards);
    case 'ensemble':
      return [job(verb, options, shards, false)];
    case 'weightmaps':
      return [job(verb, options, shards, options.skipExisting === true)];
    case 'predict':
      return [job(verb, options, shards, options.overwrite !== true)];
    case 'preprocess':
      return shards === 1
        ? [job(verb, options, 1, options.overwrite !== true)]
        : preprocessing(options, shards);
  }
}

/** Cropping by parts, plans of all cases, preprocessing by parts. */
function preprocessing(options: Values, shards: number): WantedJob[] {
  const { patchSize, batchSize, spacing, pooling, maskLowercaseCt, ...others } = options;
  const continues = options.overwrite !== true;
  const crop = options.keepCropped === false ? [] : [job('plan', options, shards, continues, 'crop')];
  // The parts have cropped the cases anew.
  const plan = crop.length > 0 ? { ...options, overwrite: undefined } : options;
  return [...crop, job('plan', plan, 1, continues), job('preprocess', others, shards, continues)];
}

/** Evaluation by parts, then their summary, which has the failed cases, too. */
function evaluation(options: Values, shards: number): WantedJob[] {
  const merge = job('evaluate', { ...options, mergeShards: shards }, 1, false, 'merge');
  return [job('evaluate', options, shards, false), { ...merge, after: 'afterany' }];
}

function job(
  verb: VerbName,
  options: Values,
  shards: number,
  continues: boolean,
  name: string = verb,
): WantedJob {
  return {
    name,
    argv: [verb, ...argvOf(verb, options)],
    perTask: [...(shards > 1 ? [`--shard "$task/${shards}"`] : []), ...threads(options)],
    tasks: Array.from({ length: shards }, (_, i) => i + 1),
    continues,
    after: 'afterok',
  };
}

/** One task a fold. */
function training(options: Values, { time }: AllSlurmOptions): WantedJob {
  const { fold, folds, overwrite, ...others } = options;
  if (overwrite === true) {
    const problem = 'expected false with Slurm: a job that is queued again continues; remove the fold first';
    throw optionError('overwrite', problem);
  }
  const chosen = (Array.isArray(folds) ? folds : [fold ?? firstFold()]).map(String);
  const numbers = chosen.map(Number).filter((number) => Number.isInteger(number));
  if (numbers.length !== chosen.length && chosen.length > 1) {
    throw optionError('folds', `expected numbers with Slurm, or all alone, got ${chosen.join(' ')}`);
  }
  const limit = time === undefined ? undefined : stopAfter(secondsOf(time));
  const all = { ...others, continue: true, stopAfter: options.stopAfter ?? limit };
  const [only] = chosen;
  return {
    name: 'train',
    argv: ['train', ...argvOf('train', { ...all, ...(numbers.length === 0 ? { fold: only } : {}) })],
    perTask: [...(numbers.length === 0 ? [] : ['--fold "$task"']), ...threads(options)],
    tasks: numbers.length === 0 ? [0] : [...new Set(numbers)],
    continues: true,
    after: 'afterok',
  };
}

function firstFold(): unknown {
  return fieldsOf('train').find(({ name }) => name === 'fold')?.default;
}

/** As many threads as Slurm gives cores; without Slurm, all cores. */
function threads({ workers }: Values): string[] {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: text of a shell script
  return workers === undefined ? ['--workers "${SLURM_CPUS_ON_NODE:-0}"'] : [];
}
