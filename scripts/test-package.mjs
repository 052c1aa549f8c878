// npm run test:package: packs everything that this machine can build, installs it on an empty machine and uses it there.
// Prints TAP, one line a check.
import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hostLibtorch } from './lib/libtorch.mjs';
import { readJson, staleManifests } from './lib/manifests.mjs';
import { isHost, PLATFORMS, packageName } from './lib/platforms.mjs';
import { capture, root, say } from './lib/process.mjs';
import { Tap } from './lib/tap.mjs';
import { foreignRuns } from './package/foreign.mjs';
import { BareRoot } from './package/root.mjs';

/** Oldest and newest Node of each supported line; package.json has the oldest ones as `engines`. */
const NODES = ['20.19.0', '22.13.0', '24.0.0', '20.20.2', '22.23.3', '24.21.0'];
const [OLDEST] = NODES;
const PUBLINT = 'publint@0.3.25';
const ATTW = '@arethetypeswrong/cli@0.18.5';
const HERE = join(root, 'scripts', 'package');
const TARBALLS = join(root, 'tarballs');
const TASK = 'examples/data/Task501_IcbmTissue';

const tap = new Tap();
const { version, engines } = readJson('package.json');
const tarball = (name) => join(TARBALLS, `${name}-${version}.tgz`);
const expect = (condition, message) => {
  if (!condition) throw new Error(message);
};

/** Runs a command of the checkout; throws with its output if it fails. */
async function must(command, args, options) {
  const { code, output } = await capture(command, args, { quiet: true, ...options });
  expect(code === 0, `${command} ${args.join(' ')} ended with ${code}:\n${output}`);
  return output;
}

await tap.check('every package builds and packs', () =>
  must('node', [join('scripts', 'pack.mjs'), '--light'], { quiet: false }),
);
const packed = PLATFORMS.filter((p) => readdirSync(TARBALLS).includes(`${packageName(p)}-${version}.tgz`));

await tap.check('every manifest has the version of package.json', () => {
  expect(
    staleManifests().length === 0,
    `stale: ${staleManifests().join(', ')}; run node scripts/version.mjs`,
  );
});
await tap.check('engines is the oldest Node of each line that is tried here', () => {
  const ranges = NODES.slice(0, 3).map((node, i) => (i < 2 ? `^${node}` : `>=${node}`));
  expect(engines.node === ranges.join(' || '), `engines.node is ${engines.node}`);
});
for (const name of ['nnunet-diag', ...packed.map(packageName)]) {
  await tap.check(`npm publish --dry-run takes ${name}`, () =>
    must('npm', ['publish', '--dry-run', '--ignore-scripts', tarball(name)]),
  );
}
await tap.check('no package has an install script', () => {
  for (const file of ['package.json', ...PLATFORMS.map((p) => join('npm', p.name, 'package.json'))]) {
    const scripts = Object.keys(readJson(file).scripts ?? {});
    const hooks = ['preinstall', 'install', 'postinstall', 'prepare'].filter((hook) =>
      scripts.includes(hook),
    );
    expect(hooks.length === 0, `${file} has ${hooks.join(', ')}`);
  }
});
await tap.check('publint finds nothing', () =>
  must('npx', ['--yes', PUBLINT, tarball('nnunet-diag'), '--strict']),
);
// Every supported Node loads ES modules by `require`, so a CommonJS build would only duplicate the addons' state.
await tap.check('attw finds the types of every resolution', () =>
  must('npx', [
    '--yes',
    ATTW,
    tarball('nnunet-diag'),
    '--profile',
    'node16',
    '--ignore-rules',
    'cjs-resolves-to-esm',
  ]),
);

say('an empty machine');
const machine = new BareRoot(join(root, 'target', 'package-test'));
if (!machine.isolated) say('chroot is not possible here: only PATH, HOME and the npm cache are empty');
const project = machine.makeFolder('/home/user/project');
const inside = (path) => machine.inside(join(project, path));
const host = PLATFORMS.find(isHost);
for (const file of ['smoke.mjs', 'require.cjs', 'consumer.ts']) copyFileSync(join(HERE, file), inside(file));
cpSync(join(root, TASK), inside('raw/nnUNet_raw_data/Task501_IcbmTissue'), { recursive: true });
for (const name of ['nnunet-diag', packageName(host)]) {
  copyFileSync(tarball(name), inside(`${name}.tgz`));
}
for (const folder of ['raw', 'preprocessed', 'results']) mkdirSync(inside(folder), { recursive: true });
await must('chmod', ['-R', 'a+rwX', inside('.')]);

const FOLDERS = {
  nnUNet_raw_data_base: 'raw',
  nnUNet_preprocessed: 'preprocessed',
  RESULTS_FOLDER: 'results',
};
/** Runs a command in the project; returns its output. */
async function use(node, command, args, env = {}) {
  const { code, output } = await machine.run(node, project, command, args, { ...FOLDERS, ...env });
  expect(code === 0, `${command} ${args.join(' ')} ended with ${code}:\n${output}`);
  return output;
}
const cli = (...args) => use(OLDEST, 'npx', ['nnunet-diag', ...args]);

