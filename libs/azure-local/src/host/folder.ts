import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { codeOf } from './plugin.js';

const openHere = new Set<string>();

/**
 * Makes the data folder and holds it for this process: two emulators appending to the same files would ruin them.
 * Answers the release. The trace of a process that is gone is taken over.
 */
export function holdFolder(folder: string): () => void {
  const path = resolve(folder);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const file = join(path, 'pid');
  const holder = Number(readOrEmpty(file));
  // The same id in a fresh process is a restarted container's, not ours.
  if (openHere.has(path) || (holder > 0 && holder !== process.pid && isAlive(holder))) {
    throw new FolderInUse(path, openHere.has(path) ? process.pid : holder);
  }
  writeFileSync(file, String(process.pid), { mode: 0o600 });
  openHere.add(path);
  return () => {
    openHere.delete(path);
    rmSync(file, { force: true });
  };
}

export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';

  constructor(path: string, pid: number) {
    super(
      `The data folder ${path} is in use by process ${pid}. Stop that emulator, or give this one another folder.`,
    );
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // nobody holds it
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM'; // alive, and somebody else's
  }
}
