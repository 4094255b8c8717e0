import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Outcome } from './dispatch.js';
import { codeOf, type Incoming, type Log } from './plugin.js';

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

const maxBodyBytes = 4 * 1024 * 1024;
const maxDroppedBytes = 64 * 1024 * 1024;

/** An HTTPS server on 127.0.0.1. Port 0 takes a free one; a taken port is an error with code `EADDRINUSE`. */
export async function listen(options: {
  readonly port: number;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly handle: (request: Incoming) => Promise<Outcome>;
  readonly log: Log;
}): Promise<Listener> {
  const server = createServer({ key: options.tls.key, cert: options.tls.cert }, (message, response) => {
    answer(message, response, options.handle).catch((error: unknown) => {
      if (!isGone(error)) options.log.warn(`A request could not be answered: ${String(error)}`);
      response.destroy();
    });
  });
  // Longer than the pools of the SDKs keep a connection: a server that hangs up first costs them an ECONNRESET.
  server.keepAliveTimeout = 120_000;
  server.on('tlsClientError', () => undefined); // a client that does not trust the authority says so itself
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  const port = (server.address() as AddressInfo).port;
  return {
    port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  message: IncomingMessage,
  response: ServerResponse,
  handle: (request: Incoming) => Promise<Outcome>,
): Promise<void> {
  const request = await read(message);
  const outcome = request === undefined ? 'cut' : await handle(request);
  if (outcome === 'cut') {
    message.socket.destroy();
    return;
  }
  const { status, headers = {}, body, afterwards } = outcome;
  if (afterwards !== undefined) message.socket.once('close', afterwards);
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    // An answer that has no body by its status must not speak of a length either (RFC 9110, 8.6).
    ...(afterwards === undefined ? {} : { connection: 'close' }),
    ...(hasNoBody(status) ? {} : { 'content-length': String(Buffer.byteLength(text)) }),
    ...headers,
  });
  response.end(text);
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 304;
}

/** `undefined` when the client goes on and on. */
async function read(message: IncomingMessage): Promise<Incoming | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // A body over the limit is read to its end, and dropped: a client that still writes does not read the refusal.
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxDroppedBytes) return undefined;
    if (size <= maxBodyBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  const host = /^[\w.:[\]-]+$/.test(message.headers.host ?? '') ? message.headers.host : undefined;
  const request = {
    method: message.method ?? 'GET',
    headers: message.headers,
    body: Buffer.concat(chunks),
    ...locate(host ?? 'localhost', message.url ?? '/'),
  };
  return size > maxBodyBytes ? { ...request, spoiled: 'body-too-large' } : request;
}

/** Of a broken URL so much is read as tells whose it is. */
function locate(
  host: string,
  target: string,
): Pick<Incoming, 'segments' | 'query' | 'origin'> & { readonly spoiled?: 'url' } {
  const path = target.replace(/^\/+/, '/');
  try {
    const url = new URL(`https://${host}${path}`);
    const segments = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
    return { segments, query: url.searchParams, origin: url.origin };
  } catch {
    const [bare = ''] = path.split('?', 1);
    const segments = bare.split('/').filter(Boolean);
    return { segments, query: new URLSearchParams(), origin: `https://localhost`, spoiled: 'url' };
  }
}

/** The client hung up, or the emulator is stopping while a planted delay runs. */
function isGone(error: unknown): boolean {
  return ['ABORT_ERR', 'ECONNRESET'].includes(codeOf(error) ?? '');
}
