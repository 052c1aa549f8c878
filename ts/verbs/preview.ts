import { extname } from 'node:path';
import type { FloatArray, PreviewBatch } from '../batch.js';
import { fromNative } from '../errors.js';
import { checkTarget, writeWhole } from '../files.js';
import type { PreviewBatchesEvent, PreviewEvent } from '../generated/events.js';
import type { PreviewBatchesOptions, PreviewOptions } from '../generated/options.js';
import type { PreviewSummary } from '../generated/summaries.js';
import { core } from '../native/core.js';
import type { ArrayData, PreviewData } from '../native/generated/core.js';
import { toPng } from '../pictures/png.js';
import { drawContactSheet } from '../pictures/sheet.js';
import { Run } from '../run.js';
import { checked, signalOf } from './start.js';

/**
 * Returns the batches that `train` uses for the same options, seed, epoch and iteration. They are byte-identical. All
 * batches are in memory at once. libtorch is not needed.
 *
 * If patches are centred on annotated voxels, the index of these voxels is written beside the cases, as in training. With
 * `unpack`, `<case>.npy` is written, too.
 *
 * @throws (through `result`) NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_CANCELLED`, and errors of the data
 */
export function previewBatches(options: PreviewBatchesOptions): Run<PreviewBatch[], PreviewBatchesEvent> {
  return new Run(
    () => startBatches(checked('previewBatches', options), (batches) => batches),
    signalOf(options),
  );
}

/**
 * Draws the batches of {@link previewBatches} as a contact sheet ({@link drawContactSheet}) and writes it to `output`
 * atomically. An existing file is replaced. The folder must exist.
 *
 * @throws (through `result`) NnunetError `ERR_NOT_FOUND`, `ERR_IO`, `ERR_DISK_FULL`, `ERR_NO_FONT` (PNG), and the errors
 * of `previewBatches`
 */
export function preview(options: PreviewOptions): Run<PreviewSummary, PreviewEvent> {
  return new Run(async () => {
    const { output, convention, ...batches } = JSON.parse(checked('preview', options)) as Given;
    await checkTarget(output);
    return startBatches(JSON.stringify(batches), (made) => draw(made, batches, { output, convention }));
  }, signalOf(options));
}

/** Options with all defaults. */
type Given = { readonly [K in keyof PreviewOptions]-?: Exclude<PreviewOptions[K], undefined> };
type Picture = Pick<Given, 'output' | 'convention'>;

async function draw(
  batches: PreviewBatch[],
  options: Omit<Given, keyof Picture>,
  { output, convention }: Picture,
): Promise<PreviewSummary> {
  const svg = drawContactSheet(batches, titleOf(batches, options), { convention });
  await writeWhole(output, extname(output).toLowerCase() === '.png' ? await toPng(svg) : svg);
  const task = batches[0]?.task ?? options.task;
  return { output, task, batches: batches.length, cases: batches.flatMap((batch) => batch.cases) };
}

/** Starts a preview; `use` converts its batches to the result. */
function startBatches<R>(options: string, use: (batches: PreviewBatch[]) => R | Promise<R>) {
  return (onMessage: (message: string) => void) => {
    const work = core().startPreview(options, onMessage);
    return { cancel: () => work.cancel(), take: () => use(toBatches(take(() => work.take()))) };
  };
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
  return batches.map(({ weights, directions, ...batch }) => ({
    ...shared,
    channels: shared.modalities.length,
    ...batch,
    weights: weights === undefined ? null : all(weights),
    directions: directions.map((direction) => (direction.length > 0 ? direction : null)),
  }));
}

/** Title of the contact sheet. */
function titleOf([first]: readonly PreviewBatch[], options: Omit<Given, keyof Picture>): string[] {
  const { configuration, fold, trainer, phase, seed } = options;
  // Null if not given.
  const trained = options.recipe ? `${trainer} with a recipe of its own` : trainer;
  const patch = `patch ${first?.patchSize.join('×')}`;
  return [first?.task ?? options.task, configuration, `fold ${fold}`, trained, phase, `seed ${seed}`, patch];
}
