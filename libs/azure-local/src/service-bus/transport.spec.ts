import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ServiceBusClient } from '@azure/service-bus';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import * as x509 from '@peculiar/x509';
import WebSocket from 'ws';
import { AMQP_HEADER } from './amqp/frames.js';
import type { PresentedToken } from './authorization.js';
import { startServiceBus, type ServiceBusServer, type ServiceBusSettings } from './server.js';
import type { Topology } from './state/topology.js';

let tls = { key: '', cert: '' };
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  x509.cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    keys: keys,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  tls = {
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
    cert: cert.toString('pem'),
  };
});

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const topology: Topology = {
  UserConfig: { Namespaces: [{ Queues: [{ Name: 'orders' }, { Name: 'secrets' }] }] },
};

async function start(settings: ServiceBusSettings): Promise<ServiceBusServer> {
  const server = await startServiceBus({ topology, ...settings });
  open.push(server);
  return server;
}

function opened(client: ServiceBusClient): ServiceBusClient {
  open.push(client);
  return client;
}

const retryOptions = { maxRetries: 0, timeoutInMs: 3000 };
const token = {
  getToken: () => Promise.resolve({ token: 'a.b.c', expiresOnTimestamp: Date.now() + 3_600_000 }),
};

/** The SDK's own hook, with another place to dial. */
function dialling(url: string): typeof WebSocket {
  return class extends WebSocket {
    constructor(_url: string, protocols: string[]) {
      super(url, protocols, { ca: tls.cert });
    }
  } as typeof WebSocket;
}

async function roundTrip(client: ServiceBusClient, body: string): Promise<unknown> {
  await client.createSender('orders').sendMessages({ body });
  const receiver = client.createReceiver('orders', { receiveMode: 'receiveAndDelete' });
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 2000 });
  return message?.body as unknown;
}

describe('the one port', () => {
  it('speaks AMQP over WebSocket, plain and within TLS', async () => {
    const asked: PresentedToken[] = [];
    const { port } = await start({
      tls,
      verifyToken: (presented) => {
        asked.push(presented);
        return Promise.resolve({ expiresAt: Date.now() + 60_000 });
      },
    });
    for (const url of [`ws://127.0.0.1:${port}`, `wss://localhost:${port}`]) {
      const webSocketOptions = { webSocket: dialling(`${url}/$servicebus/websocket`) };
      const client = opened(
        new ServiceBusClient('bus.servicebus.windows.net', token, { retryOptions, webSocketOptions }),
      );
      expect(await roundTrip(client, url)).toBe(url);
    }
    expect(asked).toContainEqual({
      kind: 'jwt',
      text: 'a.b.c',
      audience: 'sb://bus.servicebus.windows.net/orders',
      entity: 'orders',
      need: 'Send',
    });
  });

  it('speaks AMQP and HTTP within TLS', async () => {
    const { port } = await start({ tls });
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: tls.cert });
    socket.write(AMQP_HEADER);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.subarray(0, 8).equals(AMQP_HEADER)).toBe(true);
    socket.destroy();
    const http = request({ port, host: '127.0.0.1', servername: 'localhost', ca: tls.cert, path: '/orders' });
    http.end();
    const [response] = (await once(http, 'response')) as [{ statusCode: number; resume(): void }];
    expect(response.statusCode).toBe(401);
    response.resume();
  });

  it('shrugs off clients that talk nonsense', async () => {
    const { port } = await start({ allowAnySas: true, tls });
    for (const nonsense of [
      '\x16\x03\x01 no hello',
      'AMQP\xff\xff\xff\xff',
      'GET \x00 nothing\r\n\r\n',
      'AMQP',
    ]) {
      const socket = connectTcp(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.end(Buffer.from(nonsense, 'latin1'));
      socket.resume();
      await once(socket, 'close');
    }
    const client = opened(new ServiceBusClient(developmentString(port), { retryOptions }));
    expect(await roundTrip(client, 'still here')).toBe('still here');
  });
});

function developmentString(port: number, key = 'a2V5', name = 'root'): string {
  return `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=${name};SharedAccessKey=${key};UseDevelopmentEmulator=true`;
}

describe('authorisation', () => {
  it('accepts a configured key and no other', async () => {
    const { port } = await start({ sas: [{ keyName: 'root', key: 'a2V5' }] });
    const client = opened(new ServiceBusClient(developmentString(port), { retryOptions }));
    expect(await roundTrip(client, 'known')).toBe('known');
    for (const wrong of [developmentString(port, 'b3RoZXI='), developmentString(port, 'a2V5', 'guest')]) {
      const stranger = opened(new ServiceBusClient(wrong, { retryOptions }));
      await expect(stranger.createSender('orders').sendMessages({ body: 1 })).rejects.toMatchObject({
        code: 'UnauthorizedAccess',
      });
    }
  });

  it('accepts no key at all unless told to', async () => {
    const { port } = await start({});
    const client = opened(new ServiceBusClient(developmentString(port), { retryOptions }));
    await expect(client.createSender('orders').sendMessages({ body: 1 })).rejects.toMatchObject({
      code: 'UnauthorizedAccess',
    });
  });

  it('takes the links of a client whose token has expired', async () => {
    let now = Date.now();
    const server = await start({ sas: [{ keyName: 'root', key: 'a2V5' }], clock: () => now });
    const client = opened(new ServiceBusClient(developmentString(server.port), { retryOptions }));
    const lost = new Promise<unknown>((resolve) => {
      client.createReceiver('orders').subscribe({
        processMessage: () => Promise.resolve(),
        processError: ({ error }) => {
          resolve(error);
          return Promise.resolve();
        },
      });
    });
    await client.createSender('orders').sendMessages({ body: 1 });
    now += 86_400_000;
    expect(await lost).toMatchObject({ code: 'UnauthorizedAccess' });
  });

  it('asks for what a link needs, per entity', async () => {
    const { port } = await start({
      verifyToken: ({ need, entity }) =>
        Promise.resolve(
          entity === 'orders' && need === 'Send'
            ? { expiresAt: Date.now() + 60_000 }
            : { refused: `No ${need} on ${entity}` },
        ),
    });
    const webSocketOptions = { webSocket: dialling(`ws://127.0.0.1:${port}/$servicebus/websocket`) };
    const client = opened(
      new ServiceBusClient('bus.servicebus.windows.net', token, { retryOptions, webSocketOptions }),
    );
    await client.createSender('orders').sendMessages({ body: 1 });
    await expect(client.createReceiver('orders').receiveMessages(1)).rejects.toMatchObject({
      code: 'UnauthorizedAccess',
    });
    await expect(client.createSender('secrets').sendMessages({ body: 1 })).rejects.toMatchObject({
      code: 'UnauthorizedAccess',
    });
  });
});
