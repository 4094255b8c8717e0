import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const heldHere = new Set<string>();
/** A lock without content is being written at this moment, unless it is older than this. */
const WRITING_MS = 5000;

interface Holder {
  readonly text: string;
  readonly pid: number | undefined;
  /** When the process began, in the system's own count; undefined where that cannot be told. */
  readonly startedAt: string | undefined;
}

/**
 * Keeps two brokers off one folder. The file names the process that holds it and when that process began: in a
 * container every run has the same id, and after a crash another process may have got it. One whose process is gone
 * is leftover. Returns the release. Throws when another process holds it.
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, 'journal.lock');
  if (heldHere.has(folder)) throw inUse(folder, process.pid);
  const own = [process.pid, startOf(process.pid)].filter((each) => each !== undefined).join(' ');
  for (let attempt = 0; !create(file, own); attempt++) {
    const holder = holderOf(file);
    if (holder === undefined) continue;
    if (attempt > 3 || isHeld(file, holder)) throw inUse(folder, holder.pid);
    takeAway(file, holder);
  }
  heldHere.add(folder);
  return () => {
    if (!heldHere.delete(folder)) return;
    if (holderOf(file)?.text === own) rmSync(file, { force: true });
  };
}

function inUse(folder: string, pid: number | undefined): Error {
  return new Error(
    `The data folder ${folder} is in use by process ${pid ?? 'unknown'}. Stop that process, or use another folder.`,
  );
}

/** False when the file is there already: checking and making it are one step. */
function create(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function holderOf(file: string): Holder | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    const [pid, startedAt] = text.trim().split(' ');
    const number = Number(pid);
    return { text, pid: Number.isInteger(number) && number > 0 ? number : undefined, startedAt };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isHeld(file: string, { pid, startedAt }: Holder): boolean {
  if (pid === undefined)
    return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) < WRITING_MS;
  if (!isAlive(pid)) return false;
  const start = startOf(pid);
  if (startedAt !== undefined && start !== undefined) return startedAt === start;
  // Without the time of its start our own id is leftover: this process does not hold the folder.
  return pid !== process.pid;
}

/** Another process may have replaced the leftover meanwhile; that one gets its file back. */
function takeAway(file: string, leftover: Holder): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (holderOf(aside)?.text !== leftover.text) linkSync(aside, file);
  rmSync(aside, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat; the second one is a name in parentheses that may hold anything. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
