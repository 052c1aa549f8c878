/** A made-up training that is watched, and readers of what is served. */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Model, Report } from '../ts/generated/report.js';
import { type Shape, workspace, writeNifti } from './made-up.js';

const SHAPE: Shape = [4, 6, 8];

/** A line of `progress.jsonl`. */
export function line(epoch: number): string {
  const report = {
    ...{ epoch, epochs: 99, trainLoss: 1 / (epoch + 1), validationLoss: 0.5, dice: [0.5, 0.6], best: false },
    ...{ learningRate: 0.01, seconds: 2, secondsLeft: 3, waitShare: 0, iterationsPerSecond: 1 },
  };
  return `${JSON.stringify(report)}\n`;
}

/** A fold with some epochs, and a folder of references. */
export async function training(t: ExecutionContext, epochs: number) {
  const { root } = await workspace(t);
  const [model, reference] = [join(root, 'model'), join(root, 'labels')];
  const fold = join(model, 'fold_0');
  const progress = join(fold, 'progress.jsonl');
  await mkdir(fold, { recursive: true });
  await writeFile(progress, Array.from({ length: epochs }, (_, epoch) => line(epoch)).join(''));
  for (const name of ['case0', 'case1']) {
    await writeNifti(join(reference, `${name}.nii`), SHAPE, (at) => Number(at % SHAPE[2] < 3));
  }
  return {
    ...{ root, model, fold, progress, reference },
    /** The training finishes an epoch. */
    epoch: (epoch: number) => appendFile(progress, line(epoch)),
    /** The training predicts a validation case, `wider` voxels wider than its reference. */
    validate: (name: string, wider: number) =>
      writeNifti(join(fold, 'validation_raw', `${name}.nii`), SHAPE, (at) =>
        Number(at % SHAPE[2] < 3 + wider),
      ),
  };
}

/** The model of a report as JSON. */
export function modelOf(json: string): Model {
  return (JSON.parse(json) as Report).sections[0] as Model;
}

/** Status, headers and body of a request with any headers. */
export function ask(
  url: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(parts),
        });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** A server-sent event. */
export interface Sent {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** The events of a page that is served, until the server ends. */
export async function* events(url: string, headers: Record<string, string> = {}): AsyncGenerator<Sent> {
  const response = await fetch(`${url}events`, { headers });
  let text = '';
  const decoder = new TextDecoder();
  for await (const part of response.body ?? []) {
    text += decoder.decode(part as Uint8Array, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
      yield { event: field('event'), id: field('id'), data: field('data') };
    }
  }
}

/** The next event that fits. Others are skipped. */
export async function next(stream: AsyncGenerator<Sent>, fits: (sent: Sent) => boolean): Promise<Sent> {
  for (;;) {
    const { value, done } = await stream.next();
    if (done) throw new Error('the stream has ended');
    if (fits(value)) return value;
  }
}

/** A tunnel to a port that can be cut and mended, as a network. */
export async function tunnel(t: ExecutionContext, first: number) {
  let port = first;
  let cut = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (cut) return void near.destroy();
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    cut = true;
    for (const socket of sockets) socket.destroy();
  };
  t.teardown(() => {
    close();
    server.close();
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut: close,
    /** Lets connections through again, to another port if one is given. */
    mend: (other = port) => {
      port = other;
      cut = false;
    },
  };
}
