#!/usr/bin/env -S node --
import { runAsProcess } from './process.js';

await runAsProcess();
