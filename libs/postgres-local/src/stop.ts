import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.js';
import type { Cluster } from './cluster.js';
import { codeOf } from './error-code.js';
import { processRuns, readPostmaster } from './postmaster.js';

const fastWithinMs = 10_000;
const immediateWithinMs = 5_000;
const pollMs = 10;

/** Fast shutdown (connections are ended, everything is written); if that hangs, the immediate one, which recovers. */
export async function stopServer(binaries: Binaries, cluster: Cluster, pid: number): Promise<void> {
  if (!(await runs(cluster, pid))) return;
  if (process.platform === 'win32') {
    // Signals end a process without asking there.
    await promisify(execFile)(binaries.pgCtl, ['stop', '-D', cluster.data, '-m', 'fast', '-w']);
    return;
  }
  signal(pid, 'SIGINT');
  if (await gone(cluster, pid, fastWithinMs)) return;
  signal(pid, 'SIGQUIT');
  if (await gone(cluster, pid, immediateWithinMs)) return;
  throw new Error(`PostgreSQL (process ${pid}) does not stop. End it by hand.`);
}

async function gone(cluster: Cluster, pid: number, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (await runs(cluster, pid)) {
    if (Date.now() > deadline) return false;
    await delay(pollMs);
  }
  return true;
}

/** The server removes its pid file last: a process that does not stand there is not, or no longer, the server. */
async function runs(cluster: Cluster, pid: number): Promise<boolean> {
  return (await readPostmaster(cluster.data))?.pid === pid && (await processRuns(pid));
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended by itself in this very moment.
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}
