import { fromNative, NnunetError, optionError } from './errors.js';
import type { ProgressEvent, VerbEvent } from './generated/events.js';
import type { LoadModelOptions } from './generated/options.js';
import type { ImageInput, ModelFacts, ModelHandle, SegmentedData } from './native/generated/torch.js';
import { torch } from './native/torch.js';
import { Run } from './run.js';
import { checked, signalOf } from './verbs/start.js';

/** An image in memory. */
export interface ModelImage {
  /** Values in C order `(channel, z, y, x)`. They are copied at the call. */
  readonly data: Float32Array;
  /** `[channels, z, y, x]`. `[z, y, x]` is an image of one channel, such as one of `readVolume`. */
  readonly shape: readonly number[];
  /** Voxel size along `(z, y, x)` in millimetres. */
  readonly spacing: readonly number[];
  /** Position of the first voxel `(x, y, z)` in millimetres, in ITK's LPS coordinates. The default is 0. */
  readonly origin?: readonly number[] | undefined;
  /** Direction cosines as a row-major 3×3 matrix, in ITK's LPS coordinates. The default is the identity. */
  readonly direction?: readonly number[] | undefined;
}

/** Options of one prediction. */
export interface ModelPredictOptions {
  /** Cancels the prediction, also while it waits. The error is `ERR_CANCELLED`. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the progress. An error that it throws cancels the prediction and rejects it. */
  readonly onProgress?: ((progress: ProgressEvent) => void) | undefined;
  /** Also returns the softmax; of a file, writes `.npz` and `.pkl` as `predict --save-softmax` does. */
  readonly softmax?: boolean | undefined;
}

/** A warning of a prediction. */
export interface ModelWarning {
  /** Code, such as `WARN_PRECISION_OVERFLOW`. */
  readonly code: string;
  /** What was found, and what to do. */
  readonly message: string;
}

/** Result of a prediction from file to file. */
export interface ModelFileResult {
  /** The written segmentation. */
  readonly output: string;
  /** Warnings of this prediction. */
  readonly warnings: readonly ModelWarning[];
}

/** Result of a prediction in memory, on the grid of the image. */
export interface ModelPrediction {
  /** Labels in C order `(z, y, x)`. */
  readonly segmentation: { readonly data: Int16Array; readonly shape: readonly [number, number, number] };
  /** Softmax in C order `(class, z, y, x)`. Postprocessing does not change it. */
  readonly softmax?: {
    readonly data: Float32Array;
    readonly shape: readonly [number, number, number, number];
  };
  /** Warnings of this prediction. */
  readonly warnings: readonly ModelWarning[];
}

/** The constructor of {@link Model}, whose types belong to the addon and not to the package's API. */
let made: (handle: ModelHandle, warnings: readonly ModelWarning[]) => Model;

/**
 * A model in memory, made by {@link loadModel}. Predictions of one model run one after the other; those of several models
 * run side by side. A result equals that of the verb `predict` with the same options.
 */
export class Model implements AsyncDisposable {
  readonly #handle: ModelHandle;
  readonly #facts: ModelFacts;
  /** Warnings of loading. */
  readonly warnings: readonly ModelWarning[];
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  static {
    made = (handle, warnings) => new Model(handle, warnings);
  }

  private constructor(handle: ModelHandle, warnings: readonly ModelWarning[]) {
    this.#handle = handle;
    this.#facts = handle.facts();
    this.warnings = warnings;
  }

  /** Number of channels of an image. */
  get channels(): number {
    return this.#facts.channels;
  }

  /** Number of classes, with the background. */
  get classes(): number {
    return this.#facts.classes;
  }

  /** The averaged folds. */
  get folds(): readonly string[] {
    return this.#facts.folds;
  }

  /** Device of the networks. */
  get device(): string {
    return this.#facts.device;
  }

  /** Precision of the networks. */
  get precision(): string {
    return this.#facts.precision;
  }

  /**
   * Segments an image in memory.
   *
   * @throws NnunetError `ERR_OPTIONS`, `ERR_NOT_FINITE`, `ERR_EMPTY_IMAGE`, `ERR_CASE_MODALITIES`, `ERR_CANCELLED`,
   * `ERR_MODEL_CLOSED`
   */
  async predict(image: ModelImage, options: ModelPredictOptions = {}): Promise<ModelPrediction> {
    const input = () => copied(image);
    const { result, warnings } = await this.#segment(input, undefined, options);
    if (result === null) throw new NnunetError('ERR_INTERNAL', 'a prediction without a result');
    const shape = result.shape as [number, number, number];
    const segmentation = { data: result.labels, shape };
    if (result.softmax === undefined) return { segmentation, warnings };
    const softmax = { data: result.softmax, shape: [this.classes, ...shape] as const };
    return { segmentation, softmax, warnings };
  }

  /**
   * Segments the files of an image, one for each channel, and writes the segmentation to `output`, whose name ends with
   * `.nii.gz`. An existing file is replaced.
   *
   * @throws NnunetError as `predict`, and errors of the files
   */
  async predictFile(
    images: string | readonly string[],
    output: string,
    options: ModelPredictOptions = {},
  ): Promise<ModelFileResult> {
    const files = typeof images === 'string' ? [images] : images;
    if (!Array.isArray(files) || !files.every((file) => typeof file === 'string')) {
      throw optionError('images', 'expected a path or a list of paths');
    }
    if (typeof output !== 'string') throw optionError('output', 'expected a path');
    const { warnings } = await this.#segment(() => torch().ImageInput.ofFiles([...files]), output, options);
    return { output, warnings };
  }

