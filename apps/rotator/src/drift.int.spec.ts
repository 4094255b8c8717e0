// Changes by hand at an account that is at rest, through the real SDKs, against an emulated Azure and a real database.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SecretClient } from '@azure/keyvault-secrets';
import type { KeySlot } from '@twinkey/contracts';
import { AccountKeys } from '@twinkey/key-store';
import { until, type TestAzure } from '@twinkey/testing';
import { careOverAzure, type CareOverAzure } from './testing/care-over-azure.js';
import type { Care } from './testing/care.js';

jest.setTimeout(30_000);
const WITHIN = { withinMs: 60_000, every: 20 };
const NAMES = ['written', 'regenerated', 'spare', 'ours', 'quiet', 'halted', 'ahead', 'restored'];

let azure: TestAzure;
let over: CareOverAzure;
let care: Care;
/** Somebody with the rights to do everything by hand. */
let stranger: { readonly keys: AccountKeys; readonly vault: SecretClient };

beforeAll(async () => {
  over = await careOverAzure(NAMES);
  ({ azure, care } = over);
  const { credential } = over;
  const clientOptions = { tlsOptions: { ca: azure.ca } };
  stranger = {
    keys: new AccountKeys({ credential, endpoint: azure.endpoints.origin, clientOptions }),
    vault: new SecretClient(azure.endpoints.vaults['local'] ?? '', credential, {
      disableChallengeResourceVerification: true,
      ...clientOptions,
    }),
  };
});
afterAll(() => over.stop());

/** Under care and published, and looked at every 200 ms unless told otherwise. */
async function cared(name: string, lookEverySeconds = 0.2): Promise<void> {
  await care.declare(name, { lookEverySeconds });
  await until(async () => (await care.ring(name)).evidence !== null, WITHIN);
  await until(async () => Object.values((await care.ring(name)).known).every((key) => key !== null), WITHIN);
}

function calls(target: string, operation: string): () => number {
  azure.control.faults.add({
    service: operation === 'getSecret' || operation === 'setSecret' ? 'key-vault' : 'arm',
    operation,
    target,
    count: 'unlimited',
    effect: { kind: 'delay', ms: 0 },
  });
  return () =>
    azure.control.faults
      .list()
      .filter((fault) => fault.target === target && fault.operation === operation)
      .reduce((sum, { struck }) => sum + struck, 0);
}

const drifts = async (name: string) =>
  (await care.told(name)).flatMap(({ what }) =>
    what.event === 'drift' ? [what.kind] : what.event === 'drift-over' ? [what.how] : [],
  );

const regenerated = (name: string, at = new Date()) => ({
  specversion: '1.0',
  id: `event-${name}-${at.getTime()}`,
  source: '/subscriptions/x',
  type: 'Microsoft.Resources.ResourceActionSuccess',
  time: at.toISOString(),
  data: {
    resourceUri: care.idOf(name),
    operationName: 'Microsoft.CognitiveServices/accounts/regenerateKey/action',
  },
});

async function regenerate(name: string, slot: KeySlot): Promise<void> {
  const effect = await stranger.keys.regenerateKey(care.idOf(name), slot, {
    deadlineMs: 5_000,
    maySend: () => true,
  });
  if (effect.outcome !== 'done') throw new Error(`the stranger failed: ${effect.outcome}`);
}

describe('an account at rest', () => {
  it('is looked at again and again without a write of Resource Manager, and nothing is told or done', async () => {
    await cared('quiet');
    const [lists, reads, writes] = [
      calls('quiet', 'listKeys'),
      calls('quiet', 'getSecret'),
      calls('quiet', 'setSecret'),
    ];
    const before = (await care.journal('quiet')).length;
    await until(() => reads() >= 4, WITHIN);
    expect({ lists: lists(), writes: writes() }).toEqual({ lists: 0, writes: 0 });
    expect(await care.journal('quiet')).toHaveLength(before);
  });

  it('whose secret somebody wrote has its publication back', async () => {
    await cared('written');
    await stranger.vault.setSecret('written', 'a key from somewhere');
    await until(async () => (await care.ring('written')).published?.generation === 2, WITHIN);
    await until(async () => (await care.ring('written')).lookWanted === null, WITHIN);
    expect(await drifts('written')).toEqual(['vault-changed', 'healed']);
    expect((await care.ring('written')).published?.slot).toBe('key2');
  });

  it('whose key in use somebody regenerated has the new one published and told', async () => {
    await cared('regenerated');
    await regenerate('regenerated', 'key2');
    await until(async () => (await care.ring('regenerated')).published?.generation === 2, WITHIN);
    expect(await drifts('regenerated')).toEqual(['key-regenerated', 'healed']);
    await until(async () => (await care.ring('regenerated')).evidence?.generation === 2, WITHIN);
  });
});

