/** `libtorch install --from`: wheels and unpacked folders, whole and damaged, without Python and network. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { libraryFile } from '../ts/libtorch/find.js';
import { pinnedWheels } from '../ts/libtorch/wheels.js';
import { folder, install, LIBRARY, onLinux, TAG, TORCH_FILES, wheel, writeWheels } from './made-up-wheels.js';

const onWheels = pinnedWheels('cpu').length > 0 ? test : test.skip;

/** The libraries that are installed. */
const INSTALLED = [
  libraryFile('c10'),
  libraryFile('torch_cpu'),
  ...(onLinux ? ['libcudart.so.13', 'libcupti.so.13'] : []),
].sort();

const root = (cache: string) => join(cache, 'libtorch', '2.11.0-cpu');
const libraries = async (cache: string) => (await readdir(join(root(cache), 'lib'))).sort();

/** Installs from `from`, which must fail, and returns the message; nothing is left. */
async function refused(
  t: ExecutionContext,
  from: string,
  code: string,
  flags: string[] = [],
): Promise<string> {
  const cache = await folder(t);
  const { code: exit, out } = await install(cache, ['--json', '--from', from, ...flags]).end;
  t.is(exit, 1);
  const { type, error } = JSON.parse(out.trim().split('\n').at(-1) ?? '');
  t.is(type, 'failed');
  t.is(error.code, code, error.message);
  t.deepEqual(await readdir(join(cache, 'libtorch')), []);
  return error.message;
}

onWheels('a folder of wheels is installed without Python: only what CPU use needs', async (t) => {
  const wheels = await folder(t);
  await writeWheels(wheels);
  const cache = await folder(t);
  const { code, out, err } = await install(cache, ['--from', wheels]).end;
  t.is(code, 0, err);
  t.regex(out, /libtorch 2\.11\.0\+cu130 installed at /);
  t.deepEqual(await libraries(cache), INSTALLED);
  t.is(await readFile(join(root(cache), 'include', 'a,b.h'), 'utf8'), 'a header with a comma');
  t.false(existsSync(join(root(cache), 'nn.py')));
  t.deepEqual(await readdir(join(cache, 'libtorch')), ['2.11.0-cpu']);
  t.true(existsSync(wheels));
  t.regex((await install(cache, ['--from', wheels]).end).out, /is already at/);
});

onWheels('with --json the events are typed lines, from started to done', async (t) => {
  const wheels = await folder(t);
  const file = await writeWheels(wheels);
  const cache = await folder(t);
  const { out, err } = await install(cache, ['--json', '--from', file]).end;
  t.is(err, '');
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.true(lines.every((line) => line.format === 1));
  t.like(lines[0], { type: 'started', verb: 'libtorch install', settings: { flavour: 'cpu' } });
  const progress = lines.filter((line) => line.type === 'progress');
  t.like(progress.at(-1), { unit: 'bytes installed', done: progress[0].total });
  t.like(lines.at(-1), { type: 'done', result: { root: root(cache), installed: true } });
});

onWheels('a truncated wheel is an error with the file and what to do', async (t) => {
  const wheels = await folder(t);
  const whole = wheel('torch', '2.11.0+made.up', TORCH_FILES);
  const file = await writeWheels(wheels, { torch: whole.subarray(0, whole.length / 2) });
  const message = await refused(t, wheels, 'ERR_LIBTORCH_INSTALL');
  t.true(message.startsWith(`${file} is damaged: `), message);
  t.regex(message, /Copy or download it again\.$/);
});

onWheels('a wheel with one flipped bit is an error with the file', async (t) => {
  const wheels = await folder(t);
  const torch = wheel('torch', '2.11.0+made.up', TORCH_FILES);
  const at = torch.indexOf(LIBRARY) + LIBRARY.length / 2;
  torch[at] = (torch[at] ?? 0) ^ 1;
  const file = await writeWheels(wheels, { torch });
  t.true((await refused(t, file, 'ERR_LIBTORCH_INSTALL')).startsWith(`${file} is damaged: `));
});

onWheels('a library that differs from RECORD is an error with both sums', async (t) => {
  const wheels = await folder(t);
  const name = `torch/lib/${libraryFile('c10')}`;
  const torch = wheel('torch', '2.11.0+made.up', { ...TORCH_FILES, [name]: 'd10' }, TORCH_FILES);
  await writeWheels(wheels, { torch });
  const message = await refused(t, wheels, 'ERR_LIBTORCH_INSTALL');
  t.true(message.includes(name), message);
  t.regex(message, /has the SHA-256 \S{43}; RECORD says \S{43}\./);
});

