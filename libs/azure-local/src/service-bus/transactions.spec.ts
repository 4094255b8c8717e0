import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BareClient, errorOf, messageOf } from '../testing/bare-client.js';
import { Fields } from './amqp/fields.js';
import { DETACH, DISPOSITION, TRANSFER } from './amqp/performatives.js';
import { binary, bool, composite, symbols, type Put } from './amqp/put.js';
import { startServiceBus, type ServiceBusServer } from './server.js';

let server: ServiceBusServer;
let client: BareClient;
let now = 0;
let deliveries = 0;

const [COORDINATOR, SENDER, RECEIVER] = [0, 1, 2];

beforeEach(async () => {
  now = Date.now();
  deliveries = 0;
  server = await startServiceBus({
    allowAnySas: true,
    clock: () => now,
    topology: { UserConfig: { Namespaces: [{ Queues: [{ Name: 'orders' }, { Name: 'done' }] }] } },
  });
  ({ client } = await BareClient.dial(server.port, { plain: ['any', 'any'] }));
  await client.begin();
  const target = composite(0x30, [symbols(['amqp:local-transactions'])]);
  await client.attach({ handle: COORDINATOR, role: 'sender', target });
  await client.attach({ handle: SENDER, role: 'sender', target: 'done' });
});

afterEach(async () => {
  client.close();
  await server.close();
});

const stats = (name: string) => server.stats().entities[name];
const state = async () => (await client.next(DISPOSITION)).fields.described(4);

async function declare(): Promise<Buffer> {
  client.transfer(COORDINATOR, deliveries++, messageOf({ value: composite(0x31, []) }));
  const answer = await state();
  expect(answer?.descriptor).toBe(0x33);
  return Fields.from('declared', answer?.value ?? []).binary(0) ?? Buffer.alloc(0);
}

async function discharge(id: Buffer, isFailed: boolean) {
  client.transfer(
    COORDINATOR,
    deliveries++,
    messageOf({ value: composite(0x32, [binary(id), bool(isFailed)]) }),
  );
  return state();
}

const inside = (id: Buffer, outcome?: Put) => composite(0x34, [binary(id), outcome]);

/** Takes a message from `orders` and sends one to `done`, both within the transaction. */
async function move(id: Buffer): Promise<void> {
  await client.attach({ handle: 3, role: 'sender', target: 'orders' });
  client.transfer(3, deliveries++, messageOf({}));
  await state();
  await client.attach({ handle: RECEIVER, role: 'receiver', source: 'orders' });
  client.credit(RECEIVER, 1);
  const taken = (await client.next(TRANSFER)).fields.requiredUint(1);
  client.dispose(taken, inside(id, composite(0x24, [])));
  const settled = await state();
  client.transfer(SENDER, deliveries++, messageOf({}), { state: inside(id) });
  for (const answer of [settled, await state()]) {
    expect(answer?.descriptor).toBe(0x34);
    expect(Fields.from('a state', answer?.value ?? []).described(1)?.descriptor).toBe(0x24);
  }
}

describe('a transaction', () => {
  it('does nothing until it is discharged, and then all of it', async () => {
    const id = await declare();
    await move(id);
    expect([stats('orders')?.active, stats('done')?.active]).toEqual([1, 0]);
    expect((await discharge(id, false))?.descriptor).toBe(0x24);
    expect([stats('orders')?.active, stats('done')?.active]).toEqual([0, 1]);
  });

  it('does nothing when it is given up', async () => {
    const id = await declare();
    await move(id);
    expect((await discharge(id, true))?.descriptor).toBe(0x24);
    expect([stats('orders')?.active, stats('done')?.active]).toEqual([1, 0]);
  });

  it('does nothing when one of its locks was lost meanwhile', async () => {
    const id = await declare();
    await move(id);
    now += 60_001;
    server.tick();
    expect(errorOf(await discharge(id, false))).toMatchObject({ condition: 'amqp:transaction:rollback' });
    expect([stats('orders')?.active, stats('done')?.active]).toEqual([1, 0]);
  });

  it('that is over, or never was, takes nothing', async () => {
    const unknown = { condition: 'amqp:transaction:unknown-id' };
    const id = await declare();
    await discharge(id, false);
    expect(errorOf(await discharge(id, false))).toMatchObject(unknown);
    client.transfer(SENDER, deliveries++, messageOf({}), { state: inside(Buffer.from('never')) });
    expect(errorOf(await state())).toMatchObject(unknown);
    expect(stats('done')).toMatchObject({ active: 0 });
  });

  it('is forgotten with its coordinator link', async () => {
    const id = await declare();
    await move(id);
    client.detach(COORDINATOR);
    await client.next(DETACH);
    client.transfer(SENDER, deliveries++, messageOf({}), { state: inside(id) });
    expect((await state())?.descriptor).toBe(0x25);
    expect(stats('done')).toMatchObject({ active: 0 });
  });
});
