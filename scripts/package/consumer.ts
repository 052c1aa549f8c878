// A strict TypeScript program that uses the public API. It is compiled against the installed package.
import {
  distanceTransform,
  type ErrorCode,
  NnunetError,
  readVolume,
  type TrainOptions,
  train,
} from 'nnunet-diag';

const options: TrainOptions = { task: '501', configuration: '3d_fullres', fold: 0, epochs: 1 };

export async function use(): Promise<number> {
  const run = train(options);
  for await (const event of run) {
    if (event.type === 'epoch') console.log(event.epoch, event.trainLoss);
  }
  const { results } = { results: await run.result };
  const volume = await readVolume('image.nii.gz');
  const distances: Float32Array = await distanceTransform(Uint8Array.of(0, 1), [2], { spacing: [1] });
  try {
    await train({ ...options, epochs: 0 }).result;
  } catch (error) {
    if (error instanceof NnunetError) {
      const code: ErrorCode = error.code;
      console.log(code);
    }
  }
  // @ts-expect-error: a misspelt option does not compile.
  train({ ...options, epoch: 3 });
  // @ts-expect-error: voxels are typed arrays.
  await distanceTransform([0, 1], [2]);
  return distances.length + volume.data.length + Object.keys(results).length;
}
