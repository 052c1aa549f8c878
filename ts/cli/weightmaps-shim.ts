#!/usr/bin/env node
import { runProcess } from './process.js';
import { weightmapsMain } from './program.js';

await runProcess(weightmapsMain);
