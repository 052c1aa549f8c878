// Checks the events of trainings and prints one JSON line. Exits with 1 if a limit is exceeded.
//
//   node bench/gpu/check.mjs equal EVENTS_A EVENTS_B TOLERANCE
//   node bench/gpu/check.mjs speed EVENTS BATCH_SIZE REFERENCE_VOLUMES_PER_SECOND
import { readFileSync } from 'node:fs';

const [what, ...values] = process.argv.slice(2);

/** Events of a kind in a file of JSON lines. */
function events(file, type) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const found = lines.map((line) => JSON.parse(line)).filter((event) => event.type === type);
  if (found.length === 0) throw new Error(`${file}: no event of type ${type}`);
  return found;
}

/** The number in a field of an event. */
function field(event, name) {
  if (typeof event[name] !== 'number') throw new Error(`the event ${event.type} has no number ${name}`);
  return event[name];
}

/** Largest difference of the losses of the same iterations. */
function equal(a, b, tolerance) {
  const [left, right] = [a, b].map((file) => events(file, 'iteration').map((event) => field(event, 'loss')));
  if (left.length !== right.length)
    throw new Error(`${a} has ${left.length} iterations, ${b} ${right.length}`);
  const difference = Math.max(...left.map((loss, i) => Math.abs(loss - right[i])));
  return [{ a, b, iterations: left.length, difference, tolerance }, difference <= tolerance];
}

/** Throughput, waiting and memory after the first epoch, in which libtorch chooses its algorithms. */
function speed(file, batch, reference) {
  const epochs = events(file, 'epoch');
  if (epochs.length < 3) throw new Error(`${file}: expected 3 epochs or more, found ${epochs.length}`);
  const last = epochs.at(-1);
  const volumesPerSecond = field(last, 'iterationsPerSecond') * batch;
  const waitShare = Math.max(...epochs.slice(1).map((epoch) => field(epoch, 'waitShare')));
  const growth = (name) => field(last, name) / field(epochs[1], name) - 1;
  const [hostGrowth, deviceGrowth] = [growth('hostMemory'), growth('deviceMemory')];
  const found = {
    volumesPerSecond,
    reference,
    ratio: volumesPerSecond / reference,
    waitShare,
    hostGrowth,
    deviceGrowth,
  };
  return [found, waitShare < 0.03 && hostGrowth < 0.02 && deviceGrowth < 0.01];
}

const checks = {
  equal: () => equal(values[0], values[1], Number(values[2])),
  speed: () => speed(values[0], Number(values[1]), Number(values[2])),
};
if (!Object.hasOwn(checks, what)) throw new Error('expected equal or speed');
const [found, passed] = checks[what]();
console.log(JSON.stringify({ check: what, passed, ...found }));
process.exitCode = passed ? 0 : 1;
