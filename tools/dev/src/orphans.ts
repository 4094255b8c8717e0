// A launcher that was killed leaves its children running: they hold the folder and the ports. The next launcher in
// the same folder ends them first, and only them: a process id is believed only if it still runs the same script.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from './wait-until.js';

const STOP_WITHIN_MS = 20_000;

/** Remembers a child until it ends. */
export function rememberChild(folder: string, name: string, pid: number, script: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ pid, script }));
}

export function forgetChild(folder: string, name: string): void {
  rmSync(join(folder, `${name}.json`), { force: true });
}

/** Ends what an earlier launcher left behind; answers the names. */
export async function endOrphans(folder: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return [];
  const ended: string[] = [];
  for (const file of readdirSync(folder)) {
    const { pid, script } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      pid: number;
      script: string;
    };
    if (runs(pid, script)) {
      process.kill(pid, 'SIGTERM');
      try {
        await waitUntil(`process ${pid} ends`, () => !runs(pid, script), { withinMs: STOP_WITHIN_MS });
      } catch {
        process.kill(pid, 'SIGKILL');
      }
      ended.push(file.replace(/\.json$/, ''));
    }
    rmSync(join(folder, file), { force: true });
  }
  return ended;
}

function runs(pid: number, script: string): boolean {
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(script);
  } catch {
    return false; // no such process, or no `ps`: then nothing can be said, and nothing is ended
  }
}
