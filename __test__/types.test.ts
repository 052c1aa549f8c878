/** Types of the public API. The compiler checks them; ava runs the file so that it is not forgotten. */
import test from 'ava';
import { expectTypeOf } from 'expect-type';
import type {
  ErrorCode,
  EvaluateSummary,
  Mask,
  NnunetError,
  PreprocessEvent,
  PreprocessOptions,
  Run,
  RunOf,
  TrainEvent,
  TrainOptions,
  TrainSummary,
  Volume,
} from '../ts/index.js';
import * as api from '../ts/index.js';

test('verbs take their options and return runs of their events and summary', (t) => {
  expectTypeOf(api.train).parameters.toEqualTypeOf<[options: TrainOptions]>();
  expectTypeOf(api.train).returns.toEqualTypeOf<Run<TrainSummary, TrainEvent>>();
  expectTypeOf<RunOf<'train'>>().toEqualTypeOf<Run<TrainSummary, TrainEvent>>();
  expectTypeOf(api.planAndPreprocess).parameter(0).toEqualTypeOf<PreprocessOptions>();
  expectTypeOf(api.evaluate).returns.toHaveProperty('result').toEqualTypeOf<Promise<EvaluateSummary>>();
  t.pass();
});

test('events are told apart by type, and each verb has its own', (t) => {
  expectTypeOf<Extract<TrainEvent, { type: 'epoch' }>>()
    .toHaveProperty('trainLoss')
    .toEqualTypeOf<number | null>();
  expectTypeOf<Extract<PreprocessEvent, { type: 'epoch' }>>().toBeNever();
  t.pass();
});

test('required options are required, the others optional', (t) => {
  expectTypeOf<{ task: string; configuration: '2d' }>().toExtend<TrainOptions>();
  expectTypeOf<{ task: string }>().not.toExtend<TrainOptions>();
  expectTypeOf<{ task: string; configuration: '4d' }>().not.toExtend<TrainOptions>();
  expectTypeOf<TrainOptions>().toHaveProperty('signal').toEqualTypeOf<AbortSignal | undefined>();
  t.pass();
});

test('voxels are typed arrays', (t) => {
  expectTypeOf<Volume['data']>().toEqualTypeOf<Float32Array>();
  expectTypeOf<number[]>().not.toExtend<Mask>();
  expectTypeOf(api.distanceTransform).returns.resolves.toEqualTypeOf<Float32Array>();
  t.pass();
});

test('an error has one of the listed codes', (t) => {
  expectTypeOf<NnunetError['code']>().toEqualTypeOf<ErrorCode>();
  expectTypeOf(api.ERROR_CODES).toExtend<Record<ErrorCode, string>>();
  t.pass();
});

test('the public API has no helpers of the command line', (t) => {
  const helpers = ['table', 'duration', 'Screen', 'ProgressView', 'main'];
  t.deepEqual(
    Object.keys(api).filter((name) => helpers.includes(name)),
    [],
  );
});
