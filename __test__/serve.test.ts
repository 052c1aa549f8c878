import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { type ServerOptions, segmentationServer } from '../examples/server.js';
import { loadModel, type Model, readVolume } from '../ts/index.js';
import { packageRoot } from '../ts/version.js';
import { noise, type Shape, workspace, writeNifti } from './made-up.js';

const test = anyTest as TestFn;
const fixture = (path: string) => join(packageRoot, '__test__/fixtures', path);
const FULLRES = '3d_fullres/Task011_GoldenTiny/nnUNetTrainerV2__nnUNetPlansv2.1';
const ONE_CHANNEL = fixture(join('checkpoint/model/nnUNet', FULLRES));
const TWO_CHANNELS = fixture('inference/e2e_Task501_MRI_3d_fullres/model');
const FAST = { device: 'cpu', precision: 'float32', folds: [0], mirroring: false, stepSize: 1 } as const;
const SLOW = { ...FAST, mirroring: true, stepSize: 0.1 } as const;
const SHAPE: Shape = [16, 18, 20];

/** A line of the server's log. */
interface Line {
  msg?: string;
  code?: string;
}

/** A running server, its address, and a wait for a line of its log. */
async function serve(t: ExecutionContext, model: Model, options: ServerOptions = {}) {
  const log = new PassThrough();
  const server = segmentationServer(model, { ...options, logger: { stream: log } });
  t.teardown(async () => {
    await server.close();
    await model.close();
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, logged: waiter(log) };
}

/** Waits for a line of a log for which `wanted` is true. */
function waiter(log: NodeJS.ReadableStream): (wanted: (line: Line) => boolean) => Promise<Line> {
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  log.on('data', (chunk) => {
    const parts = `${rest}${chunk}`.split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((part) => JSON.parse(part) as Line));
    for (const wake of waiting) wake();
  });
  return async (wanted) => {
    for (;;) {
      const found = lines.find(wanted);
      if (found !== undefined) return found;
      await new Promise<void>((wake) => waiting.add(wake));
    }
  };
}

function post(url: string, body: Uint8Array<ArrayBuffer> | FormData, signal?: AbortSignal) {
  return fetch(`${url}/segment`, { method: 'POST', body, ...(signal && { signal }) });
}

async function refusal(response: Response): Promise<{ status: number; code: string; message: string }> {
  return { status: response.status, ...((await response.json()) as { code: string; message: string }) };
}

async function image(file: string, shape: Shape, value = noise): Promise<Buffer<ArrayBuffer>> {
  await writeNifti(file, shape, value, { spacing: [2, 1, 1.5] });
  return readFile(file);
}

test('an uploaded NIfTI file has the labels of predictFile, gzipped or not', async (t) => {
  const { root } = await workspace(t);
  const model = await loadModel(ONE_CHANNEL, FAST);
  const { url } = await serve(t, model);
  const [input, output, received] = ['in.nii', 'out.nii.gz', 'received.nii.gz'].map((name) =>
    join(root, name),
  );
  if (input === undefined || output === undefined || received === undefined) throw new Error('unreachable');
  const plain = await image(input, SHAPE);
  await model.predictFile(input, output);
  const expected = await readVolume(output);
  t.true(new Set(expected.data).size > 1);
  for (const body of [plain, Buffer.from(gzipSync(plain))]) {
    const response = await post(url, body);
    t.is(response.status, 200);
    t.is(response.headers.get('content-type'), 'application/gzip');
    await writeFile(received, Buffer.from(await response.arrayBuffer()));
    t.deepEqual(await readVolume(received), expected);
  }
  const described = (await (await fetch(url)).json()) as object;
  t.like(described, { channels: 1, classes: 3, device: 'cpu', folds: ['0'] });
});

test('a form has one file for each channel', async (t) => {
  const { root } = await workspace(t);
  const model = await loadModel(TWO_CHANNELS, FAST);
  const { url } = await serve(t, model);
  const files = [join(root, 'a.nii'), join(root, 'b.nii')];
  const form = new FormData();
  for (const [channel, file] of files.entries()) {
    const bytes = await image(file, SHAPE, (i) => noise(i + 7 * channel));
    form.append('image', new Blob([bytes]), '../../any name.nii');
  }
  const response = await post(url, form);
  t.is(response.status, 200);
  const [received, output] = [join(root, 'received.nii.gz'), join(root, 'out.nii.gz')];
  await writeFile(received, Buffer.from(await response.arrayBuffer()));
  await model.predictFile(files, output);
  t.deepEqual(await readVolume(received), await readVolume(output));
  const { status, code, message } = await refusal(await post(url, await readFile(files[0] ?? '')));
  t.deepEqual([status, code], [400, 'ERR_CASE_MODALITIES'], message);
});

