import test from 'ava';
import { Command } from 'commander';
import { addFlags, collect, type Flags } from '../ts/cli/flags.js';
import type { Field } from '../ts/cli/schema.js';
import { kebab } from '../ts/cli/schema.js';

const field = (name: string, more: Partial<Field>): Field => ({
  name,
  description: `the ${name}`,
  kind: 'text',
  list: false,
  default: undefined,
  choices: [],
  ...more,
});

const flags: Flags = {
  fields: [
    field('folder', {}),
    field('width', { kind: 'number', default: 3 }),
    field('patchSize', { kind: 'number', list: true }),
    field('classes', { kind: 'number', list: true }),
    field('regions', { kind: 'json', list: true }),
    field('weights', { kind: 'number', list: true, choices: ['auto'] }),
    field('fold', { kind: 'json' }),
    field('mirroring', { kind: 'boolean', default: true }),
    field('force', { kind: 'boolean', default: false }),
    field('mode', { choices: ['a', 'b'], default: 'a' }),
  ],
  positional: ['folder'],
  short: { width: 'w', classes: 'c', fold: 'f' },
};

/** Parses a command line as the program does. */
function parse(...argv: string[]): object {
  const command = new Command().exitOverride();
  addFlags(command, flags);
  let options: object = {};
  command.action((...given: unknown[]) => {
    options = collect(flags, given.slice(0, 1), given[1] as Record<string, unknown>);
  });
  command.parse(argv, { from: 'user' });
  return options;
}

test('a word can stand for a whole list', (t) => {
  t.deepEqual(parse('dir', '--weights', 'auto'), { folder: 'dir', weights: 'auto' });
  t.deepEqual(parse('dir', '--weights', '1', '2'), { folder: 'dir', weights: [1, 2] });
  t.deepEqual(parse('dir', '--weights', 'auto', '2'), { folder: 'dir', weights: ['auto', 2] });
});

test('flags become values of their type, and only given flags become options', (t) => {
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

test('sizes can be written with blanks, crosses or commas', (t) => {
  for (const argv of [['64', '48', '32'], ['64x48x32'], ['64×48×32'], ['64,48,32']]) {
    t.deepEqual(parse('dir', '--patch-size', ...argv), { folder: 'dir', patchSize: [64, 48, 32] });
  }
});

test('text of the wrong type stays text, for the check of options', (t) => {
  t.deepEqual(parse('dir', '--width', 'wide'), { folder: 'dir', width: 'wide' });
  t.deepEqual(parse('dir', '--patch-size', '64xx3'), { folder: 'dir', patchSize: ['64xx3'] });
});

test('a value of several types is read as JSON, else as text', (t) => {
  t.deepEqual(parse('dir', '-f', '3'), { folder: 'dir', fold: 3 });
  t.deepEqual(parse('dir', '-f', 'all'), { folder: 'dir', fold: 'all' });
  t.deepEqual(parse('dir', '--regions', '1', '[1,2]'), { folder: 'dir', regions: [1, [1, 2]] });
});

test('the help describes the option, not its negated flag', (t) => {
  const command = new Command();
  addFlags(command, flags);
  const help = command.helpInformation();
  t.regex(help, /--no-mirroring +the mirroring On by default; --no-mirroring turns it\s+off\./);
  t.regex(help, /--mode <text> +the mode \[a\|b\] \(default: a\)/);
});

test('camelCase options become kebab-case flags', (t) => {
  t.is(kebab('stepSize'), 'step-size');
  t.is(kebab('w0'), 'w0');
});
