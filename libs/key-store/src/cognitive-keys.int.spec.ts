import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenCredential } from '@azure/core-auth';
import { ClientSecretCredential } from '@azure/identity';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type AzureLocal, type Effect as FaultEffect, start } from '@twinkey/azure-local';
import { AccountId, TransientFault } from '@twinkey/contracts';
import { AccountKeys, type SlotKeys } from './cognitive-keys.js';
import { type LimiterClock, WriteLimiter } from './limiter.js';
import { probeKey } from './probe.js';
import { SecretText } from './secret-text.js';

// Starting and the first tokens take their time on a machine that does other work besides.
jest.setTimeout(30_000);

let azure: AzureLocal;
let speech: AccountId;
let keyless: AccountId;

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'key-store-')),
    fleet: [
      { name: 'speech-prod', kind: 'SpeechServices', location: 'westeurope', tags: { team: 'voice' } },
      { name: 'keyless', disableLocalAuth: true },
    ],
    applications: [{ name: 'nobody' }],
    limits: { arm: 'off' },
  });
  speech = idOf('speech-prod');
  keyless = idOf('keyless');
});

afterAll(() => azure.close());

beforeEach(() => {
  azure.control.faults.remove();
});

function idOf(name: string): AccountId {
  return AccountId.parse(
    `/subscriptions/${azure.subscriptionId}/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/${name}`,
  );
}

