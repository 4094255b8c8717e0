import { createServer } from 'node:net';

/** `wanted` if it is free on 127.0.0.1, else any free port. */
export async function freePort(wanted = 0): Promise<number> {
  const port = await listenOnce(wanted);
  return port ?? (await listenOnce(0)) ?? 0;
}

function listenOnce(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(null);
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : null);
      });
    });
  });
}
