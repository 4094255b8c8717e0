import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { replaceFile } from './persist.js';
import { codeOf, isObject } from './plugin.js';

/** How to reach the emulator that runs in a data folder; no secret. */
export interface Running {
  readonly origin: string;
  readonly caFile: string;
  readonly pid: number;
}

const fileIn = (dataDir: string) => join(resolve(dataDir), 'running.json');

/** Tells other processes where the emulator listens; answers how to take that back. */
export function announceRunning(dataDir: string, running: Running): () => void {
  const file = fileIn(dataDir);
  replaceFile(file, `${JSON.stringify(running)}\n`);
  return () => {
    rmSync(file, { force: true });
  };
}

/** The emulator that announced itself in a data folder; it may have been killed since. `undefined` when none did. */
export function readRunning(dataDir: string): Running | undefined {
  let text: string;
  try {
    text = readFileSync(fileIn(dataDir), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) return undefined;
  const { origin, caFile, pid } = value;
  if (typeof origin !== 'string' || typeof caFile !== 'string') return undefined;
  return { origin, caFile, pid: Number(pid) };
}
