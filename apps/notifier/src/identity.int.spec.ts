import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  acknowledgementText,
  ConsumerName,
  generation,
  KeyAcknowledged,
  writeMessage,
  type InstanceId,
  type Message,
} from '@twinkey/contracts';
import { ANYONE, type Caller } from '@twinkey/service';
import { testDatabase, type TestDatabase } from '@twinkey/testing';
import { acknowledge } from './acknowledge.js';
import { declare } from './declare.js';
import { assertMayBe, assertOwn } from './identity.js';
import { register } from './register.js';
import { requestSwitch } from './request-switch.js';
import { showSwitch } from './show.js';
import {
  accountCalled,
  createSchema,
  declared,
  forgetEverything,
  openReplica,
  requested,
  type Replica,
} from './trial/replica.js';

const account = accountCalled('speech-weu');
const consumer = ConsumerName.parse('web-shop');
const caller = (id: string, ...consumers: string[]): Caller => ({
  id,
  name: id,
  roles: new Set(['consumer']),
  consumers: new Set(consumers),
});
const shop = caller('shop', 'web-shop');
const other = caller('other', 'web-shop');

let database: TestDatabase;
let strict: Replica;
let trusting: Replica;

beforeAll(async () => {
  database = await testDatabase({ prepare: createSchema });
  strict = await openReplica(database.url, { asksForTokens: true });
  trusting = await openReplica(database.url);
});

beforeEach(async () => {
  await forgetEverything(strict.db);
  await declare(strict.shell, declared('speech-weu'));
  await requestSwitch(strict.shell, requested('speech-weu'));
});

afterAll(async () => {
  await strict.close();
  await trusting.close();
  await database.drop();
});

interface Process {
  readonly instance: InstanceId;
  readonly boot: string;
  readonly privateKey: KeyObject;
}

async function join(
  who: Caller,
  { at = strict, voiced = true, boot = randomUUID() }: { at?: Replica; voiced?: boolean; boot?: string } = {},
): Promise<Process> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x } = publicKey.export({ format: 'jwk' });
  const { instance } = await register(
    at.shell,
    {
      consumer,
      name: 'pod-1',
      boot,
      accounts: ['speech-weu'],
      channel: 'service-bus',
      ...(voiced ? { voice: x } : {}),
    },
    who,
  );
  return { instance, boot, privateKey };
}

function said(
  { instance, boot }: Process,
  by: KeyObject | undefined,
  { id = randomUUID(), claimed = 1, signed = 1 }: { id?: string; claimed?: number; signed?: number } = {},
): Message<KeyAcknowledged> {
  const what = { account, consumer, instance, boot };
  const text = acknowledgementText({ ...what, generation: generation(signed) });
  const signature = by && { signature: sign(null, Buffer.from(text), by).toString('base64url') };
  const time = new Date();
  const data = { ...what, generation: generation(claimed), at: time.toISOString(), ...signature };
  return writeMessage(KeyAcknowledged, { id, source: 'twinkey/consumer', time, data });
}

async function acknowledged(): Promise<number | undefined> {
  const [instance] = (await showSwitch(strict.shell, 'speech-weu')).instances;
  return instance?.acknowledged;
}

describe('an acknowledgement over the bus', () => {
  it('counts when the process signed it that registered', async () => {
    const one = await join(shop);
    await acknowledge(strict.shell, said(one, one.privateKey));
    expect(await acknowledged()).toBe(1);
  });

  it('counts for nothing when nobody signed it, another process did, or something else was signed', async () => {
    const [one, another] = [await join(shop), await join(shop)];
    await acknowledge(strict.shell, said(one, undefined));
    await acknowledge(strict.shell, said(one, another.privateKey));
    await acknowledge(strict.shell, said(one, one.privateKey, { claimed: 1, signed: 2 }));
    const { instances } = await showSwitch(strict.shell, 'speech-weu');
    expect(instances.map((each) => each.acknowledged)).toEqual([0, 0]);
  });

  it('is not kept out by a forged one that came first under the same message id', async () => {
    const one = await join(shop);
    await acknowledge(strict.shell, said(one, undefined, { id: 'same' }));
    await acknowledge(strict.shell, said(one, one.privateKey, { id: 'same' }));
    expect(await acknowledged()).toBe(1);
  });

  it('of a process that has no voice counts only where nobody is asked for tokens', async () => {
    const one = await join(ANYONE, { at: trusting, voiced: false });
    await acknowledge(strict.shell, said(one, undefined));
    expect(await acknowledged()).toBe(0);
    await acknowledge(trusting.shell, said(one, undefined));
    expect(await acknowledged()).toBe(1);
  });
});

describe('an identity', () => {
  it('may be the consumers of its roles only', () => {
    expect(() => {
      assertMayBe(shop, consumer);
    }).not.toThrow();
    expect(() => {
      assertMayBe(shop, ConsumerName.parse('batch'));
    }).toThrow(/assign twinkey\.consumer\.batch/);
  });

  it('speaks for the instances that it registered, and for no other', async () => {
    const { instance } = await join(shop);
    await expect(assertOwn(strict.shell, instance, shop)).resolves.toBeUndefined();
    await expect(assertOwn(strict.shell, instance, other)).rejects.toMatchObject({
      status: 403,
      code: 'another-identity',
    });
  });

  it('cannot take over a registration by its boot id', async () => {
    const { boot } = await join(shop);
    await expect(join(other, { boot })).rejects.toMatchObject({ status: 403, code: 'another-identity' });
    await expect(join(shop, { boot })).resolves.toMatchObject({ boot });
  });

  it('registers anew when it did so before tokens were asked for', async () => {
    const { instance, boot } = await join(ANYONE, { at: trusting });
    await expect(assertOwn(strict.shell, instance, shop)).rejects.toMatchObject({
      status: 410,
      code: 'unknown-instance',
    });
    await join(shop, { boot });
    await expect(assertOwn(strict.shell, instance, shop)).resolves.toBeUndefined();
  });
});
