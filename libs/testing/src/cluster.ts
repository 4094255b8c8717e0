import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres, type LocalPostgres } from '@twinkey/postgres-local';

const keeper = fileURLToPath(new URL('../keeper.mjs', import.meta.url));

/** One cluster per checkout and user of the machine, shared by all test processes that run at the same time. */
function home(): string {
  const checkout = createHash('sha256').update(keeper).digest('hex').slice(0, 8);
  return path.join(tmpdir(), `twinkey-test-${process.getuid?.() ?? 0}-${checkout}`);
}

let shared: Promise<LocalPostgres> | undefined;

/**
 * The shared test server: the first test process starts it (about 1 s), later ones find it running, and its keeper
 * ends it and removes its folder half a minute after the last of them is gone. Nobody stops it by hand.
 */
export function testCluster(): Promise<LocalPostgres> {
  shared ??= enter();
  return shared;
}

async function enter(): Promise<LocalPostgres> {
  const dataDir = home();
  const registration = path.join(dataDir, 'users', String(process.pid));
  for (;;) {
    mkdirSync(path.dirname(registration), { recursive: true });
    writeFileSync(registration, '');
    callKeeper(dataDir);
    try {
      const server = await startPostgres({ dataDir, durable: false });
      if (existsSync(registration)) return server;
    } catch (error) {
      if (existsSync(registration)) throw error;
    }
    // The keeper locked up while we came in: begin again, in the fresh folder.
  }
}

function callKeeper(dataDir: string): void {
  spawn(process.execPath, [keeper, dataDir], { detached: true, stdio: 'ignore', env: {} }).unref();
}
