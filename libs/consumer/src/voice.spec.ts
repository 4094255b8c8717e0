import { createPublicKey, verify } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AccountId,
  acknowledgementText,
  ConsumerName,
  generation,
  InstanceId,
  KeyAcknowledged,
  readMessage,
} from '@twinkey/contracts';
import { channelOver } from './channel.js';
import { notifierClient } from './notifier-client.js';
import { newVoice } from './voice.js';

const said: KeyAcknowledged = {
  account: AccountId.parse(
    '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a',
  ),
  consumer: ConsumerName.parse('web-shop'),
  instance: InstanceId.parse('i-0123456789abcdef'),
  boot: '5f0c2b1e-8f0e-4b6e-9a62-2f3f0f6f6a11',
  generation: generation(7),
  at: '2026-03-02T08:30:00.000Z',
  drainedAt: '2026-03-02T08:30:30.000Z',
};

async function sentBy(voice?: ReturnType<typeof newVoice>) {
  const bodies: unknown[] = [];
  const channel = channelOver(
    {
      send: (_, messages) => Promise.resolve(void bodies.push(...messages.map(({ body }) => body))),
      receive: () => Promise.reject(new Error('nobody listens here')),
      close: () => Promise.resolve(),
    },
    voice,
  );
  await channel.acknowledge(said);
  const read = readMessage(KeyAcknowledged, bodies[0]);
  if (!read.ok) throw new Error(read.problem);
  return { registered: channel.voice, acknowledgement: read.message.data };
}

function isBy(publicKey: string | undefined, { signature, ...rest }: KeyAcknowledged): boolean {
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: publicKey ?? '' } });
  return verify(null, Buffer.from(acknowledgementText(rest)), key, Buffer.from(signature ?? '', 'base64url'));
}

describe('what a process says over the bus', () => {
  it('is signed by the voice that it registers', async () => {
    const { registered, acknowledgement } = await sentBy(newVoice());
    expect(isBy(registered, acknowledgement)).toBe(true);
  });

  it('is no longer its own when anything of it is changed', async () => {
    const { registered, acknowledgement } = await sentBy(newVoice());
    const changes: Partial<KeyAcknowledged>[] = [
      { generation: generation(8) },
      { drainedAt: undefined },
      { instance: InstanceId.parse('i-fedcba9876543210') },
      { consumer: ConsumerName.parse('batch') },
    ];
    for (const change of changes) expect(isBy(registered, { ...acknowledgement, ...change })).toBe(false);
  });

  it('differs from what another process would say', async () => {
    const [one, other] = [await sentBy(newVoice()), await sentBy(newVoice())];
    expect(isBy(one.registered, other.acknowledgement)).toBe(false);
  });
});

describe('what a process says to the notifier', () => {
  let server: Server;
  let url: string;
  const authorizations: (string | undefined)[] = [];

  beforeAll(async () => {
    server = createServer((request, reply) => {
      authorizations.push(request.headers.authorization);
      reply.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('carries a token of its identity, asked for anew each time, where tokens are asked for', async () => {
    let asked = 0;
    const client = notifierClient(url, () => Promise.resolve(`token-${(asked += 1)}`));
    await client.goodbye(said.instance);
    await client.goodbye(said.instance);
    await notifierClient(url).goodbye(said.instance);
    expect(authorizations).toEqual(['Bearer token-1', 'Bearer token-2', undefined]);
  });
});
