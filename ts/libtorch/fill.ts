import { mkdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { NnunetError } from '../errors.js';
import { cudaOf } from './dependencies.js';
import { checkSpace } from './disk.js';
import { reportDriver } from './driver.js';
import { checkPinned, type Wheels } from './fetch.js';
import { copyFiles, filesOf, openSource, wheelsBeside } from './from.js';
import { type Report, size } from './report.js';
import { INSTALLED_RELEASE } from './version.js';
import { dependencyMembers, moveFiles, openWheel, torchMembers, unpackWheel } from './wheel.js';
import { type Flavour, pinnedWheels } from './wheels.js';

/** Fills `work/torch` from the files that the user names. */
export async function fromFiles(
  from: string,
  flavour: Flavour,
  work: string,
  report: Report,
  signal?: AbortSignal,
): Promise<void> {
  const settings = { release: INSTALLED_RELEASE, flavour, from };
  report.event({ type: 'started', verb: 'libtorch install', settings });
  const source = await openSource(from, flavour);
  if (source.kind === 'folder') {
    const files = await filesOf(source.libtorch, flavour);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    report.step(`copying libtorch ${source.libtorch.version} from ${source.libtorch.root} (${size(bytes)})`);
    await checkSpace(work, bytes);
    const cuda = /\+cu(\d\d)/.exec(source.libtorch.version)?.[1];
    if (flavour === 'cuda' && cuda !== undefined) reportDriver(Number(cuda), report);
    const meter = report.meter('bytes installed', bytes);
    await copyFiles(files, join(work, 'torch'), (done) => {
      refuseAborted(signal);
      meter.finish(done, source.libtorch.root, done);
    });
    return;
  }
  const advice = 'Copy or download it again.';
  const { requires } = await openWheel(source.torch, work, advice);
  const cuda = cudaOf(requires);
  if (flavour === 'cuda' && cuda === undefined) {
    const message = `${source.torch} is built without CUDA. Install without --cuda, or name a wheel with CUDA.`;
    throw new NnunetError('ERR_LIBTORCH_INSTALL', message, { path: source.torch });
  }
  if (flavour === 'cuda' && cuda !== undefined) reportDriver(cuda, report);
  const others = await wheelsBeside(source.torch, requires, flavour);
  const pins = pinnedWheels(flavour);
  for (const path of [source.torch, ...others]) {
    refuseAborted(signal);
    report.step(`checking ${path}`);
    const pin = pins.find((wheel) => wheel.file === basename(path));
    await checkPinned(path, pin, advice);
  }
  await unpackWheels({ torch: source.torch, others }, flavour, work, advice, report, signal);
}

/** Unpacks wheels to `work/torch`, with every library in `lib`: the only folder that the loader searches. */
export async function unpackWheels(
  { torch, others }: Wheels,
  flavour: Flavour,
  work: string,
  advice: string,
  report: Report,
  signal?: AbortSignal,
): Promise<void> {
  const parts = [];
  for (const wheel of [torch, ...others]) {
    const { members, info } = await openWheel(wheel, work, advice);
    const needed = wheel === torch ? torchMembers(members, flavour) : dependencyMembers(members, flavour);
    parts.push({ wheel, info, needed });
  }
  const bytes = parts.flatMap((part) => part.needed).reduce((sum, member) => sum + member.bytes, 0);
  await checkSpace(work, bytes);
  report.step(`unpacking and checking ${size(bytes)}`);
  const meter = report.meter('bytes installed', bytes);
  const target = join(work, 'torch');
  for (const { wheel, info, needed } of parts) {
    const to = wheel === torch ? work : join(work, 'dependency');
    await unpackWheel(wheel, needed, to, advice, (done) => {
      refuseAborted(signal);
      meter.finish(done, basename(wheel), done);
    });
    if (wheel !== torch) await moveFiles(to, join(target, 'lib'));
    await mkdir(join(target, 'licenses'), { recursive: true });
    await rename(info, join(target, 'licenses', basename(info)));
  }
}

export function refuseAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw new NnunetError('ERR_CANCELLED', 'cancelled on request');
}
