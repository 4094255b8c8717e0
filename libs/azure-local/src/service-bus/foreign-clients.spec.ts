import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BareClient, errorOf, messageOf, type MessageParts } from '../testing/bare-client.js';
import { DETACH, DISPOSITION, TRANSFER } from './amqp/performatives.js';
import {
  binary,
  bytesOf,
  described,
  map,
  type Put,
  int,
  list,
  string,
  stringMap,
  symbol,
  ulong,
} from './amqp/put.js';
import { startServiceBus, type ServiceBusServer, type ServiceBusSettings } from './server.js';
import { readMessage, type Message } from './state/message.js';

let server: ServiceBusServer;
const open: BareClient[] = [];

const topology = { UserConfig: { Namespaces: [{ Queues: [{ Name: 'orders' }] }] } };

beforeEach(async () => {
  server = await startServiceBus({ allowAnySas: true, topology });
});

async function restart(settings: ServiceBusSettings): Promise<ServiceBusServer> {
  await server.close();
  server = await startServiceBus({ topology, ...settings });
  return server;
}

afterEach(async () => {
  for (const client of open.splice(0)) client.close();
  await server.close();
});

async function dial(): Promise<BareClient> {
  const { client } = await BareClient.dial(server.port);
  open.push(client);
  await client.begin();
  return client;
}

const putToken: MessageParts = {
  messageId: ulong(0),
  properties: {
    operation: string('put-token'),
    type: string('servicebus.windows.net:sastoken'),
    name: string('sb://127.0.0.1/orders'),
  },
  value: string('SharedAccessSignature sr=x&sig=y&se=1&skn=z'),
};

async function answer(client: BareClient, channel = 0): Promise<Message> {
  const { payload } = await client.next(TRANSFER, (heard) => heard.channel === channel);
  return readMessage(payload);
}

/** As the Python SDK attaches: requests and answers both at an address that is the node's own. */
async function requestLinks(client: BareClient, node: string, channel = 0): Promise<void> {
  const handle = node === '$cbs' ? 0 : 2;
  await client.attach({ channel, handle, role: 'sender', source: node, target: node });
  await client.attach({ channel, handle: handle + 1, role: 'receiver', source: node, target: node });
  client.credit(handle + 1, 10, { channel });
}

describe('a request that names no reply link', () => {
  it('is answered on the link that receives from the same node', async () => {
    const client = await dial();
    await requestLinks(client, '$cbs');
    client.transfer(0, 0, messageOf(putToken), { settled: true });
    expect((await answer(client)).applicationProperties.get('status-code')).toBe(200);
    await requestLinks(client, 'orders/$management');
    const peek = { messageId: ulong(7), properties: { operation: string('com.microsoft:peek-message') } };
    client.transfer(2, 1, messageOf(peek), { settled: true });
    const reply = await answer(client);
    expect(reply.applicationProperties.get('statusCode')).toBe(204);
    expect(reply.encodedProperty('correlationId')).toEqual(bytesOf(ulong(7)));
  });

  it('is answered in its own session when several sessions use the node', async () => {
    const client = await dial();
    await client.begin(1);
    for (const channel of [0, 1]) await requestLinks(client, '$cbs', channel);
    client.transfer(0, 0, messageOf(putToken), { settled: true });
    expect((await answer(client, 0)).applicationProperties.get('status-code')).toBe(200);
    client.transfer(0, 0, messageOf({ ...putToken, replyTo: 'of-nobody' }), { channel: 1, settled: true });
    expect((await answer(client, 1)).applicationProperties.get('status-code')).toBe(200);
  });
});

describe('the condition of a refusal', () => {
  it('is a symbol, in both spellings', async () => {
    const client = await dial();
    await requestLinks(client, '$cbs');
    client.transfer(0, 0, messageOf(putToken), { settled: true });
    await answer(client);
    await requestLinks(client, 'orders/$management');
    const cancel = {
      messageId: string('a'),
      properties: { operation: string('com.microsoft:cancel-scheduled-message') },
      value: stringMap({ 'sequence-numbers': list([int(99)]) }),
    };
    client.transfer(2, 1, messageOf(cancel), { settled: true });
    const { bare } = await answer(client);
    for (const name of ['errorCondition', 'error-condition'])
      expect(
        bare.includes(
          Buffer.concat([bytesOf(string(name)), bytesOf(symbol('com.microsoft:message-not-found'))]),
        ),
      ).toBe(true);
  });
});

