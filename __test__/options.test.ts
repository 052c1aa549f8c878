import test from 'ava';
import { Command } from 'commander';
import { z } from 'zod';
import { addFlags, collect, kebab } from '../ts/cli/flags.js';
import { field, parseOptions, verb } from '../ts/schema.js';

const spec = verb({
  name: 'sample',
  summary: 'for tests',
  positional: ['folder'],
  options: z.object({
    folder: field(z.string().min(1), 'a folder'),
    width: field(z.int().positive().default(3), 'a width', 'w'),
    classes: field(z.array(z.int()).min(1).optional(), 'labels', 'c'),
    mirroring: field(z.boolean().default(true), 'do not mirror'),
    force: field(z.boolean().default(false), 'force'),
    mode: field(z.enum(['a', 'b']).default('a'), 'mode'),
  }),
  examples: [],
});

/** Parses a command line as the program does. */
function parse(...argv: string[]): object {
  const command = new Command().exitOverride();
  addFlags(command, spec);
  let options: object = {};
  command.action((...given: unknown[]) => {
    options = collect(spec, given.slice(0, 1), given[1] as Record<string, unknown>);
  });
  command.parse(argv, { from: 'user' });
  return options;
}

test('flags become options of the schema’s types, and only those typed', (t) => {
  t.deepEqual(parse('dir'), { folder: 'dir' });
  t.deepEqual(parse('dir', '-w', '7', '-c', '1', '2', '--no-mirroring', '--force', '--mode', 'b'), {
    folder: 'dir',
    width: 7,
    classes: [1, 2],
    mirroring: false,
    force: true,
    mode: 'b',
  });
});

test('defaults come from the schema', (t) => {
  t.deepEqual(parseOptions(spec, { folder: 'x' }), {
    folder: 'x',
    width: 3,
    mirroring: true,
    force: false,
    mode: 'a',
  });
});

test('every wrong option is named, with what was found', (t) => {
  const error = t.throws(() => parseOptions(spec, { folder: 'x', width: -1, mode: 'c', colour: 1 }));
  t.like(error, { code: 'ERR_OPTIONS' });
  const { message } = error as Error;
  t.regex(message, /width but received -1 of type number/);
  t.regex(message, /mode but received "c"/);
  t.regex(message, /unknown option colour/);
  t.throws(() => parseOptions(spec, {}), { message: /expected folder, which is missing/ });
});

test('words where a number is due are refused, not turned into NaN', (t) => {
  t.throws(() => parseOptions(spec, parse('dir', '--width', 'wide')), {
    message: /width but received "wide"/,
  });
});

test('names of flags', (t) => {
  t.is(kebab('stepSize'), 'step-size');
  t.is(kebab('w0'), 'w0');
});
