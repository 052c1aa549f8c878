/** A server that segments uploaded images with one model; serve.ts starts it. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import multipart from '@fastify/multipart';
import { type FastifyInstance, type FastifyServerOptions, fastify } from 'fastify';
import { type ErrorCode, type Model, NnunetError } from 'nnunet-diag';

export interface ServerOptions {
  /** Limit of a file in bytes, also of its unpacked size. */
  maxBytes?: number;
  /** Number of requests that run or wait. The model predicts one after the other. */
  maxRequests?: number;
  logger?: NonNullable<FastifyServerOptions['logger']>;
}

/** Errors of the image and their status. Every other error is one of the server. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_CASE_MODALITIES: 400,
  ERR_CASE_SHAPE: 400,
  ERR_DATASET_UNSUPPORTED: 400,
  ERR_EMPTY_IMAGE: 400,
  ERR_FILE_TRUNCATED: 400,
  ERR_GZIP: 400,
  ERR_IMAGE_CHANNELS: 400,
  ERR_NIFTI_GEOMETRY: 400,
  ERR_NIFTI_HEADER: 400,
  ERR_NO_SPREAD: 400,
  ERR_NOT_FINITE: 400,
  ERR_SOFTMAX_NOT_FINITE: 400,
  ERR_CASE_TOO_LARGE: 413,
  ERR_OUT_OF_MEMORY: 413,
  ERR_CANCELLED: 503,
  ERR_MODEL_CLOSED: 503,
};

/** An error of the server itself. */
class HttpError extends Error {
  constructor(
    readonly statusCode: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * `GET /` describes the model. `POST /segment` takes a NIfTI file as the body, or one file for each channel as
 * `multipart/form-data`, and returns the segmentation as `.nii.gz`. Errors are JSON with `code` and `message`.
 */
export function segmentationServer(
  model: Model,
  { maxBytes = 2 ** 30, maxRequests = 8, logger = true }: ServerOptions = {},
): FastifyInstance {
  // A slow upload ends after five minutes.
  const server = fastify({ logger, requestTimeout: 5 * 60 * 1000 });
  const stopping = new AbortController();
  let requests = 0;

  server.register(multipart, {
    limits: { files: model.channels + 1, fields: 0, fileSize: maxBytes },
  });
  // Every other body is a file. The handler reads it.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, body, done) => done(null, body));
  // Running predictions end, so that the server stops at once.
  server.addHook('preClose', async () => stopping.abort());

  server.get('/', async () => {
    const { channels, classes, folds, device, precision } = model;
    return { channels, classes, folds, device, precision };
  });

  server.post('/segment', async (request, reply) => {
    if (requests >= maxRequests) {
      reply.header('retry-after', '60');
      throw new HttpError(503, 'BUSY', `${requests} requests run or wait; try again later`);
    }
    requests += 1;
    const folder = await mkdtemp(join(tmpdir(), 'nnunet-serve-'));
    const gone = new AbortController();
    reply.raw.on('close', () => gone.abort());
    try {
      const images: string[] = [];
      const uploads = request.isMultipart() ? filesOf(request.files()) : bodyOf(request.body);
      for await (const upload of uploads) {
        images.push(join(folder, `channel-${images.length}.nii.gz`));
        await save(upload, images.at(-1) ?? '', maxBytes);
      }
      const output = join(folder, 'segmentation.nii.gz');
      const signal = AbortSignal.any([stopping.signal, gone.signal]);
      request.log.info('predict');
      const { warnings } = await model.predictFile(images, output, { signal });
      for (const warning of warnings) request.log.warn(warning);
      reply.header('content-type', 'application/gzip');
      return await readFile(output);
    } catch (error) {
      throw error instanceof NnunetError ? asHttp(error, folder) : error;
    } finally {
      requests -= 1;
      await rm(folder, { recursive: true, force: true });
    }
  });

  server.setErrorHandler<Partial<HttpError>>((error, request, reply) => {
    const { statusCode = 500, code = 'ERR_INTERNAL' } = error;
    request.log[statusCode === 500 ? 'error' : 'info']({ code, err: error });
    if (stopping.signal.aborted) reply.header('connection', 'close');
    // The message of an unexpected error is for the log only.
    const message = error.code === undefined ? 'an error of the server' : error.message;
    return reply.code(statusCode).send({ code, message });
  });
  return server;
}

/** The streams of the files of a form. */
async function* filesOf(parts: AsyncIterable<{ file: Readable }>): AsyncGenerator<Readable> {
  for await (const { file } of parts) yield file;
}

/** The stream of a body, which may be empty. */
function bodyOf(body: unknown): Readable[] {
  return body === undefined ? [] : [body as Readable];
}

/** Saves an upload of at most `maxBytes`, packed and unpacked. */
async function save(upload: Readable, path: string, maxBytes: number): Promise<void> {
  // The request must stay open for the reply, also after an error.
  const body = upload.iterator({ destroyOnReturn: false });
  await pipeline(body, atMost(maxBytes), createWriteStream(path));
  const nothing = new Writable({ write: (_chunk, _encoding, done) => done() });
  await pipeline(createReadStream(path), createGunzip(), atMost(maxBytes), nothing).catch((error) => {
    // The model says more about a file that is not gzip, or is damaged.
    if (error instanceof HttpError) throw error;
  });
}

/** Passes bytes through, up to a limit. */
function atMost(maxBytes: number): (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
  return async function* (source) {
    let bytes = 0;
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new HttpError(413, 'TOO_LARGE', `the file has more than ${maxBytes} bytes`);
      yield chunk;
    }
  };
}

/** The error for the client, who does not know the folder of the upload. */
function asHttp({ code, message }: NnunetError, folder: string): HttpError {
  return new HttpError(STATUS[code] ?? 500, code, message.replaceAll(folder + sep, ''));
}
