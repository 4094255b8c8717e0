import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from './error-code.js';

/** What the server itself says about its run in `postmaster.pid`. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly status: 'starting' | 'stopping' | 'ready' | 'standby';
}

/** null: no server uses the folder, as far as the file tells. A file that is still being written counts as starting. */
export async function readPostmaster(data: string): Promise<Postmaster | null> {
  const text = await readFile(pidFile(data), 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  const status = lines[7];
  return {
    pid,
    port: Number(lines[3] ?? 0),
    status: status === 'ready' || status === 'stopping' || status === 'standby' ? status : 'starting',
  };
}

export function pidFile(data: string): string {
  return path.join(data, 'postmaster.pid');
}

/** Not so for a zombie: in a container without an init nobody collects an orphan's exit. */
export async function processRuns(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  const state = (await procFile(pid, 'stat'))?.replace(/^.*\) /s, '').charAt(0);
  return state !== 'Z' && state !== 'X';
}

/**
 * After a crash of the machine the number in `postmaster.pid` may belong to any program. Where /proc is missing the
 * answer is the careful one.
 */
export async function isPostgres(pid: number): Promise<boolean> {
  const name = await procFile(pid, 'comm');
  return name === undefined || name.trim().startsWith('postgres');
}

async function procFile(pid: number, name: string): Promise<string | undefined> {
  return readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => undefined);
}
