import type { Output } from '../cli/command.js';
import type { VerbName, Verbs } from '../generated/verbs.js';
import { type Argument, UsageError, type Value, type Values } from './argparse.js';

/** Options of a verb, as a shim passes them. */
export type Options<V extends VerbName = VerbName> = Partial<Omit<Verbs[V]['options'], 'signal'>>;

/** What this package does with an argument of nnU-Net v1. */
export type Here<V extends VerbName> =
  /** It is an option of the verb. */
  | {
      readonly option: keyof Options<V> & string;
      readonly value?: (given: Value) => unknown;
      readonly note?: string;
    }
  /** The command reads it; the text says how. */
  | { readonly used: string }
  /** It changes nothing here; the text says why its meaning holds. */
  | { readonly accepted: string }
  /** There is no counterpart; the text says what to do. The values of `unless` are accepted. */
  | { readonly refused: string; readonly unless?: readonly Value[] }
  /** It is a flag of the output. */
  | { readonly output: keyof Output & string };

/** An argument of a command of nnU-Net v1. */
export interface ShimArgument<V extends VerbName = VerbName> extends Argument {
  /** What it means in nnU-Net v1. */
  readonly meaning: string;
  readonly here: Here<V>;
  /** Values that nnU-Net v1 accepts. */
  readonly choices?: readonly string[];
}

/** A verb to run, and what follows from its result. */
export interface Step {
  readonly verb: VerbName;
  readonly options: Readonly<Record<string, unknown>>;
  next?(result: unknown): readonly Step[];
}

/** A command of nnU-Net v1. */
export interface Shim<V extends VerbName = VerbName> {
  readonly name: string;
  /** What the command does in nnU-Net v1. */
  readonly summary: string;
  /** The verb that does its work; without one, what to do instead. */
  readonly verb: V | { readonly missing: string };
  readonly args: readonly ShimArgument<V>[];
  /** Options with which the verb behaves as nnU-Net v1. */
  readonly fixed?: Options<V>;
  /** Differences that flags cannot show, for the help. */
  readonly notes?: readonly string[];
  /** The verbs to run. The default is one run of `verb` with the options of the arguments. */
  steps?(options: Options<V>, given: Values): readonly Step[];
}

/** Checks a table against the types of its verb. */
export function shim<V extends VerbName>(table: Shim<V>): Shim {
  return table as unknown as Shim;
}

/** nnU-Net v1's default plans; the only ones that this package makes. */
export const PLANS = 'nnUNetPlansv2.1';
/** nnU-Net v1's default trainer. */
export const TRAINER = 'nnUNetTrainerV2';
/** nnU-Net v1's default trainer of the second stage of the cascade. */
export const CASCADE_TRAINER = 'nnUNetTrainerV2CascadeFullRes';
/** nnU-Net v1's configurations. */
export const CONFIGURATIONS = ['2d', '3d_lowres', '3d_fullres', '3d_cascade_fullres'] as const;

/** A fold: `all`, else a number; other text is left to the check of options. */
export function foldOf(text: Value): Value {
  return /^\s*[+-]?\d+\s*$/.test(String(text)) ? Number(text) : text;
}

/** The value of an argument as text. */
export function textOf(given: Values, name: string, initial: string): string {
  return String(given.get(name) ?? initial);
}

/** A number of processes in an environment variable of nnU-Net v1; 0 if it is not set. */
export function processesOf(variable: string): number {
  const text = (process.env[variable] ?? '').trim();
  if (/^\d*$/.test(text)) return Number(text);
  throw new UsageError(`the variable ${variable}: expected a whole number, got '${text}'`);
}
