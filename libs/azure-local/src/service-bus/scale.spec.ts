import { afterEach, describe, expect, it } from '@jest/globals';
import { BareClient, messageOf } from '../testing/bare-client.js';
import { DISPOSITION, TRANSFER } from './amqp/performatives.js';
import { composite } from './amqp/put.js';
import { startServiceBus, type ServiceBusServer } from './server.js';

let server: ServiceBusServer | undefined;
const clients: BareClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server?.close();
});

async function dial(port: number): Promise<BareClient> {
  const { client } = await BareClient.dial(port, { plain: ['any', 'any'] });
  clients.push(client);
  await client.begin();
  return client;
}

/** Of this process, which is both sides. Other than wall time it does not grow with what else the machine does. */
const processorMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Clients whose frames do not matter need no SDK, which takes some 4 ms for each link. */
describe('a namespace with 1,000 connections and a topic with 2,000 subscriptions', () => {
  it('hands every copy of a message to its subscriber within seconds of processor time', async () => {
    const names = Array.from({ length: 2000 }, (_, n) => `s${n}`);
    server = await startServiceBus({
      allowAnySas: true,
      topology: {
        UserConfig: {
          Namespaces: [{ Topics: [{ Name: 'news', Subscriptions: names.map((Name) => ({ Name })) }] }],
        },
      },
    });
    const { port } = server;
    const started = processorMs();
    const receivers: BareClient[] = [];
    for (let at = 0; at < 1000; at += 100)
      receivers.push(...(await Promise.all(Array.from({ length: 100 }, () => dial(port)))));
    await Promise.all(
      receivers.map(async (client, n) => {
        for (const half of [0, 1]) {
          await client.attach({
            handle: half,
            role: 'receiver',
            source: `news/Subscriptions/s${2 * n + half}`,
          });
          client.credit(half, 10);
        }
      }),
    );
    const attached = processorMs();
    expect(server.stats().connections).toBe(1000);
    const sender = await dial(port);
    await sender.attach({ handle: 0, role: 'sender', target: 'news' });
    sender.transfer(0, 0, messageOf({ data: Buffer.alloc(400) }));
    await sender.next(DISPOSITION);
    await Promise.all(
      receivers.map(async (client) => {
        for (let n = 0; n < 2; n++) {
          const { fields } = await client.next(TRANSFER);
          client.dispose(fields.requiredUint(1), composite(0x24, []));
          await client.next(DISPOSITION);
        }
      }),
    );
    const settled = processorMs();
    expect(Object.values(server.stats().entities).filter(({ active }) => active > 0)).toEqual([]);
    // 2.6 s and 1 s on a free machine, two and a half times that beside other work. What grows with the square of
    // connections or subscriptions takes minutes.
    expect(attached - started).toBeLessThan(20_000);
    expect(settled - attached).toBeLessThan(20_000);
  }, 60_000);
});
