import test from 'ava';
import { fromNative, NnunetError } from '../ts/errors.js';

test('a failure of an addon keeps its code, message and details', (t) => {
  const error = fromNative(
    new Error('{"code":"ERR_NPY_HEADER","message":"found 1, expected 2","details":{"path":"a"}}'),
  );
  t.true(error instanceof NnunetError);
  t.is(error.code, 'ERR_NPY_HEADER');
  t.is(error.message, 'found 1, expected 2');
  t.deepEqual(error.details, { path: 'a' });
});

test('any other error becomes ERR_INTERNAL with its cause', (t) => {
  const cause = new Error('{ not json');
  const error = fromNative(cause);
  t.is(error.code, 'ERR_INTERNAL');
  t.is(error.cause, cause);
  t.is(fromNative('words').message, 'words');
});

test('an NnunetError passes through unchanged', (t) => {
  const error = new NnunetError('ERR_GZIP', 'y');
  t.is(fromNative(error), error);
});
