import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * `wanted` if it is free on 127.0.0.1, else one that is. It lies below those that systems hand out to whoever asks for any,
 * so that a server that is down for a moment finds its port free again.
 */
export async function freePort(wanted?: number): Promise<number> {
  if (wanted !== undefined && (await isFree(wanted))) return wanted;
  for (let attempt = 1; attempt <= 20; attempt++) {
    const port = randomInt(15_000, 32_768);
    if (await isFree(port)) return port;
  }
  throw new Error('No free port was found between 15000 and 32767.');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen(port, '127.0.0.1', () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}
