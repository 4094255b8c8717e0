import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startServiceBus, type ServiceBusServer } from './server.js';
import type { Topology } from './state/topology.js';

const open: { close(): Promise<void> }[] = [];
let folder = '';
let now = 0;

beforeEach(() => {
  now = Date.now();
  folder = mkdtempSync(join(tmpdir(), 'bus-'));
});

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
  rmSync(folder, { recursive: true, force: true });
});

const topology: Topology = {
  UserConfig: {
    Namespaces: [
      {
        Queues: [
          { Name: 'orders' },
          { Name: 'once', Properties: { RequiresDuplicateDetection: true } },
          { Name: 'calls', Properties: { RequiresSession: true } },
        ],
        Topics: [{ Name: 'news', Subscriptions: [{ Name: 'a' }, { Name: 'b' }] }],
      },
    ],
  },
};

async function start(dataDir: string): Promise<{ server: ServiceBusServer; client: ServiceBusClient }> {
  const server = await startServiceBus({ allowAnySas: true, topology, dataDir, clock: () => now });
  open.push(server);
  const client = new ServiceBusClient(
    `Endpoint=sb://127.0.0.1:${server.port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`,
    { retryOptions: { maxRetries: 0, timeoutInMs: 3000 } },
  );
  open.push(client);
  return { server, client };
}

/** What a process that dies now leaves behind: whatever it had handed to the operating system. */
function killed(): string {
  const copy = join(folder, 'copy');
  cpSync(join(folder, 'data'), copy, { recursive: true, filter: (path) => !path.endsWith('.lock') });
  return copy;
}

const unrenewed = { maxAutoLockRenewalDurationInMs: 0 };
const soon = { maxWaitTimeInMs: 2000 };

describe('a broker that was killed', () => {
  it('has all that it accepted, nothing that was settled, and keeps live locks', async () => {
    const first = await start(join(folder, 'data'));
    const sender = first.client.createSender('orders');
    await sender.sendMessages([0, 1, 2, 3, 4, 5].map((body) => ({ body, applicationProperties: { body } })));
    const receiver = first.client.createReceiver('orders', unrenewed);
    const [done, deferred, dead, failed, locked] = await receiver.receiveMessages(5, soon);
    if (!done || !deferred || !dead || !failed || !locked) throw new Error('five messages were sent');
    await receiver.completeMessage(done);
    await receiver.deferMessage(deferred, { why: 'later' });
    await receiver.deadLetterMessage(dead, { deadLetterReason: 'bad', deadLetterErrorDescription: 'very' });
    await receiver.abandonMessage(failed, { attempt: 1 });

    const second = await start(killed());
    expect(second.server.stats().entities['orders']).toEqual({
      active: 3,
      dead: 1,
      scheduled: 0,
      deferred: 1,
    });
    const again = second.client.createReceiver('orders', unrenewed);
    const left = await again.receiveMessages(5, { maxWaitTimeInMs: 500 });
    expect(left).toMatchObject([
      { body: 3, deliveryCount: 1, applicationProperties: { body: 3, attempt: 1 } },
      { body: 5, deliveryCount: 0, sequenceNumber: expect.anything() },
    ]);
    if (deferred.sequenceNumber === undefined) throw new Error('no sequence number');
    const [late] = await again.receiveDeferredMessages(deferred.sequenceNumber);
    expect(late).toMatchObject({ body: 1, applicationProperties: { why: 'later' } });
    now += 60_001;
    expect(await again.receiveMessages(1, soon)).toMatchObject([{ body: 3 }]);
    expect(await again.receiveMessages(1, soon)).toMatchObject([{ body: 4, deliveryCount: 1 }]);
  });

  it('still knows message ids, schedules, session states, rules and entities', async () => {
    const first = await start(join(folder, 'data'));
    await first.client.createSender('once').sendMessages({ body: 1, messageId: 'same' });
    await first.client
      .createSender('news')
      .scheduleMessages([{ body: 'tomorrow' }], new Date(now + 86_400_000));
    const rules = first.client.createRuleManager('news', 'b');
    await rules.deleteRule('$Default');
    await rules.createRule('when', { subject: 'x', applicationProperties: { since: new Date(3) } });
    await first.client.createSender('calls').sendMessages({ body: 'call', sessionId: 's' });
    const session = await first.client.acceptSession('calls', 's', unrenewed);
    await session.setSessionState({ step: 2 });

    const { server, client } = await start(killed());
    await client.createSender('once').sendMessages({ body: 2, messageId: 'same' });
    expect(server.stats().entities['once']).toMatchObject({ active: 1 });
    const again = await client.acceptSession('calls', 's', unrenewed);
    expect(await again.getSessionState()).toEqual({ step: 2 });
    expect(await again.receiveMessages(1, soon)).toMatchObject([{ body: 'call', deliveryCount: 0 }]);
    now += 86_400_001;
    server.tick();
    expect(server.stats().entities['news/Subscriptions/a']).toMatchObject({ active: 1 });
    expect(server.stats().entities['news/Subscriptions/b']).toMatchObject({ active: 0 });
    const found = [];
    for await (const rule of client.createRuleManager('news', 'b').listRules()) found.push(rule);
    expect(found).toMatchObject([{ name: 'when', filter: { subject: 'x' } }]);
  });

  it('leaves out a frame that was torn, and only that', async () => {
    const first = await start(join(folder, 'data'));
    const sender = first.client.createSender('orders');
    await sender.sendMessages({ body: 'whole' });
    await sender.sendMessages({ body: 'torn' });
    const copy = killed();
    const file = join(copy, 'journal.log');
    truncateSync(file, readFileSync(file).length - 3);
    const { server } = await start(copy);
    expect(server.stats().entities['orders']).toMatchObject({ active: 1 });
  });
});

describe('a data folder', () => {
  it('belongs to one broker at a time', async () => {
    await start(join(folder, 'data'));
    await expect(startServiceBus({ dataDir: join(folder, 'data') })).rejects.toThrow('in use by process');
  });
});
