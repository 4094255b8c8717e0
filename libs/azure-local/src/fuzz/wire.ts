import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Misbehaviour, patienceMs } from './attempts.js';

/** Where a server listens; with an authority it is spoken to within TLS. */
export interface Place {
  readonly port: number;
  readonly ca?: string;
}

export interface Manners {
  /** Milliseconds for which to listen, before hanging up, to a server that says nothing; 0 unless said. */
  readonly listenMs?: number;
  /** Milliseconds within which the server has to hang up as well. */
  readonly patience?: number;
}

/**
 * Says something, piece by piece, hangs up, and tells what the server answered until it hung up as well.
 * A server that does not hang up in time misbehaves.
 */
export async function say(
  place: Place,
  pieces: readonly Buffer[],
  { listenMs = 0, patience = patienceMs }: Manners = {},
): Promise<Buffer> {
  const socket = dial(place);
  const heard: Buffer[] = [];
  let impatience: NodeJS.Timeout | undefined;
  const closed = new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => heard.push(chunk));
    socket.on('error', () => undefined); // a server may hang up whenever it likes
    socket.once('close', () => {
      resolve();
    });
    impatience = setTimeout(() => {
      reject(new Misbehaviour(`the connection was not closed within ${patience} ms`));
    }, patience);
  });
  try {
    await Promise.race([closed, deliver(socket, pieces, listenMs)]);
    await closed;
    return Buffer.concat(heard);
  } finally {
    clearTimeout(impatience);
    socket.destroy();
  }
}

function dial({ port, ca }: Place): Socket {
  if (ca === undefined) return connectTcp({ port, host: '127.0.0.1', noDelay: true });
  return connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca });
}

async function deliver(socket: Socket, pieces: readonly Buffer[], listenMs: number): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece);
    // What was said first has its effect before what depends on it is said.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (listenMs === 0 || socket.destroyed) {
    socket.end();
    return;
  }
  const hangUp = setTimeout(() => socket.end(), listenMs);
  socket.once('data', () => {
    clearTimeout(hangUp);
    socket.end();
  });
  socket.once('close', () => {
    clearTimeout(hangUp);
  });
}