function identity(name: string, secret?: string): TokenCredential {
  const found = azure.applications.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no application ${name}`);
  return new ClientSecretCredential(found.tenantId, found.clientId, secret ?? found.clientSecret, {
    authorityHost: azure.endpoints.origin,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: azure.ca },
  });
}

const accountKeys = (
  credential = identity('default'),
  { endpoint = azure.endpoints.origin, limiter }: { endpoint?: string; limiter?: () => WriteLimiter } = {},
): AccountKeys =>
  new AccountKeys({
    credential,
    endpoint,
    clientOptions: { tlsOptions: { ca: azure.ca } },
    ...(limiter === undefined ? {} : { limiter }),
  });

const plant = (operation: string, effect: FaultEffect): void => {
  azure.control.faults.add({ service: 'arm', operation, effect });
};

const allowed = { deadlineMs: 5_000, maySend: () => true };
const texts = ({ key1, key2 }: SlotKeys) => [key1.reveal(), key2.reveal()];

describe('an account', () => {
  it('is described as Resource Manager knows it', async () => {
    expect(await accountKeys().account(speech)).toEqual({
      account: speech,
      name: 'speech-prod',
      kind: 'SpeechServices',
      location: 'westeurope',
      endpoint: `${azure.endpoints.origin}/speech-prod/`,
      disableLocalAuth: false,
      tags: { team: 'voice' },
    });
  });

  it('is found among those of its subscription', async () => {
    const found: string[] = [];
    for await (const { name } of accountKeys().accounts(azure.subscriptionId)) found.push(name);
    expect(found.sort()).toEqual(['keyless', 'speech-prod']);
  });

  it('that is not there is a permanent fault', async () => {
    await expect(accountKeys().account(idOf('gone'))).rejects.toMatchObject({
      name: 'PermanentFault',
      code: 'account-not-found',
    });
  });
});

describe('a regeneration that is answered', () => {
  it('replaces the key of its slot and answers with both', async () => {
    const keys = accountKeys();
    const before = await keys.listKeys(speech, allowed);
    const effect = await keys.regenerateKey(speech, 'key2', allowed);
    if (effect.outcome !== 'done') throw new Error(effect.outcome);
    expect(effect.value.key1.reveal()).toBe(before.key1.reveal());
    expect(effect.value.key2.reveal()).not.toBe(before.key2.reveal());
    expect(texts(await keys.listKeys(speech, allowed))).toEqual(texts(effect.value));
  });
});

describe('a regeneration whose answer is lost', () => {
  it.each<[string, FaultEffect, number]>([
    ['because the connection is cut after the effect', { kind: 'drop-after-effect' }, 5_000],
    ['because it comes after the deadline', { kind: 'delay', ms: 400, when: 'after' }, 200],
  ])('is in doubt %s, and happened once', async (_, effect, deadlineMs) => {
    const keys = accountKeys();
    const before = await keys.listKeys(speech, allowed);
    plant('regenerateKey', effect);
    azure.control.faults.add({
      service: 'arm',
      operation: 'regenerateKey',
      count: 'unlimited',
      effect: { kind: 'delay', ms: 0 }, // counts whatever would be sent after it
    });
    expect(await keys.regenerateKey(speech, 'key1', { ...allowed, deadlineMs })).toMatchObject({
      outcome: 'in-doubt',
    });
    const after = await keys.listKeys(speech, allowed);
    expect(after.key1.reveal()).not.toBe(before.key1.reveal());
    expect(azure.control.faults.list()).toMatchObject([{ struck: 1 }, { struck: 0 }]);
    expect(azure.control.accounts.judge('speech-prod', before.key1.reveal())).not.toMatchObject({
      accepted: true,
    });
  });

  it('is in doubt when a gateway answers in place of the service', async () => {
    plant('regenerateKey', { kind: 'status', status: 503 });
    expect(await accountKeys().regenerateKey(speech, 'key1', allowed)).toMatchObject({ outcome: 'in-doubt' });
  });
});

describe('a regeneration that is refused', () => {
  const unchanged = async (act: () => Promise<unknown>): Promise<unknown> => {
    const keys = accountKeys();
    const before = texts(await keys.listKeys(speech, allowed));
    const effect = await act();
    expect(texts(await keys.listKeys(speech, allowed))).toEqual(before);
    return effect;
  };

  it('for want of a role says which actions are needed', async () => {
    const effect = await unchanged(() =>
      accountKeys(identity('nobody')).regenerateKey(speech, 'key1', allowed),
    );
    expect(effect).toMatchObject({
      outcome: 'refused',
      fault: {
        name: 'PermanentFault',
        code: 'access-refused',
        remedy: expect.stringContaining('regenerateKey'),
      },
    });
  });

  it('by throttling says when to come again, and keeps the next call from going earlier', async () => {
    const keys = accountKeys();
    plant('regenerateKey', { kind: 'throttle', retryAfterSeconds: 17 });
    expect(await keys.regenerateKey(speech, 'key1', allowed)).toMatchObject({
      outcome: 'refused',
      fault: { name: 'TransientFault', code: 'throttled', retryAfterMs: 17_000 },
    });
    expect(keys.writeDelayMs(speech)).toBeGreaterThan(16_000);
    const next = await keys.regenerateKey(speech, 'key1', allowed);
    expect(next).toMatchObject({ outcome: 'refused', fault: { code: 'throttled' } });
    expect(azure.control.faults.list()).toMatchObject([{ struck: 1 }]);
  });

  it('by an account without keys, and by one that is not there', async () => {
    const keys = accountKeys();
    expect(await keys.regenerateKey(keyless, 'key1', allowed)).toMatchObject({
      outcome: 'refused',
      fault: { code: 'local-auth-disabled' },
    });
    expect(await keys.regenerateKey(idOf('gone'), 'key1', allowed)).toMatchObject({
      outcome: 'refused',
      fault: { code: 'account-not-found' },
    });
  });

  it('because nobody listens', async () => {
    const effect = await accountKeys(identity('default'), { endpoint: 'https://localhost:1' }).regenerateKey(
      speech,
      'key1',
      allowed,
    );
    expect(effect).toMatchObject({
      outcome: 'refused',
      fault: { name: 'TransientFault', code: 'unreachable' },
    });
  });
});

describe('a regeneration that may not be sent', () => {
  it('reaches nobody, asked after the token is there and everything else is done', async () => {
    const keys = accountKeys();
    const before = texts(await keys.listKeys(speech, allowed));
    plant('regenerateKey', { kind: 'outage' });
    let asked = 0;
    const effect = await keys.regenerateKey(speech, 'key1', {
      deadlineMs: 5_000,
      maySend: () => {
        asked += 1;
        return false;
      },
    });
    expect(effect).toMatchObject({ outcome: 'not-sent', code: 'may-not-send' });
    expect(asked).toBe(1);
    expect(azure.control.faults.list()).toMatchObject([{ struck: 0 }]);
    expect(texts(await keys.listKeys(speech, allowed))).toEqual(before);
  });

  it('because there is no token for it', async () => {
    const keys = accountKeys(identity('default', 'a wrong secret'));
    expect(await keys.regenerateKey(speech, 'key1', allowed)).toMatchObject({
      outcome: 'not-sent',
      code: 'token-unavailable',
    });
  });
});

describe('calls that count as writes', () => {
  it('wait for their tokens, and what was not sent costs none', async () => {
    const waits: number[] = [];
    let now = 0;
    const clock: LimiterClock = {
      now: () => now,
      wait: (ms) => {
        waits.push(ms);
        now += ms;
        return Promise.resolve();
      },
    };
    const keys = accountKeys(identity('default'), {
      limiter: () => new WriteLimiter({ clock, burst: 1, perSecond: 1 }),
    });
    await keys.regenerateKey(speech, 'key1', { deadlineMs: 5_000, maySend: () => false });
    await keys.listKeys(speech, allowed);
    expect(waits).toEqual([]);
    await keys.listKeys(speech, allowed);
    expect(waits).toEqual([1000]);
  });

  it('stop before the real bucket is empty when others have drawn from it', async () => {
    const arm = { burst: 3, perSecond: 0.001 };
    const tight = await start({
      dataDir: mkdtempSync(join(tmpdir(), 'key-store-')),
      fleet: [{ name: 'speech-prod' }],
      limits: { arm: { reads: arm, writes: arm, deletes: arm } },
    });
    const [found] = tight.applications;
    if (found === undefined) throw new Error('no application');
    const keys = new AccountKeys({
      credential: new ClientSecretCredential(found.tenantId, found.clientId, found.clientSecret, {
        authorityHost: tight.endpoints.origin,
        disableInstanceDiscovery: true,
        tlsOptions: { ca: tight.ca },
      }),
      endpoint: tight.endpoints.origin,
      clientOptions: { tlsOptions: { ca: tight.ca } },
    });
    const account = AccountId.parse(speech.replace(azure.subscriptionId, tight.subscriptionId));
    for (let call = 0; call < 3; call += 1) await keys.listKeys(account, allowed);
    expect(keys.writeDelayMs(account)).toBeGreaterThan(0);
    await tight.close();
  });
});

describe('a list of keys', () => {
  it.each<[string, FaultEffect, string]>([
    ['that a gateway answers', { kind: 'status', status: 502 }, 'service-unavailable'],
    ['that is cut off', { kind: 'outage' }, 'unreachable'],
    ['that is throttled', { kind: 'throttle', retryAfterSeconds: 3 }, 'throttled'],
    ['that comes too late', { kind: 'delay', ms: 500 }, 'deadline-passed'],
  ])('%s is a transient fault: nothing is in doubt', async (_, effect, code) => {
    plant('listKeys', effect);
    await expect(accountKeys().listKeys(speech, { deadlineMs: 250 })).rejects.toMatchObject({
      name: 'TransientFault',
      code,
    });
  });

  it('of an account without keys is a permanent fault', async () => {
    await expect(accountKeys().listKeys(keyless, allowed)).rejects.toMatchObject({
      code: 'local-auth-disabled',
    });
  });
});

describe('a probe of the data plane', () => {
  let endpoint: string;
  beforeAll(async () => {
    ({ endpoint } = await accountKeys().account(speech));
    // The process's own fetch learned its authorities when it started; this one trusts the emulator's.
    jest.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const url = input instanceof Request ? input.url : input.toString();
      const headers = Object.fromEntries(new Headers(init?.headers));
      const sent = azure.call(url, {
        method: init?.method ?? 'GET',
        headers,
        body: init?.body ?? undefined,
      });
      const { signal } = init ?? {};
      const aborted = new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => {
          reject(new TypeError('fetch failed', { cause: signal.reason }));
        });
      });
      const answer = await Promise.race([sent, aborted]);
      return new Response(answer.text, { status: answer.status });
    });
  });
  afterAll(() => {
    jest.restoreAllMocks();
  });

  it('accepts both current keys and refuses any other', async () => {
    const { key1, key2 } = await accountKeys().listKeys(speech, allowed);
    expect(await probeKey(endpoint, key1, { deadlineMs: 2_000 })).toBe('accepted');
    expect(await probeKey(endpoint, key2, { deadlineMs: 2_000, kind: 'SpeechServices' })).toBe('accepted');
    expect(await probeKey(endpoint, new SecretText('f'.repeat(32)), { deadlineMs: 2_000 })).toBe('refused');
  });

  it('refuses a key that was regenerated', async () => {
    const keys = accountKeys();
    const { key2 } = await keys.listKeys(speech, allowed);
    await keys.regenerateKey(speech, 'key2', allowed);
    expect(await probeKey(endpoint, key2, { deadlineMs: 2_000 })).toBe('refused');
  });

  it('tells that keys are disabled', async () => {
    const at = `${azure.endpoints.origin}/keyless/`;
    expect(await probeKey(at, new SecretText('f'.repeat(32)), { deadlineMs: 2_000 })).toBe('keys-disabled');
  });

  it('is told apart from consumers', async () => {
    azure.control.ledger.reset();
    const { key1 } = await accountKeys().listKeys(speech, allowed);
    await probeKey(endpoint, key1, { deadlineMs: 2_000 });
    expect(JSON.stringify(azure.control.ledger.entries())).toContain('twinkey-probe');
  });

  it.each<[string, FaultEffect]>([
    ['does not answer', { kind: 'outage' }],
    ['answers too late', { kind: 'delay', ms: 400 }],
    ['is broken', { kind: 'status', status: 500 }],
  ])('is a transient fault when the data plane %s', async (_, effect) => {
    azure.control.faults.add({ service: 'ai', effect });
    const asked = probeKey(endpoint, new SecretText('f'.repeat(32)), { deadlineMs: 200 });
    await expect(asked).rejects.toBeInstanceOf(TransientFault);
    await expect(asked).rejects.toMatchObject({ code: 'data-plane-unreachable' });
  });

  it('sends no key over plain http', async () => {
    await expect(
      probeKey('http://localhost:1/', new SecretText('f'.repeat(32)), { deadlineMs: 200 }),
    ).rejects.toMatchObject({ name: 'PermanentFault', message: expect.stringContaining('must be https') });
  });
});
