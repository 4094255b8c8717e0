import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BareClient, errorOf, messageOf } from '../testing/bare-client.js';
import { DISPOSITION, TRANSFER } from './amqp/performatives.js';
import { binary, bool, composite, described, string, symbol, uint, type Put } from './amqp/put.js';
import { startServiceBus, type ServiceBusServer } from './server.js';
import { readMessage } from './state/message.js';

let server: ServiceBusServer;
let client: BareClient;
let now = 0;

beforeEach(async () => {
  now = Date.now();
  server = await startServiceBus({
    allowAnySas: true,
    clock: () => now,
    topology: { UserConfig: { Namespaces: [{ Queues: [{ Name: 'orders' }] }] } },
  });
  ({ client } = await BareClient.dial(server.port, { plain: ['any', 'any'] }));
  await client.begin();
  await client.attach({ handle: 0, role: 'sender', target: 'orders' });
});

afterEach(async () => {
  client.close();
  await server.close();
});

async function send(): Promise<void> {
  client.transfer(0, 0, messageOf({ value: string('x') }));
  await client.next(DISPOSITION);
}

/** Sends a message and receives it; the id of the delivery. */
async function delivery(o: { defaultOutcome?: Put } = {}): Promise<number> {
  await send();
  await client.attach({
    handle: 1,
    role: 'receiver',
    source: 'orders',
    ...(o.defaultOutcome && { defaultOutcome: o.defaultOutcome }),
  });
  client.credit(1, 1);
  return (await client.next(TRANSFER)).fields.requiredUint(1);
}

async function answered() {
  const { fields } = await client.next(DISPOSITION);
  expect(fields.bool(3)).toBe(true);
  return fields.described(4);
}

const orders = () => server.stats().entities['orders'];
const error = (condition: string, description: string) =>
  composite(0x1d, [symbol(condition), string(description)]);

describe('an outcome', () => {
  const undeliverable = composite(0x27, [undefined, bool(true)]);
  it.each([
    ['accepted', composite(0x24, []), 0x24],
    ['rejected', composite(0x25, [error('com.microsoft:dead-letter', 'bad')]), 0x25],
    ['released', composite(0x26, []), 0x26],
    ['modified', undeliverable, 0x27],
    [
      'accepted by its symbolic name',
      described(symbol('amqp:accepted:list'), (to) => {
        to.u8(0x45);
      }),
      0x24,
    ],
  ])('is answered with its own kind when it was carried out: %s', async (_name, state, code) => {
    client.dispose(await delivery(), state);
    const answer = await answered();
    expect(answer?.descriptor).toBe(code);
    if (code === 0x25) expect(errorOf(answer)).toBeUndefined();
  });

  it('that is no outcome yet leaves the delivery as it is', async () => {
    const id = await delivery();
    client.dispose(id, composite(0x23, [uint(0), uint(0)]));
    client.dispose(id, undefined);
    client.dispose(id, composite(0x24, []));
    expect((await answered())?.descriptor).toBe(0x24);
    expect(orders()).toMatchObject({ active: 0 });
  });

  it.each([
    ['unknown', composite(0x2f, [])],
    [
      'of a transaction that was never declared',
      composite(0x34, [binary(Buffer.from('t')), composite(0x24, [])]),
    ],
  ])('is refused and not applied when it is %s', async (_name, state) => {
    client.dispose(await delivery(), state);
    expect((await answered())?.descriptor).toBe(0x25);
    expect(orders()).toMatchObject({ active: 1 });
  });

  it('that is missing from a settlement leaves the lock until it ends', async () => {
    client.dispose(await delivery(), undefined, { settled: true });
    client.credit(1, 1, { deliveryCount: 1 });
    await send();
    expect(readMessage((await client.next(TRANSFER)).payload).header).toBeDefined();
    expect(orders()).toMatchObject({ active: 2 });
    now += 60_001;
    server.tick();
    client.credit(1, 2, { deliveryCount: 2 });
    await client.next(TRANSFER);
  });

  it('that is missing from a settlement is the one that the source has named', async () => {
    client.dispose(await delivery({ defaultOutcome: composite(0x24, []) }), undefined, { settled: true });
    await send(); // its answer comes after the settlement was read
    expect(orders()).toMatchObject({ active: 1 });
  });
});

describe('a rejection by a client that knows only AMQP', () => {
  it('tells the dead letter its condition and description as the reason', async () => {
    client.dispose(await delivery(), composite(0x25, [error('app:unreadable', 'no JSON')]));
    await answered();
    await client.attach({ handle: 2, role: 'receiver', source: 'orders/$DeadLetterQueue' });
    client.credit(2, 1);
    const letter = readMessage((await client.next(TRANSFER)).payload);
    expect(Object.fromEntries(letter.applicationProperties)).toEqual({
      DeadLetterReason: 'app:unreadable',
      DeadLetterErrorDescription: 'no JSON',
    });
  });
});
