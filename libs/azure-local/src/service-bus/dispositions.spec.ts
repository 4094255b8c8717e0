import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { BareClient, errorOf, messageOf } from '../testing/bare-client.js';
import { DISPOSITION, TRANSFER } from './amqp/performatives.js';
import { composite, string } from './amqp/put.js';
import { FileJournal } from './journal/file-journal.js';
import { startServiceBus, type ServiceBusServer } from './server.js';

const ACCEPTED = composite(0x24, []);
const REJECTED = composite(0x25, []);
const RELEASED = composite(0x26, []);

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** A namespace with messages in its queues, and a client that has received `each` of every queue in turn. */
async function received(
  queues: readonly string[],
  each: number,
  dataDir?: string,
): Promise<{ server: ServiceBusServer; client: BareClient }> {
  const server = await startServiceBus({
    allowAnySas: true,
    ...(dataDir !== undefined && { dataDir }),
    topology: { UserConfig: { Namespaces: [{ Queues: queues.map((Name) => ({ Name })) }] } },
  });
  endings.push(() => server.close());
  const { client } = await BareClient.dial(server.port, { plain: ['any', 'any'] });
  endings.push(() => {
    client.close();
  });
  await client.begin();
  for (const [at, queue] of queues.entries()) {
    await client.attach({ handle: at, role: 'sender', target: queue });
    for (let n = 0; n < each; n++) {
      client.transfer(at, at * each + n, messageOf({ value: string('x') }));
      await client.next(DISPOSITION);
    }
    await client.attach({ handle: 10 + at, role: 'receiver', source: queue });
  }
  for (let n = 0; n < each; n++)
    for (const at of queues.keys()) {
      client.credit(10 + at, 1, { deliveryCount: n });
      expect((await client.next(TRANSFER)).fields.requiredUint(1)).toBe(n * queues.length + at);
    }
  return { server, client };
}

/** All answers to the settlements so far: first and last delivery, kind of outcome, condition of its error. */
async function answers(client: BareClient): Promise<unknown[]> {
  await client.echo();
  const found: unknown[] = [];
  while (client.has(DISPOSITION)) {
    const { fields } = await client.next(DISPOSITION);
    expect([fields.bool(0), fields.bool(3)]).toEqual([false, true]);
    const state = fields.described(4);
    const condition = errorOf(state)?.condition;
    found.push([fields.uint(1), fields.uint(2), state?.descriptor, ...(condition ? [condition] : [])]);
  }
  return found;
}

describe('settlements that arrive together', () => {
  it('are answered in one frame when they are a range with one outcome', async () => {
    const { server, client } = await received(['orders'], 5);
    client.dispose(0, ACCEPTED, { last: 4 });
    expect(await answers(client)).toEqual([[0, 4, 0x24]]);
    expect(server.stats().entities['orders']).toMatchObject({ active: 0 });
  });

  it('are answered in one frame when they are neighbours with one outcome in frames of their own', async () => {
    const { client } = await received(['orders'], 5);
    client.together(() => {
      for (let id = 0; id < 5; id++) client.dispose(id, ACCEPTED);
    });
    expect(await answers(client)).toEqual([[0, 4, 0x24]]);
  });

  it('are answered each with its own outcome, in the order in which they came', async () => {
    const { server, client } = await received(['orders'], 7);
    client.together(() => {
      client.dispose(5, ACCEPTED, { last: 6 });
      client.dispose(0, ACCEPTED);
      client.dispose(1, ACCEPTED);
      client.dispose(2, REJECTED);
      client.dispose(3, RELEASED);
    });
    expect(await answers(client)).toEqual([
      [5, 6, 0x24],
      [0, 1, 0x24],
      [2, 2, 0x25],
      [3, 3, 0x26],
    ]);
    expect(server.stats().entities['orders']).toMatchObject({ active: 2, dead: 1 });
  });

  it('are answered for each link, however their deliveries are interleaved', async () => {
    const { server, client } = await received(['orders', 'bills'], 3);
    client.together(() => {
      for (const id of [0, 2, 4]) client.dispose(id, ACCEPTED); // orders
      for (const id of [1, 3, 5]) client.dispose(id, RELEASED); // bills
    });
    expect(await answers(client)).toEqual([
      [0, 0, 0x24],
      [2, 2, 0x24],
      [4, 4, 0x24],
      [1, 1, 0x26],
      [3, 3, 0x26],
      [5, 5, 0x26],
    ]);
    expect(server.stats().entities).toMatchObject({ orders: { active: 0 }, bills: { active: 3 } });
  });

  it('leave out deliveries that nobody knows, and those that were settled before', async () => {
    const { client } = await received(['orders'], 3);
    client.together(() => {
      client.dispose(0, ACCEPTED);
      client.dispose(0, ACCEPTED);
      client.dispose(77, ACCEPTED);
      client.dispose(1, ACCEPTED, { last: 90 });
    });
    expect(await answers(client)).toEqual([[0, 2, 0x24]]);
  });

  it('tell of a lost lock exactly those whose lock is lost', async () => {
    const { server, client } = await received(['orders'], 3);
    server.faults.expireLocks('orders');
    client.credit(10, 1, { deliveryCount: 3 });
    await client.next(TRANSFER);
    client.together(() => {
      for (const id of [3, 2, 1, 0]) client.dispose(id, ACCEPTED);
    });
    const lost = (id: number) => [id, id, 0x25, 'com.microsoft:message-lock-lost'];
    expect(await answers(client)).toEqual([[3, 3, 0x24], lost(2), lost(1), lost(0)]);
    expect(server.stats().entities['orders']).toMatchObject({ active: 2 });
  });

  it('are answered only when the journal has stored them', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'bus-'));
    endings.push(() => {
      rmSync(dataDir, { recursive: true, force: true });
    });
    const { client } = await received(['orders'], 3, dataDir);
    const stored: (() => void)[] = [];
    const whenDurable = jest.spyOn(FileJournal.prototype, 'whenDurable').mockImplementation((then) => {
      stored.push(then);
    });
    endings.push(() => {
      whenDurable.mockRestore();
    });
    client.dispose(0, ACCEPTED, { last: 2 });
    expect(await answers(client)).toEqual([]);
    for (const then of stored) then();
    expect(await answers(client)).toEqual([[0, 2, 0x24]]);
  });
});
