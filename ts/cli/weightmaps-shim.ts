#!/usr/bin/env node
import { shimMain } from '../shims/run.js';
import { weightmapsShim } from '../shims/small.js';
import { runProcess } from './process.js';

await runProcess((argv, io) => shimMain(weightmapsShim.name, argv, io));
