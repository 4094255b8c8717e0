import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const heldHere = new Set<string>();

/**
 * Keeps two brokers off one folder. The file names the process that holds it; one whose process is gone is
 * leftover. In a container every run has the same process id, so our own id is leftover too unless this very
 * process holds the folder. Returns the release. Throws when another process holds it.
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, 'journal.lock');
  const holder = holderOf(file);
  if (heldHere.has(folder) || (holder !== undefined && holder !== process.pid && isAlive(holder)))
    throw new Error(
      `The data folder ${folder} is in use by process ${holder ?? process.pid}. Stop that process, or use another folder.`,
    );
  writeFileSync(file, String(process.pid));
  heldHere.add(folder);
  return () => {
    heldHere.delete(folder);
    rmSync(file, { force: true });
  };
}

function holderOf(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
