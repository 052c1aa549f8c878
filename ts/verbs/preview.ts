import { extname } from 'node:path';
import { z } from 'zod';
import { fromNative } from '../errors.js';
import { checkTarget, writeWhole } from '../files.js';
import { core } from '../native/core.js';
import type { ArrayData, PreviewData } from '../native/generated/core.js';
import { toPng } from '../pictures/png.js';
import { drawContactSheet } from '../pictures/sheet.js';
import { Run } from '../run.js';
import { common, field, folders, foldersOf, type OptionsOf, parseOptions, verb } from '../schema.js';
import { trainingData } from './recipe.js';

const batchesSpec = verb({
  name: 'previewBatches',
  summary: 'make the batches that training would see',
  positional: ['task'],
  options: z.object({
    ...trainingData,
    phase: field(
      z.enum(['training', 'validation']).default('training'),
      'augmented training batches, or validation batches as they are',
    ),
    epoch: field(z.int().min(0).default(0), 'epoch of the batches, counted from 0'),
    iteration: field(z.int().min(0).default(0), 'iteration of the first batch, counted from 0'),
    batches: field(z.int().positive().default(1), 'how many batches, of consecutive iterations'),
    unpack: field(
      z.boolean().default(false),
      'write <case>.npy files as training does, instead of inflating the cases in memory',
    ),
    ...folders,
    ...common,
  }),
  examples: [],
});

export const previewSpec = verb({
  ...batchesSpec,
  name: 'preview',
  summary: 'draw what the network will see: augmented patches with labels and weightmaps over them',
  options: batchesSpec.options.extend({
    output: field(
      z
        .string()
        .regex(/\.(svg|png)$/i, 'expected a file name that ends in .svg or .png')
        .default('preview.svg'),
      'picture to write, .svg or .png; one that is there is replaced',
      'o',
    ),
  }),
  examples: [
    'preview 501 -c 3d_fullres --trainer nnUNetTrainerV2Weighted -o preview.svg',
    'preview 502 -c 2d -f all --trainer nnUNetTrainerV2Sparse --epoch 10 --batches 3 -o preview.png',
    'preview 501 -c 3d_fullres --phase validation --patch-size 64 64 64 --batch-size 4',
  ],
});

export type PreviewBatchesOptions = OptionsOf<typeof batchesSpec>;
export type PreviewOptions = OptionsOf<typeof previewSpec>;

/** A float32 array in C order. */
export interface FloatArray {
  readonly data: Float32Array;
  /** Length of each axis. */
  readonly shape: readonly number[];
}

/** One batch as the network sees it; axes are `(sample, channel, z, y, x)`, in 2D `(sample, channel, y, x)`. */
export interface PreviewBatch {
  /** Whole name of the task. */
  readonly task: string;
  /** The case of each sample. */
  readonly cases: readonly string[];
  /** Counted from 0. */
  readonly epoch: number;
  /** Within the epoch, counted from 0. */
  readonly iteration: number;
  /** Patch size in voxels, `(z, y, x)` or `(y, x)`. */
  readonly patchSize: readonly number[];
  /** Image channels; `data` has one more for each class in a cascade's second stage, the first one's segmentation. */
  readonly channels: number;
  /** Names of the image channels. */
  readonly modalities: readonly string[];
  /** Names of classes 1, 2, …; `class 1` and so on where the task has no `dataset.json`. */
  readonly classes: readonly string[];
  /** The network's input, normalised intensities. */
  readonly data: FloatArray;
  /** Labels at each deep-supervision scale, finest first, one channel; -1 is unlabelled, under recipes that ignore it. */
  readonly targets: readonly FloatArray[];
  /** Voxel weights at each of these scales, one channel, not negative; `null` unless the recipe has them. */
  readonly weights: readonly FloatArray[] | null;
}

export interface PreviewSummary {
  /** The picture written. */
  readonly output: string;
  readonly task: string;
  /** Batches drawn. */
  readonly batches: number;
  /** The case of each sample drawn, in order. */
  readonly cases: readonly string[];
}

/**
 * Makes the batches that `train` would take for the same options, seed, epoch and iteration: the same bytes, without
 * libtorch. Class weights and the like do not change them. All batches are held in memory at once.
 *
 * Nothing is written beside the cases but the index of annotated voxels, which training uses too, where patches are
 * centred on them; `unpack` writes `<case>.npy` as training does.
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_CANCELLED`, and the errors of data
 */
export function previewBatches(options: PreviewBatchesOptions): Run<PreviewBatch[]> {
  const { signal, ...rest } = options;
  return make(parseOptions(batchesSpec, rest), signal, (batches) => batches);
}

/**
 * Draws the batches of {@link previewBatches} as a contact sheet ({@link drawContactSheet}) and writes it to `output` in one
 * step; a picture that is there is replaced. The folder has to be there.
 *
 * @throws (through `result`) NnunetError `ERR_NOT_FOUND`, `ERR_IO`, `ERR_DISK_FULL`, `ERR_NO_FONT` (PNG), and those of `previewBatches`
 */
export function preview(options: PreviewOptions): Run<PreviewSummary> {
  const { signal, ...rest } = options;
  const { output, ...batchOptions } = parseOptions(previewSpec, rest);
  const use = async (batches: PreviewBatch[]): Promise<PreviewSummary> => {
    const svg = drawContactSheet(batches, titleOf(batches, batchOptions));
    await writeWhole(output, extname(output).toLowerCase() === '.png' ? await toPng(svg) : svg);
    const [first] = batches;
    const cases = batches.flatMap((batch) => batch.cases);
    return { output, task: first?.task ?? batchOptions.task, batches: batches.length, cases };
  };
  return make(batchOptions, signal, use, () => checkTarget(output));
}

type BatchOptions = z.output<typeof batchesSpec.options>;

/** Makes batches on a thread of their own and hands them to `use`, after `check` found nothing in the way. */
function make<R>(
  options: BatchOptions,
  signal: AbortSignal | undefined,
  use: (batches: PreviewBatch[]) => R | Promise<R>,
  check: () => Promise<void> = async () => {},
): Run<R> {
  const { workers, fold, rawDataBase, preprocessed, results, ...rest } = options;
  const native = { ...rest, fold: String(fold), ...foldersOf({ rawDataBase, preprocessed, results }) };
  return new Run<R>(async () => {
    await check();
    return (onMessage) => {
      const work = core().startPreview(JSON.stringify(native), workers, onMessage);
      return { cancel: () => work.cancel(), take: () => use(toBatches(take(() => work.take()))) };
    };
  }, signal);
}

function take<T>(from: () => T): T {
  try {
    return from();
  } catch (thrown) {
    throw fromNative(thrown);
  }
}

function toBatches({ batches, ...shared }: PreviewData): PreviewBatch[] {
  const all = (arrays: readonly ArrayData[]): readonly FloatArray[] => arrays;
  return batches.map(({ weights, ...batch }) => ({
    ...shared,
    channels: shared.modalities.length,
    ...batch,
    weights: weights === undefined ? null : all(weights),
  }));
}

/** What was previewed. */
function titleOf([first]: readonly PreviewBatch[], options: BatchOptions): string[] {
  const { configuration, fold, trainer, phase, seed } = options;
  const trained = options.recipe === undefined ? trainer : `${trainer} with a recipe of its own`;
  const patch = `patch ${first?.patchSize.join('×')}`;
  return [first?.task ?? options.task, configuration, `fold ${fold}`, trained, phase, `seed ${seed}`, patch];
}