onWheels('a wheel of the release with other content is an error with size or sum', async (t) => {
  const wheels = await folder(t);
  const file = join(wheels, pinnedWheels('cpu')[0]?.file ?? '');
  await rename(await writeWheels(wheels), file);
  const message = await refused(t, wheels, 'ERR_LIBTORCH_INSTALL');
  t.regex(message, /is damaged: it has \d+ bytes, expected \d{8,}\. Copy or download it again/);
});

(onLinux ? onWheels : test.skip)(
  'missing wheels are named, with the command that downloads them',
  async (t) => {
    const wheels = await folder(t);
    await writeWheels(wheels, { beside: false });
    await writeFile(join(wheels, `nvidia_cuda_runtime-12.8.90-py3-none-${TAG}.whl`), '');
    const message = await refused(t, wheels, 'ERR_LIBTORCH_INSTALL');
    t.regex(
      message,
      /nvidia-cuda-runtime 13\.0\.96 \(found \S*12\.8\.90\S*\), nvidia-cuda-cupti 13\.0\.85\./,
    );
    t.regex(message, /pip download -d wheels .* torch==2\.11\.0 /);
  },
);

onWheels('a wheel of another version, another platform or another project is refused', async (t) => {
  for (const name of [
    `torch-2.4.1-cp312-cp312-${TAG}.whl`,
    'torch-2.11.0-cp312-cp312-win_arm64.whl',
    `torchvision-0.26.0-cp312-cp312-${TAG}.whl`,
  ]) {
    const file = join(await folder(t), name);
    await writeFile(file, wheel('torch', '2.4.1', TORCH_FILES));
    const message = await refused(t, file, 'ERR_LIBTORCH_INSTALL');
    t.true(message.includes(`expected a wheel of torch 2.11.x`), message);
    t.true(message.includes(`found ${name}`), message);
  }
  t.regex(
    await refused(t, await folder(t), 'ERR_LIBTORCH_INSTALL'),
    /found neither a wheel of torch nor lib\//,
  );
  t.regex(await refused(t, '/no/such/folder', 'ERR_NOT_FOUND'), /no such file or folder \(--from\)/);
});

(onLinux ? test : test.skip)('--cuda refuses a wheel without CUDA', async (t) => {
  const wheels = await folder(t);
  const file = await writeWheels(wheels, {
    torch: wheel('torch', '2.11.0+cpu', TORCH_FILES, TORCH_FILES, ''),
  });
  t.regex(await refused(t, file, 'ERR_LIBTORCH_INSTALL', ['--cuda']), /is built without CUDA/);
  const cache = await folder(t);
  t.is((await install(cache, ['--from', file]).end).code, 0);
  t.deepEqual(await libraries(cache), [libraryFile('c10'), libraryFile('torch_cpu')].sort());
});

/** A Python torch in a folder of packages. */
async function pythonTorch(t: ExecutionContext, version: string, nvidia: boolean): Promise<string> {
  const packages = await folder(t);
  const files = { ...TORCH_FILES, 'torch/version.py': `__version__ = '${version}'\n` };
  const libraries = { 'nvidia/cu13/lib/libcudart.so.13': '', 'nvidia/cu13/lib/libcupti.so.13': '' };
  for (const [name, text] of Object.entries(nvidia ? { ...files, ...libraries } : files)) {
    await mkdir(join(packages, dirname(name)), { recursive: true });
    await writeFile(join(packages, name), text);
  }
  return packages;
}

(onLinux ? test : test.skip)('a Python torch is copied with the CUDA libraries beside it', async (t) => {
  const packages = await pythonTorch(t, '2.11.0+cu130', true);
  for (const from of [packages, join(packages, 'torch')]) {
    const cache = await folder(t);
    const { code, err } = await install(cache, ['--from', from]).end;
    t.is(code, 0, err);
    t.deepEqual(await libraries(cache), INSTALLED);
  }
  const message = await refused(t, await pythonTorch(t, '2.11.0+cu130', false), 'ERR_LIBTORCH_INSTALL');
  t.regex(message, /is built with CUDA and needs libcudart\.so/);
});

test('a Python torch of another version is ERR_LIBTORCH_VERSION', async (t) => {
  const packages = await pythonTorch(t, '2.4.1', false);
  const message = await refused(t, packages, 'ERR_LIBTORCH_VERSION');
  t.is(basename(message.split(': ')[0] ?? ''), 'torch');
  t.regex(message, /found version 2\.4\.1; needed libtorch 2\.11\.x/);
});
