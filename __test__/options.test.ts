/** The options of verbs as the addon checks them. */
import test from 'ava';
import { checkDataset, evaluate, NnunetError, type TrainOptions, train } from '../ts/index.js';
import { core } from '../ts/native/core.js';
import type { Run } from '../ts/run.js';

/** The message of the `ERR_OPTIONS` that rejects a run. */
async function refusal(start: () => Run<unknown>): Promise<string> {
  const error = await start().result.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof NnunetError && error.code === 'ERR_OPTIONS' ? error.message : `no: ${error}`;
}

/** Options as a caller without types writes them. */
const any = <O>(options: unknown): O => options as O;

test('every wrong option is named at once, with the nearest known name', async (t) => {
  const options = any<TrainOptions>({
    task: '501',
    configuration: '3d_fulres',
    epochs: 0.5,
    pacth: 1,
    batchsize: 2,
  });
  t.is(
    await refusal(() => train(options)),
    'configuration: expected one of 2d, 3d_fullres, 3d_lowres, 3d_cascade_fullres, got "3d_fulres"; did you mean ' +
      '3d_fullres?; epochs: expected a whole number of at least 1, got 0.5; pacth: unknown option; ' +
      'batchsize: unknown option; did you mean batchSize?',
  );
});

test('unknown options reach no verb, nested ones included, also where the addon is called directly', async (t) => {
  t.is(
    await refusal(() => checkDataset(any({ task: '1', tolerence: 9 }))),
    'tolerence: unknown option; did you mean tolerance?',
  );
  const recipe = { sampling: { kind: 'annotated', ofset: 1 } };
  t.is(
    await refusal(() => train(any({ task: '1', configuration: '2d', recipe }))),
    'recipe.sampling.ofset: unknown option; did you mean offset?',
  );
  const message = await new Promise<string>((resolve) => {
    core().start('check', '{"task":"1","tolerence":9}', resolve);
  });
  t.like(JSON.parse(message), { type: 'failed', error: { code: 'ERR_OPTIONS' } });
});

test('no options, no object and values that JSON cannot hold are refused through result', async (t) => {
  t.is(await refusal(() => train(any(undefined))), 'expected an object of options, got undefined');
  t.is(await refusal(() => train(any('501'))), 'expected an object of options, got 501');
  t.is(
    await refusal(() => evaluate({ referenceDir: 'a', predictionDir: 'b', tolerance: Number.NaN })),
    'tolerance: expected a value that JSON can hold, got NaN',
  );
  t.is(
    await refusal(() => train(any({ task: '1', configuration: '2d', classWeights: Float32Array.of(1) }))),
    'classWeights: expected a value that JSON can hold, got Float32Array',
  );
  t.regex(await refusal(() => train(any({ task: '1', configuration: '2d', signal: {} }))), /AbortSignal/);
});

test('undefined means not given, and defaults are filled in once', (t) => {
  const given = JSON.parse(core().validate('train', '{"task":"1","configuration":"2d"}')) as TrainOptions;
  t.like(given, { epochs: 1000, iterations: 250, initialLr: 0.01, fold: 0, unpack: true, workers: 0 });
  t.is(given.trainer, 'nnUNetTrainerV2');
});