  /** Runs {@link Model.predictFile} for several images. The result has their order; a failure does not stop the others. */
  async predictFiles(
    cases: readonly { readonly images: string | readonly string[]; readonly output: string }[],
    options: ModelPredictOptions = {},
  ): Promise<PromiseSettledResult<ModelFileResult>[]> {
    const settled: PromiseSettledResult<ModelFileResult>[] = [];
    for (const { images, output } of cases) {
      settled.push(...(await Promise.allSettled([this.predictFile(images, output, options)])));
    }
    return settled;
  }

  /** Waits for the predictions that were called, then frees the memory. Later predictions fail. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    await new Run<null>(() => (onMessage) => {
      this.#handle.close(onMessage);
      return { cancel: () => {} };
    }).result;
  }

  async #segment(
    input: () => ImageInput,
    output: string | undefined,
    options: ModelPredictOptions,
  ): Promise<{ result: SegmentedData | null; warnings: ModelWarning[] }> {
    if (this.#closing !== undefined) {
      throw new NnunetError('ERR_MODEL_CLOSED', 'the model is closed; load it again with loadModel');
    }
    const { onProgress, softmax = false } = options;
    if (onProgress !== undefined && typeof onProgress !== 'function') {
      throw optionError('onProgress', `expected a function, got ${typeof onProgress}`);
    }
    if (typeof softmax !== 'boolean') throw optionError('softmax', 'expected true or false');
    const run = new Run<SegmentedData | null>(() => {
      const image = native(input);
      return (onMessage) => this.#handle.segment(image, output, softmax, onMessage) as never;
    }, signalOf(options));
    const done = collect(run, onProgress);
    this.#running.add(done);
    try {
      return await done;
    } finally {
      this.#running.delete(done);
    }
  }
}

/**
 * Loads the folds of a model into memory.
 *
 * @throws NnunetError `ERR_OPTIONS`, `ERR_NOT_FOUND`, `ERR_MODEL_FOLDER`, `ERR_CANCELLED`, and errors of the model's files
 */
export async function loadModel(
  folder: string,
  options: Omit<LoadModelOptions, 'model'> = {},
): Promise<Model> {
  const run = new Run<ModelHandle>(() => {
    const text = checked('loadModel', { ...options, model: folder });
    return (onMessage) => torch().loadModel(text, onMessage);
  }, signalOf(options));
  const { result, warnings } = await collect(run, undefined);
  return made(result, warnings);
}

/** The result of a run, and its warnings. */
async function collect<R>(
  run: Run<R, VerbEvent>,
  onProgress: ((progress: ProgressEvent) => void) | undefined,
): Promise<{ result: R; warnings: ModelWarning[] }> {
  const warnings: ModelWarning[] = [];
  for await (const event of run) {
    if (event.type === 'warning') warnings.push({ code: event.code, message: event.message });
    else if (event.type === 'progress') onProgress?.(event);
  }
  return { result: await run.result, warnings };
}

function copied(image: ModelImage): ImageInput {
  if (typeof image !== 'object' || image === null) throw optionError('image', 'expected an image');
  const { data, shape, spacing, origin = [0, 0, 0], direction = [1, 0, 0, 0, 1, 0, 0, 0, 1] } = image;
  if (!(data instanceof Float32Array)) {
    const found = Object.prototype.toString.call(data).slice(8, -1);
    throw optionError('data', `expected a Float32Array, got ${found}`);
  }
  const whole = (n: unknown) => Number.isInteger(n) && Number(n) > 0 && Number(n) < 2 ** 31;
  if (!Array.isArray(shape) || ![3, 4].includes(shape.length) || !shape.every(whole)) {
    throw optionError('shape', `expected [channels, z, y, x] or [z, y, x], got ${JSON.stringify(shape)}`);
  }
  const four = shape.length === 3 ? [1, ...shape] : [...shape];
  const length = four.reduce((product, n) => product * n, 1);
  if (data.length !== length) {
    const detached = data.length === 0 ? '; its buffer may be detached' : '';
    throw optionError(
      'data',
      `expected ${length} values for shape [${shape}], got ${data.length}${detached}`,
    );
  }
  numbers('spacing', spacing, 3);
  if (!spacing.every((n) => n > 0))
    throw optionError('spacing', `expected positive numbers, got [${spacing}]`);
  numbers('origin', origin, 3);
  numbers('direction', direction, 9);
  if (!isRotation(direction)) {
    throw optionError('direction', `expected the direction cosines of a 3×3 matrix, got [${direction}]`);
  }
  const shared = typeof SharedArrayBuffer !== 'undefined' && data.buffer instanceof SharedArrayBuffer;
  const values = shared ? new Float32Array(data) : data;
  return torch().ImageInput.ofValues(values, four, [...spacing], [...origin], [...direction]);
}

function numbers(option: string, found: unknown, length: number): void {
  if (!Array.isArray(found) || found.length !== length || !found.every((n) => Number.isFinite(n))) {
    throw optionError(option, `expected ${length} finite numbers, got [${found}]`);
  }
}

/** Whether the rows of a matrix are orthogonal and of length 1, within the precision of a NIfTI header. */
function isRotation(m: readonly number[]): boolean {
  return [0, 1, 2].every((i) =>
    [0, 1, 2].every((j) => {
      const dot = [0, 1, 2].reduce((sum, k) => sum + (m[3 * i + k] ?? 0) * (m[3 * j + k] ?? 0), 0);
      return Math.abs(dot - (i === j ? 1 : 0)) < 1e-3;
    }),
  );
}

/** Calls the addon; its errors become {@link NnunetError}. */
function native<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw fromNative(thrown);
  }
}