describe("a client that says a key's name and the key with SASL PLAIN", () => {
  const key = { keyName: 'root', key: 'a2V5' };

  it('may do what the key allows, without any token', async () => {
    const own = await restart({ sas: [key] });
    const { client, outcome } = await BareClient.dial(own.port, { plain: ['root', 'a2V5'] });
    open.push(client);
    expect(outcome).toBe(0);
    await client.begin();
    await client.attach({ handle: 0, role: 'sender', target: 'orders' });
    client.transfer(0, 0, messageOf({ value: string('hello') }));
    expect((await client.next(DISPOSITION)).fields.described(4)?.descriptor).toBe(0x24);
  });

  it('is turned away with the wrong key, an unknown name or none', async () => {
    const own = await restart({ sas: [key] });
    for (const plain of [
      ['root', 'a2V5eA'],
      ['guest', 'a2V5'],
      ['', ''],
    ] as const)
      expect((await BareClient.dial(own.port, { plain })).outcome).toBe(1);
    expect((await BareClient.dial(own.port, { mechanism: 'PLAIN' })).outcome).toBe(1);
    expect((await BareClient.dial(own.port, { mechanism: 'GSSAPI' })).outcome).toBe(1);
  });

  it('comes in without credentials by the other mechanisms, and may do nothing yet', async () => {
    const own = await restart({ sas: [key] });
    for (const mechanism of ['ANONYMOUS', 'EXTERNAL', 'MSSBCBS']) {
      const { client } = await BareClient.dial(own.port, { mechanism });
      open.push(client);
      await client.begin();
      await client.attach({ handle: 0, role: 'sender', target: 'orders' });
      const { fields } = await client.next(DETACH);
      expect(errorOf(fields.described(2))).toMatchObject({ condition: 'amqp:unauthorized-access' });
    }
  });
});

describe('a message whose sections have symbolic descriptors', () => {
  const section = (name: string, value: Put): Buffer => bytesOf(described(symbol(name), value));
  const spelled = (body: string): Buffer =>
    Buffer.concat([
      section('amqp:header:list', list([])),
      section('amqp:message-annotations:map', map([[symbol('x-own'), string('kept')]])),
      section('amqp:properties:list', list([string('id-1')])),
      section('amqp:application-properties:map', stringMap({ a: string('b') })),
      section('amqp:data:binary', binary(Buffer.from(body))),
    ]);

  it('is taken like any other, alone and in a batch', async () => {
    const { client } = await BareClient.dial(server.port, { plain: ['any', 'any'] });
    open.push(client);
    await client.begin();
    await client.attach({ handle: 0, role: 'sender', target: 'orders' });
    client.transfer(0, 0, spelled('alone'));
    await client.next(DISPOSITION);
    const batch = section('amqp:data:binary', binary(spelled('in a batch')));
    client.transfer(0, 1, batch, { format: 0x8001_3700 });
    expect((await client.next(DISPOSITION)).fields.described(4)?.descriptor).toBe(0x24);
    await client.attach({ handle: 1, role: 'receiver', source: 'orders' });
    client.credit(1, 2);
    for (const body of ['alone', 'in a batch']) {
      const message = readMessage((await client.next(TRANSFER)).payload);
      expect(message.body).toEqual(Buffer.from(body));
      expect(message.messageId).toBe('id-1');
      expect(message.annotation('x-own')).toBe('kept');
      expect(message.applicationProperties.get('a')).toBe('b');
    }
  });
});

describe('a receiver that takes no large messages', () => {
  it.each([2, 1])(
    'is detached before one, and the message stays for others (sender settles: %i)',
    async (mode) => {
      const { client } = await BareClient.dial(server.port, { plain: ['any', 'any'] });
      open.push(client);
      await client.begin();
      await client.attach({ handle: 0, role: 'sender', target: 'orders' });
      client.transfer(0, 0, messageOf({ data: Buffer.alloc(10) }));
      client.transfer(0, 1, messageOf({ data: Buffer.alloc(5000) }));
      await client.attach({
        handle: 1,
        role: 'receiver',
        source: 'orders',
        maxMessageSize: 1000,
        senderSettles: mode,
      });
      client.credit(1, 2);
      expect(readMessage((await client.next(TRANSFER)).payload).body).toEqual(Buffer.alloc(10));
      const { fields } = await client.next(DETACH);
      expect(errorOf(fields.described(2))).toMatchObject({ condition: 'amqp:link:message-size-exceeded' });
      await client.attach({ handle: 2, role: 'receiver', source: 'orders' });
      client.credit(2, 2);
      const stayed = readMessage((await client.next(TRANSFER)).payload);
      expect([stayed.body]).toEqual([Buffer.alloc(5000)]);
    },
  );
});
