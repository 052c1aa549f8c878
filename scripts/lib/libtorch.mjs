// The libtorch that the torch addon is linked with: this machine's, or that of another platform's wheel.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { capture, root, run, StepError, say } from './process.mjs';

const CLI = join('dist', 'ts', 'cli', 'main.js');

/** Finds or installs the libtorch of this machine, with its headers. */
export async function hostLibtorch() {
  const status = async () => {
    const { output } = await capture('node', [CLI, 'libtorch', 'status', '--json'], { quiet: true });
    return JSON.parse(output).result.places.find((place) => place.libtorch !== null)?.libtorch;
  };
  let found = await status();
  // Building also needs the headers, which a libtorch for running need not have.
  if (found === undefined || !existsSync(join(found.root, 'include'))) {
    say('installing libtorch');
    await run('node', [CLI, 'libtorch', 'install']);
    found = await status();
  }
  return found;
}

/** The parts of torch's wheel for another platform that linking needs; downloaded once. */
export async function wheelLibtorch({ name, wheel }) {
  const folder = join(root, '.cache', 'cross', `libtorch-${name}`);
  const torch = join(folder, 'torch');
  if (existsSync(join(folder, 'complete'))) return { root: torch, lib: join(torch, 'lib') };
  const { INSTALLED_RELEASE } = await import('../../dist/ts/libtorch/version.js');
  say(`downloading torch ${INSTALLED_RELEASE} for ${name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const tags = [
    '--only-binary=:all:',
    '--python-version',
    '3.12',
    '--implementation',
    'cp',
    '--platform',
    wheel,
  ];
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '-d', folder, ...tags];
  await run('python3', [...pip, `torch==${INSTALLED_RELEASE}`]);
  const file = readdirSync(folder).find((entry) => entry.endsWith('.whl'));
  if (file === undefined) throw new StepError(`pip downloaded no wheel of torch for ${name}`);
  await run('python3', ['-c', EXTRACT, join(folder, file), folder]);
  rmSync(join(folder, file));
  writeFileSync(join(folder, 'complete'), '');
  return { root: torch, lib: join(torch, 'lib') };
}

const EXTRACT = `
import re, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
wanted = re.compile(r'torch/include/|(torch/lib|torch.libs)/(lib)?(torch|torch_cpu|c10|gomp|omp)[.-]')
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if wanted.match(name)])
`;

/**
 * A folder with the headers of libtorch and only the libraries that the addon links. An addon linked with libtorch_cuda
 * would need CUDA on every machine.
 */
export function linkFolder({ root: libtorchRoot, lib }, folder) {
  const marker = join(folder, 'linked');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === libtorchRoot) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'lib'), { recursive: true });
  symlinkSync(join(libtorchRoot, 'include'), join(folder, 'include'), 'junction');
  for (const file of readdirSync(lib)) {
    if (!/^(lib)?(torch|torch_cpu|c10|gomp|omp|iomp5)([.-]|$)/.test(file)) continue;
    // libtorch.so only names the other libraries, of CUDA, too. An addon must not need it.
    const source = file === 'libtorch.so' ? 'libtorch_cpu.so' : file;
    symlinkSync(join(lib, source), join(folder, 'lib', file));
    // The wheels have OpenMP under the name of its version only.
    if (file.startsWith('libgomp')) symlinkSync(join(lib, file), join(folder, 'lib', 'libgomp.so'));
  }
  writeFileSync(marker, libtorchRoot);
  return folder;
}

/** Environment for cargo: where libtorch is. */
export function libtorchEnvironment(found, folder) {
  return { LIBTORCH: linkFolder(found, folder), LIBTORCH_CXX11_ABI: '1' };
}