for (const node of NODES) await tap.check(`Node ${node} from npm`, () => machine.addNode(node));
await tap.check('there is no compiler, cargo, Python or pip', async () => {
  for (const tool of ['cc', 'cargo', 'python3', 'pip', 'git']) {
    const { code } = await machine.run(OLDEST, project, 'sh', ['-c', `command -v ${tool}`]);
    expect(code !== 0, `${tool} is there`);
  }
});
await tap.check('npm init and npm install of the tarballs', async () => {
  await use(OLDEST, 'npm', ['init', '-y']);
  await use(OLDEST, 'npm', ['install', './nnunet-diag.tgz', `./${packageName(host)}.tgz`]);
  const installed = readdirSync(inside('node_modules'));
  expect(!installed.includes('@resvg'), 'the optional PNG renderer was installed');
});
await tap.check('doctor says how to get libtorch, and nothing else is wrong', async () => {
  const { code, output } = await machine.run(OLDEST, project, 'npx', ['nnunet-diag', 'doctor', '--json']);
  const { checks } = JSON.parse(output).result;
  const failed = checks.filter((check) => check.state === 'failed').map((check) => check.name);
  expect(code === 1 && failed.every((name) => /libtorch|train|predict|preprocess/.test(name)), output);
  expect(output.includes('nnunet-diag libtorch install'), output);
});
await tap.check('preprocess works at once', () => cli('preprocess', '501', '-c', '3d_fullres', '--quiet'));
const CASES = 'preprocessed/Task501_IcbmTissue/nnUNetData_plans_v2.1_stage0';
await tap.check('weightmaps works at once', () =>
  cli('weightmaps', CASES, '-o', 'weightmaps-cli', '--quiet'),
);

await tap.check('a PNG without its optional package is an error that says what to install', async () => {
  const words = [
    'nnunet-diag',
    'preview',
    '501',
    '-c',
    '3d_fullres',
    '--patch-size',
    '16x16x16',
    '-o',
    'batch.png',
  ];
  const { code, output } = await machine.run(OLDEST, project, 'npx', words, FOLDERS);
  expect(code === 1 && output.includes('npm install @resvg/resvg-js'), output);
});

const image = join('raw/nnUNet_raw_data/Task501_IcbmTissue/imagesTr');
const first = readdirSync(inside(image)).sort()[0];
const smoke = [join(image, first), CASES];
let expected;
for (const node of NODES) {
  await tap.check(`Node ${node}: ES modules and require`, async () => {
    rmSync(inside('weightmaps'), { recursive: true, force: true });
    const results = await use(node, 'node', ['smoke.mjs', ...smoke]);
    expected ??= results;
    expect(results === expected, `${results}\nexpected ${expected}`);
    const required = await use(node, 'node', ['--no-warnings', 'require.cjs']);
    expect(required === '0 1 2 3\ntrue ERR_OPTIONS\n', required);
  });
}
await tap.check(
  'strict TypeScript compiles under nodenext and bundler, with the types of libraries',
  async () => {
    await use(OLDEST, 'npm', ['install', '--save-dev', 'typescript@5.9', '@types/node@20']);
    const strict = [
      '--strict',
      '--noEmit',
      '--exactOptionalPropertyTypes',
      '--skipLibCheck',
      'false',
      '--target',
      'ES2022',
    ];
    const types = ['--types', 'node', '--lib', 'ES2022'];
    for (const [module, resolution] of [
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ]) {
      const modules = ['--module', module, '--moduleResolution', resolution];
      await use(OLDEST, 'npx', ['tsc', ...strict, ...types, ...modules, 'consumer.ts']);
    }
  },
);
await tap.check('libtorch install --from a folder, without pip and network', async () => {
  const { root: folder } = await hostLibtorch();
  cpSync(folder, machine.inside('/opt/libtorch'), {
    recursive: true,
    filter: (path) => !/\/include\//.test(path),
  });
  await must('chmod', ['-R', 'a+rX', machine.inside('/opt/libtorch')]);
  const from = machine.isolated ? '/opt/libtorch' : machine.inside('/opt/libtorch');
  await cli('libtorch', 'install', '--from', from);
});
await tap.check('doctor trains and predicts', () => cli('doctor'));
const SHORT = [
  '--patch-size',
  '32x32x32',
  '--batch-size',
  '2',
  '--iterations',
  '2',
  '--validation-iterations',
  '1',
];
await tap.check('train writes a model of the example task', () =>
  cli('train', '501', '-c', '3d_fullres', '--fold', 'all', '--epochs', '1', ...SHORT, '--quiet'),
);
await tap.check('predict segments the test cases', async () => {
  const images = 'raw/nnUNet_raw_data/Task501_IcbmTissue/imagesTs';
  const model = 'results/nnUNet/3d_fullres/Task501_IcbmTissue/nnUNetTrainerV2__nnUNetPlansv2.1';
  await cli(
    'predict',
    '-i',
    images,
    '-o',
    'predicted',
    '-m',
    model,
    '-f',
    'all',
    '--no-mirroring',
    '--quiet',
  );
  const written = readdirSync(inside('predicted')).filter((file) => file.endsWith('.nii.gz'));
  expect(written.length > 0, 'no segmentation was written');
});

// The addons of another processor and of old ones, in an emulator.
for (const { name, reason, run } of await foreignRuns({ packed, inside, tarball, smoke })) {
  if (reason !== undefined) tap.skip(name, reason);
  else
    await tap.check(name, async () => {
      const results = await run();
      expect(results === expected, `${results}\nexpected ${expected}`);
    });
}
tap.finish();