test('each bad upload has its status, code and message, and the server lives on', async (t) => {
  const { root } = await workspace(t);
  const { url } = await serve(t, await loadModel(ONE_CHANNEL, FAST), { maxBytes: 100_000 });
  const good = await image(join(root, 'good.nii'), SHAPE);
  const packed = gzipSync(good);
  const file = join(root, 'bad.nii');
  const refused = async (body: Uint8Array<ArrayBuffer> | FormData, expected: [number, string]) => {
    const { status, code, message } = await refusal(await post(url, body));
    t.deepEqual([status, code], expected, message);
    t.true(message.length > 10 && !message.includes('nnunet-serve'), message);
  };
  await refused(Buffer.from('no image'.repeat(100)), [400, 'ERR_NIFTI_HEADER']);
  await refused(Buffer.from(packed.subarray(0, packed.length / 2)), [400, 'ERR_GZIP']);
  await refused(good.subarray(0, good.length - 8), [400, 'ERR_FILE_TRUNCATED']);
  await refused(new Uint8Array(0), [400, 'ERR_CASE_MODALITIES']);
  await refused(new FormData(), [400, 'ERR_CASE_MODALITIES']);
  await refused(await image(file, SHAPE, () => Number.NaN), [400, 'ERR_NOT_FINITE']);
  await refused(await image(file, SHAPE, () => 0), [400, 'ERR_EMPTY_IMAGE']);
  await refused(new Uint8Array(100_001), [413, 'TOO_LARGE']);
  await refused(Buffer.from(gzipSync(new Uint8Array(10_000_000))), [413, 'TOO_LARGE']);
  const form = (sizes: number[]) => {
    const parts = new FormData();
    for (const size of sizes) parts.append('image', new Blob([good.subarray(0, size)]), 'a.nii');
    return parts;
  };
  await refused(form([good.length, good.length]), [400, 'ERR_CASE_MODALITIES']);
  await refused(form([10, 10, 10, 10]), [413, 'FST_FILES_LIMIT']);
  const large = new FormData();
  large.append('image', new Blob([new Uint8Array(100_001)]), 'a.nii');
  await refused(large, [413, 'FST_REQ_FILE_TOO_LARGE']);
  t.is((await fetch(`${url}/segment`)).status, 404);
  t.is((await post(url, good)).status, 200);
});

test('a client that disconnects cancels its prediction; a server at its limit is busy', async (t) => {
  const { root } = await workspace(t);
  const model = await loadModel(ONE_CHANNEL, SLOW);
  const { url, logged } = await serve(t, model, { maxRequests: 1 });
  const large = await image(join(root, 'large.nii'), [128, 128, 128]);
  const client = new AbortController();
  const slow = post(url, large, client.signal);
  await logged(({ msg }) => msg === 'predict');
  const busy = await post(url, large);
  t.is(busy.headers.get('retry-after'), '60');
  t.like(await refusal(busy), { status: 503, code: 'BUSY' });
  client.abort();
  t.is(((await slow.catch((error: Error) => error)) as Error).name, 'AbortError');
  await logged(({ code }) => code === 'ERR_CANCELLED');
  t.is((await post(url, await image(join(root, 'small.nii'), [8, 8, 8]))).status, 200);
});

test('SIGTERM ends the server: a running prediction is 503, and no file is left', async (t) => {
  const { root } = await workspace(t);
  const temporary = join(root, 'tmp');
  await mkdir(temporary);
  const program = join(packageRoot, 'dist/examples/serve.js');
  const server = spawn(process.execPath, [program, TWO_CHANNELS, '0'], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => server.kill('SIGKILL'));
  const errors = text(server.stderr);
  const ended = new Promise<number | null>((resolve) => server.on('close', resolve));
  const logged = waiter(server.stdout);
  const { msg } = await logged((line) => line.msg?.startsWith('Server listening at') === true);
  const form = new FormData();
  const large = await image(join(root, 'large.nii'), [128, 128, 128]);
  for (let channel = 0; channel < 2; channel += 1) form.append('image', new Blob([large]), 'a.nii');
  const running = post(msg?.slice('Server listening at '.length) ?? '', form);
  await logged((line) => line.msg === 'predict');
  server.kill('SIGTERM');
  t.like(await refusal(await running), { status: 503, code: 'ERR_CANCELLED' });
  t.is(await ended, 0, await errors);
  t.deepEqual(await readdir(temporary), []);
});
