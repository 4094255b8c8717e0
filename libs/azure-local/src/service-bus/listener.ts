import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Wire } from './amqp/connection.js';

export interface ListenerSettings {
  readonly port: number;
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  readonly onRequest: RequestListener;
  /** A client speaks AMQP over this wire; the result takes its bytes and hears of its end. */
  readonly onAmqp: (wire: Wire) => { receive(chunk: Buffer): void; ended(): void };
  readonly refuses: () => boolean;
}

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

const TLS_HELLO = 0x16;
const AMQP = 0x41; // 'A': no HTTP method begins with it
/** A client that does not read what it asked for is cut off before it fills the memory. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

const KEEP_ALIVE_MS = 120_000;

/** One port for AMQP, HTTP and WebSocket, each plain or within TLS: the first byte tells which. */
export async function listen(settings: ListenerSettings): Promise<Listener> {
  const { onAmqp, tls } = settings;
  const sockets = new Set<Socket>();
  const http = createHttpServer(settings.onRequest);
  // Longer than the pools of the SDKs keep a connection: a server that hangs up first costs them an ECONNRESET.
  http.keepAliveTimeout = KEEP_ALIVE_MS;
  const webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 1024 * 1024,
    handleProtocols: (offered) => ['AMQPWSB10', 'amqp'].find((name) => offered.has(name)) ?? false,
  });
  http.on('upgrade', (request, socket, head) => {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      overWebSocket(webSocket, onAmqp);
    });
  });
  http.on('clientError', (_error, socket) => {
    socket.destroy();
  });

  const secure = tls && createTlsServer({ key: tls.key, cert: tls.cert });
  secure?.on('secureConnection', (socket: TLSSocket) => {
    look(socket, false);
  });
  secure?.on('tlsClientError', (_error, socket) => {
    socket.destroy();
  });

  function look(socket: Socket, mayBeTls: boolean): void {
    // A socket that breaks ends; what uses it hears `close`.
    socket.on('error', () => {
      socket.destroy();
    });
    socket.once('data', (chunk: Buffer) => {
      socket.pause();
      if (chunk[0] === TLS_HELLO && mayBeTls && secure !== undefined) {
        socket.unshift(chunk);
        secure.emit('connection', socket);
      } else if (chunk[0] === AMQP) overSocket(socket, chunk, onAmqp);
      else {
        socket.unshift(chunk);
        http.emit('connection', socket);
        socket.resume();
      }
    });
  }

  const server = createServer({ noDelay: true }, (socket) => {
    if (settings.refuses()) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    look(socket, true);
  });
  server.listen(settings.port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => stop(server, sockets),
  };
}

async function stop(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}

function overSocket(socket: Socket, first: Buffer, onAmqp: ListenerSettings['onAmqp']): void {
  const connection = onAmqp({
    write: (bytes) => {
      if (socket.destroyed) return;
      socket.write(bytes);
      if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy();
    },
    end: () => {
      socket.end();
      // A peer that does not close in return would keep the socket for ever.
      setTimeout(() => socket.destroy(), 1000).unref();
    },
    destroy: () => {
      socket.destroy();
    },
  });
  socket.on('data', (chunk: Buffer) => {
    connection.receive(chunk);
  });
  socket.once('close', () => {
    connection.ended();
  });
  connection.receive(first);
  socket.resume();
}

function overWebSocket(webSocket: WebSocket, onAmqp: ListenerSettings['onAmqp']): void {
  webSocket.binaryType = 'nodebuffer';
  const connection = onAmqp({
    write: (bytes) => {
      if (webSocket.readyState !== webSocket.OPEN) return;
      webSocket.send(bytes);
      if (webSocket.bufferedAmount > MAX_UNREAD_BYTES) webSocket.terminate();
    },
    end: () => {
      webSocket.close();
    },
    destroy: () => {
      webSocket.terminate();
    },
  });
  webSocket.on('error', () => {
    webSocket.terminate();
  });
  webSocket.on('message', (data: Buffer) => {
    connection.receive(data);
  });
  webSocket.once('close', () => {
    connection.ended();
  });
}
