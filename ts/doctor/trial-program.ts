/** Program that `doctor` runs in its own process, so that a crash of libtorch ends that process alone. */
import { trial } from './trial.js';

await trial(process.argv[2] ?? '.', (step) => process.stdout.write(`${JSON.stringify(step)}\n`));
