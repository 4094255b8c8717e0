import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startServiceBus, type ServiceBusServer } from '../service-bus/server.js';
import { Misbehaviour, seed, tryAll } from './attempts.js';
import type { Chance } from './chance.js';
import { overhear, reframed } from './conversation.js';
import { mutate } from './mutate.js';
import { busTopology, converse, serves } from './talk.js';
import { say } from './wire.js';

jest.setTimeout(1_800_000); // the long form

let server: ServiceBusServer;
let conversations: readonly (readonly Buffer[])[] = [];
const complaints: string[] = [];

beforeAll(async () => {
  const [first] = busTopology.UserConfig.Namespaces;
  server = await startServiceBus({
    allowAnySas: true,
    topology: {
      UserConfig: {
        Namespaces: [{ ...first, Queues: [...(first?.Queues ?? []), { Name: 'good' }] }],
      },
    },
    log: ({ level, message, ...more }) => {
      if (level === 'error') complaints.push(`${message} ${JSON.stringify(more)}`);
    },
  });
  conversations = await overhear(server.port, converse);
});
afterAll(() => server.close());

/** A good conversation with some of its frames changed, left out, doubled, or in another order. */
function spoilt(good: readonly Buffer[], donors: readonly Buffer[], chance: Chance): Buffer[] {
  const units = [...good];
  const changes = 1 + chance.whole(3);
  for (let n = 0; n < changes; n += 1) {
    const at = chance.whole(units.length);
    const unit = units[at] ?? Buffer.alloc(0);
    const kind = chance.whole(10);
    if (kind < 5) units[at] = reframed(unit, mutate(unit.subarray(8), donors, chance));
    else if (kind < 6) units[at] = mutate(unit, donors, chance);
    else if (kind < 7) units.splice(at, 1);
    else if (kind < 8) units.splice(at, 0, unit);
    else if (kind < 9) units.splice(at, 0, chance.pick(donors));
    else units.splice(at + 1);
  }
  return units;
}

function refuseDefects(heard: Buffer): void {
  if (heard.includes('amqp:internal-error')) throw new Misbehaviour('it was answered with an internal error');
}

describe(`a malformed AMQP conversation, seed ${seed}`, () => {
  it('as it was, goes through to its end', async () => {
    const before = server.stats().entities['plain']?.active ?? 0;
    for (const conversation of conversations) refuseDefects(await say(server, conversation));
    expect(server.stats().entities['plain']?.active).toBeGreaterThan(before);
    await serves(server.port);
    expect(conversations.flat().length).toBeGreaterThan(40);
  });

  it('ends its own connection and nothing else', async () => {
    const donors = conversations.flat();
    await tryAll({
      what: 'ends its own connection',
      share: 0.05,
      atOnce: 8,
      attempt: async (chance) => {
        refuseDefects(await say(server, spoilt(chance.pick(conversations), donors, chance)));
      },
    });
    expect(complaints).toEqual([]);
    await serves(server.port);
    // A connection that has ended is forgotten.
    const deadline = performance.now() + 10_000;
    while (server.stats().connections > 0 && performance.now() < deadline)
      await new Promise((resolve) => setImmediate(resolve));
    expect(server.stats().connections).toBe(0);
  });
});

describe('a server that answers malformed input wrongly', () => {
  const open: Server[] = [];
  afterEach(() => {
    for (const wrong of open.splice(0)) wrong.close();
  });
  const listening = async (answer: Parameters<typeof createServer>[1]): Promise<number> => {
    const wrong = createServer({ allowHalfOpen: true }, answer);
    open.push(wrong);
    wrong.listen(0, '127.0.0.1');
    await once(wrong, 'listening');
    return (wrong.address() as AddressInfo).port;
  };

  it('is found out', async () => {
    const port = await listening((socket) => {
      socket.end('amqp:internal-error');
    });
    const heard = await say({ port }, [Buffer.from('x')]);
    expect(() => {
      refuseDefects(heard);
    }).toThrow(Misbehaviour);
  });

  it('is found out when it never hangs up', async () => {
    const port = await listening((socket) => {
      socket.resume();
      socket.on('error', () => undefined);
    });
    await expect(say({ port }, [Buffer.from('x')], { patience: 200 })).rejects.toThrow(
      'was not closed within',
    );
  });
});