describe('an event of Azure', () => {
  it('that a key was regenerated has the keys listed, and a key that nobody is on is taken over', async () => {
    await cared('spare', 600);
    await regenerate('spare', 'key1');
    await care.azureSays(regenerated('spare'));
    await until(async () => (await drifts('spare')).length === 2, WITHIN);
    expect(await drifts('spare')).toEqual(['spare-regenerated', 'adopted']);
    expect((await care.ring('spare')).published?.generation).toBe(1);
  });

  it('that we caused ourselves costs no list of keys', async () => {
    await cared('ours', 600);
    const rotationId = await care.rotate('ours');
    await until(async () => (await care.ring('ours')).finished.includes(rotationId), WITHIN);
    const lists = calls('ours', 'listKeys');
    const before = (await care.journal('ours')).length;
    await care.azureSays(regenerated('ours'));
    await care.azureSays(regenerated('elsewhere'));
    expect(await care.journal('ours')).toHaveLength(before);
    await care.azureSays(regenerated('ours', new Date(Date.now() + 600_000)));
    await until(async () => (await care.journalled('ours', 'LookDone')).length === 1, WITHIN);
    expect(lists()).toBe(1);
    expect(await drifts('ours')).toEqual([]);
  });
});

describe('an account whose rotation is halted', () => {
  it('is healed as soon as a secret is said to be written, and its rotation stays halted', async () => {
    await cared('halted', 600);
    care.silent.add('halted');
    const rotationId = await care.rotate('halted');
    await until(async () => (await care.ring('halted')).waiting !== null, WITHIN);
    await care.halt('halted', rotationId);
    await until(async () => (await care.ring('halted')).rotation?.halted != null, WITHIN);
    const { properties } = await stranger.vault.setSecret('halted', 'a key from somewhere');
    await care.azureSays({
      id: 'written-by-hand',
      eventType: 'Microsoft.KeyVault.SecretNewVersionCreated',
      eventTime: new Date().toISOString(),
      data: { Id: properties.id },
    });
    await until(async () => (await care.ring('halted')).published?.generation === 2, WITHIN);
    expect((await care.ring('halted')).rotation?.halted?.reason).toBe('operator');
    expect(await care.journalled('halted', 'RegenerationIntended')).toEqual([]);
  });
});

describe('an instance that uses a generation nobody published', () => {
  it('is brought back by one above it', async () => {
    await cared('ahead', 600);
    await care.ahead('ahead', 7);
    await until(async () => (await care.ring('ahead')).published?.generation === 8, WITHIN);
    expect(await drifts('ahead')).toEqual(['acknowledgement-ahead', 'healed']);
  });
});

describe('a database that was restored from before a rotation', () => {
  it('believes what consumers read, waits out what may have been called, and rotates on', async () => {
    await cared('restored', 600);
    const backup = await care.ring('restored');
    const forgotten = await care.rotate('restored');
    await until(async () => (await care.ring('restored')).finished.includes(forgotten), WITHIN);
    await until(() => care.isIdle('restored'), WITHIN);
    await care.restore('restored', backup);
    await until(async () => (await care.ring('restored')).published?.generation === 2, WITHIN);
    expect(await care.ring('restored')).toMatchObject({ incarnation: 1, published: { slot: 'key1' } });
    expect(await care.journalled('restored', 'KeyAdopted')).toEqual([]);
    const began = Date.now();
    const next = await care.rotate('restored');
    await until(async () => (await care.ring('restored')).finished.includes(next), WITHIN);
    const intended = (await care.journalled('restored', 'RegenerationIntended')).slice(2);
    expect(intended.map(({ slot }) => slot)).toEqual(['key2', 'key1']);
    expect(began).toBeLessThan(intended[0]?.at ?? 0);
    expect((await care.ring('restored')).published).toMatchObject({ slot: 'key2', generation: 3 });
    expect((await care.told('restored')).map(({ what }) => what.event)).toContain('restored');
  });
});
