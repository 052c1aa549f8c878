import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromNative } from '../errors.js';
import { predict } from '../verbs/predict.js';
import { planAndPreprocess } from '../verbs/preprocess.js';
import { train } from '../verbs/train.js';

/** A part of the trial, as its program writes it: one JSON object a line. */
export interface TrialStep {
  readonly name: 'preprocess' | 'train' | 'predict';
  readonly seconds: number;
  /** What was done. */
  readonly found: string;
  /** Why it failed; `null` if it did not. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

const TASK = 'Task001_Trial';
/** Edge of the made-up cases in voxels. */
const EDGE = 16;

/**
 * Does the whole job on a made-up task in `root`: preprocesses two cubes, trains one iteration, and segments
 * a case. Stops at the first failure.
 */
export async function trial(root: string, report: (step: TrialStep) => void): Promise<void> {
  const folders = {
    rawDataBase: join(root, 'raw'),
    preprocessed: join(root, 'preprocessed'),
    results: join(root, 'results'),
  };
  const raw = join(folders.rawDataBase, 'nnUNet_raw_data', TASK);
  const configuration = '3d_fullres';
  const output = join(root, 'predictions');
  const parts: [TrialStep['name'], () => Promise<string>][] = [
    [
      'preprocess',
      async () => {
        await writeTask(raw);
        const sizes = { patchSize: [EDGE, EDGE, EDGE], batchSize: 2 };
        const options = { task: TASK, configurations: [configuration] as const, ...sizes, workers: 1 };
        const { preprocess } = await planAndPreprocess({ ...options, ...folders }).result;
        refuseFailures(preprocess.failures);
        return `${preprocess.written} cases`;
      },
    ],
    [
      'train',
      async () => {
        const short = { epochs: 1, iterations: 1, validationIterations: 1, loaderThreads: 1 };
        const run = train({ task: TASK, configuration, fold: 'all', ...short, ...folders });
        let where = '';
        for await (const event of run) {
          if (event.type === 'started') where = `${event.settings.device} in ${event.settings.precision}`;
        }
        await run.result;
        return `one iteration on ${where}`;
      },
    ],
    [
      'predict',
      async () => {
        const trainer = 'nnUNetTrainerV2__nnUNetPlansv2.1';
        const model = join(folders.results, 'nnUNet', configuration, TASK, trainer);
        const input = join(raw, 'imagesTs');
        const { failures, written } = await predict({ input, output, model, mirroring: false, workers: 1 })
          .result;
        refuseFailures(failures);
        return `${written} case`;
      },
    ],
  ];
  for (const [name, work] of parts) {
    const began = Date.now();
    const seconds = () => (Date.now() - began) / 1000;
    try {
      const found = await work();
      report({ name, seconds: seconds(), found, problem: null });
    } catch (thrown) {
      const { code, message } = fromNative(thrown);
      report({ name, seconds: seconds(), found: '', problem: { code, message } });
      return;
    }
  }
}

function refuseFailures(failures: readonly { code: string; message: string }[]): void {
  // The addon sends its errors as JSON.
  if (failures[0] !== undefined) throw new Error(JSON.stringify(failures[0]));
}

/** Two training cases and one test case of 16³ voxels: noise with a brighter half, which is label 1. */
async function writeTask(folder: string): Promise<void> {
  for (const part of ['imagesTr', 'labelsTr', 'imagesTs']) {
    await mkdir(join(folder, part), { recursive: true });
  }
  const label = (i: number) => (i < EDGE ** 3 / 2 ? 0 : 1);
  const image = (i: number) => 100 * label(i) + ((i * 7919) % 50) + 1;
  for (const name of ['a', 'b']) {
    await writeFile(join(folder, 'imagesTr', `${name}_0000.nii`), nifti(image));
    await writeFile(join(folder, 'labelsTr', `${name}.nii`), nifti(label));
  }
  await writeFile(join(folder, 'imagesTs', 'c_0000.nii'), nifti(image));
  const training = ['a', 'b'].map((n) => ({
    image: `./imagesTr/${n}.nii.gz`,
    label: `./labelsTr/${n}.nii.gz`,
  }));
  const labels = { 0: 'background', 1: 'half' };
  const dataset = { name: TASK, modality: { 0: 'MRI' }, labels, training, test: ['./imagesTs/c.nii.gz'] };
  await writeFile(join(folder, 'dataset.json'), JSON.stringify(dataset));
}

/** A cube of float32 voxels of 1 mm as NIfTI-1. */
function nifti(value: (index: number) => number): Buffer {
  const header = 352;
  const file = Buffer.alloc(header + 4 * EDGE ** 3);
  file.writeInt32LE(348, 0);
  for (const [i, n] of [3, EDGE, EDGE, EDGE, 1, 1, 1, 1].entries()) file.writeInt16LE(n, 40 + 2 * i);
  file.writeInt16LE(16, 70); // float32
  file.writeInt16LE(32, 72);
  for (const i of [0, 1, 2, 3]) file.writeFloatLE(1, 76 + 4 * i);
  file.writeFloatLE(header, 108);
  file.writeInt16LE(1, 252); // qform with the identity rotation
  file.write('n+1\0', 344, 'latin1');
  for (let i = 0; i < EDGE ** 3; i += 1) file.writeFloatLE(value(i), header + 4 * i);
  return file;
}
