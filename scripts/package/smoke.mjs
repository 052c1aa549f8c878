// Runs the core addon of an installed nnunet-diag and prints a digest of every result: distance transform, weightmap,
// volume. The digests of every platform and processor are compared. Arguments: image, folder of preprocessed cases.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { distanceTransform, generateWeightmaps, readVolume } from 'nnunet-diag';

const [image, preprocessed] = process.argv.slice(2);
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
const bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

// A mask without symmetry, so that a wrong axis changes the result.
const mask = Uint8Array.from({ length: 31 * 37 * 41 }, (_, i) =>
  (i * 2654435761) % 4294967296 > 7e7 ? 1 : 0,
);
const distances = await distanceTransform(mask, [31, 37, 41], { spacing: [3, 1.5, 1] });
const volume = await readVolume(image);
const summary = await generateWeightmaps({ folder: preprocessed, outputDir: 'weightmaps' }).result;
const weightmaps = readdirSync('weightmaps').sort();
const results = {
  distances: digest(bytesOf(distances)),
  volume: `${volume.shape} ${digest(bytesOf(volume.data))}`,
  weightmaps: weightmaps.map((file) => `${file} ${digest(readFileSync(join('weightmaps', file)))}`),
};
if (summary.failures.length > 0 || weightmaps.length === 0) throw new Error(JSON.stringify(summary));
process.stdout.write(`${JSON.stringify(results)}\n`);
