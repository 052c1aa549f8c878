import { runProcess } from '../cli/process.js';
import { shimMain } from './run.js';

// The executables of `shims install` pass the name of the command first.
await runProcess(([name = '', ...argv], io) => shimMain(name, argv, io));
