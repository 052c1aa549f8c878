#!/usr/bin/env node
import { runProcess } from './process.js';
import { main } from './program.js';

await runProcess(main);
