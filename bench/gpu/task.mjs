// Writes a raw task of noise for measuring throughput. Usage: node bench/gpu/task.mjs FOLDER [CHANNELS] [SIDE] [CASES]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const [folder, ...numbers] = process.argv.slice(2);
const [channels = 4, side = 144, cases = 6] = numbers.map(Number);
if (folder === undefined) throw new Error('Usage: node bench/gpu/task.mjs FOLDER [CHANNELS] [SIDE] [CASES]');

let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

/** A NIfTI-1 file of int16 voxels of 1 mm. */
function nifti(voxels) {
  const header = Buffer.alloc(352);
  header.writeInt32LE(348, 0);
  for (const [i, n] of [3, side, side, side, 1, 1, 1, 1].entries()) header.writeInt16LE(n, 40 + 2 * i);
  header.writeInt16LE(4, 70); // int16
  header.writeInt16LE(16, 72);
  for (let i = 0; i < 8; i++) header.writeFloatLE(1, 76 + 4 * i);
  header.writeFloatLE(352, 108);
  header.writeFloatLE(1, 112);
  header.writeInt16LE(1, 254); // sform: the identity
  for (const axis of [0, 1, 2]) header.writeFloatLE(1, 280 + 20 * axis);
  header.write('n+1\0', 344, 'latin1');
  return gzipSync(Buffer.concat([header, Buffer.from(voxels.buffer)]), { level: 1 });
}

const training = [];
for (const name of ['imagesTr', 'labelsTr', 'imagesTs']) mkdirSync(join(folder, name), { recursive: true });
for (let c = 0; c < cases; c++) {
  const id = `noise_${String(c).padStart(3, '0')}`;
  const label = Int16Array.from({ length: side ** 3 }, (_, i) => {
    const inside = [i % side, Math.floor(i / side) % side, Math.floor(i / side ** 2)];
    const radius = Math.hypot(...inside.map((v) => v - side / 2)) / side;
    return radius < 0.1 + 0.01 * c ? 2 : radius < 0.25 ? 1 : 0;
  });
  writeFileSync(join(folder, 'labelsTr', `${id}.nii.gz`), nifti(label));
  for (let channel = 0; channel < channels; channel++) {
    const image = label.map((value) => 1000 + 200 * value + 300 * random());
    writeFileSync(join(folder, 'imagesTr', `${id}_000${channel}.nii.gz`), nifti(image));
  }
  training.push({ image: `./imagesTr/${id}.nii.gz`, label: `./labelsTr/${id}.nii.gz` });
}
const dataset = {
  name: 'Noise',
  description: 'Noise around spheres',
  tensorImageSize: '4D',
  modality: Object.fromEntries(Array.from({ length: channels }, (_, i) => [i, 'MRI'])),
  labels: { 0: 'background', 1: 'shell', 2: 'core' },
  numTraining: cases,
  numTest: 0,
  training,
  test: [],
};
writeFileSync(join(folder, 'dataset.json'), JSON.stringify(dataset, null, 2));
