// Whole rotations through the real SDKs, against an emulated Azure and a real database.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until, type TestAzure } from '@twinkey/testing';
import { careOverAzure, WITHIN, type CareOverAzure } from './testing/care-over-azure.js';
import { TERMS, type Care } from './testing/care.js';

// The machine may do other work besides; alone, the longest of these takes four seconds.
jest.setTimeout(30_000);

const NAMES = [
  'lost',
  'late',
  'adopted',
  'refused',
  'storm',
  'lagging',
  'two-hands',
  'abandoned',
  'keyless',
  'stale-list',
  'stale-vault',
  'first-refused',
  'outage',
  'withdrawn',
  'leaked',
  'half',
  'long-lived',
];

let azure: TestAzure;
let over: CareOverAzure;
let care: Care;
let plant: CareOverAzure['plant'];
let requests: CareOverAzure['requests'];
let cared: CareOverAzure['cared'];
let rotated: CareOverAzure['rotated'];

beforeAll(async () => {
  over = await careOverAzure(NAMES);
  ({ azure, care, plant, requests, cared, rotated } = over);
});
afterAll(() => over.stop());

async function haltOf(name: string) {
  return until(async () => (await care.ring(name)).rotation?.halted, WITHIN);
}

describe('a key that leaks while its account is being rotated', () => {
  it('dies before the rotation goes on, with one regeneration more than usual and everyone told of both', async () => {
    await cared('leaked');
    care.silent.add('leaked');
    plant('leaked');
    const usual = await care.rotate('leaked');
    await until(async () => (await care.ring('leaked')).waiting !== null, WITHIN);
    const emergency = await care.rotate('leaked', { scope: 'emergency', slot: 'key2' });
    await until(async () => (await care.ring('leaked')).asked?.rotationId === emergency, WITHIN);
    expect((await care.ring('leaked')).published).toMatchObject({ slot: 'key1', generation: 2 });
    care.silent.delete('leaked');
    await care.acknowledge('leaked');
    await rotated('leaked', usual);

    expect((await care.ring('leaked')).finished).toEqual([usual, emergency]);
    expect(requests('leaked', 'regenerateKey')).toBe(2);
    const told = await care.told('leaked');
    const of = (id: string) => told.flatMap(({ rotationId, what }) => (rotationId === id ? [what] : []));
    expect(of(emergency)[0]).toMatchObject({
      event: 'requested',
      scope: 'emergency',
      slot: 'key2',
      steps: ['switch-to-key1', 'regenerate-key2'],
    });
    expect(of(emergency).at(-1)).toMatchObject({ event: 'completed', keysReplaced: 1, scope: 'emergency' });
    expect(of(usual)).toContainEqual(expect.objectContaining({ event: 'waiting', for: 'emergency' }));
    expect(of(usual).filter(({ event }) => event === 'retired')).toEqual([
      expect.objectContaining({ slot: 'key2', by: 'twinkey' }),
      expect.objectContaining({ slot: 'key1', by: 'twinkey' }),
    ]);
  });
});

describe('half a turn', () => {
  it('replaces the key that nobody is on, and publishes nothing', async () => {
    await cared('half');
    plant('half');
    await rotated('half', await care.rotate('half', { scope: 'half' }));
    expect(requests('half', 'regenerateKey')).toBe(1);
    expect(requests('half', 'setSecret')).toBe(0);
    expect((await care.ring('half')).published).toMatchObject({ slot: 'key2', generation: 1 });
  });
});

describe('a regeneration whose answer is lost', () => {
  it('is done once, and its key is published only when the call can no longer execute', async () => {
    await cared('lost');
    plant('lost', { service: 'arm', operation: 'regenerateKey', effect: { kind: 'drop-after-effect' } });
    await rotated('lost', await care.rotate('lost'));
    expect(requests('lost', 'regenerateKey')).toBe(2);
    await expectQuiescenceBeforePublishing('lost');
  });

  it('and that executes only after it was given up is done once as well', async () => {
    await cared('late');
    plant('late', {
      service: 'arm',
      operation: 'regenerateKey',
      effect: { kind: 'delay', ms: 1_800, when: 'before' },
    });
    await rotated('late', await care.rotate('late'));
    expect(await care.journalled('late', 'RegenerationInDoubt')).toHaveLength(1);
    expect(requests('late', 'regenerateKey')).toBe(2);
    await expectQuiescenceBeforePublishing('late');
  });
});

async function expectQuiescenceBeforePublishing(name: string): Promise<void> {
  const [first] = await care.journalled(name, 'RegenerationIntended');
  const published = (await care.journalled(name, 'PublicationIntended')).find(
    ({ generation }) => generation === 2,
  );
  expect(published?.at).toBeGreaterThanOrEqual((first?.notAfter ?? Infinity) + TERMS.quiescenceMs);
}

describe('a publication whose answer is lost', () => {
  it('is adopted under its generation, not made again', async () => {
    await cared('adopted');
    plant('adopted', { service: 'key-vault', operation: 'setSecret', effect: { kind: 'drop-after-effect' } });
    await rotated('adopted', await care.rotate('adopted'));
    expect(requests('adopted', 'setSecret')).toBe(1);
    const published = await care.journalled('adopted', 'Published');
    expect(published.map(({ generation, attempt }) => [generation, attempt])).toEqual([
      [1, 1],
      [2, null],
    ]);
  });
});

describe('a vault that refuses', () => {
  const refusal = { kind: 'status', status: 403, code: 'Forbidden', message: 'no' } as const;

  it('halts the rotation with a reason and a remedy; a replay completes it without regenerating again', async () => {
    await cared('refused');
    plant('refused', { service: 'key-vault', operation: 'setSecret', effect: refusal });
    const rotationId = await care.rotate('refused');
    expect(await haltOf('refused')).toMatchObject({
      reason: 'access-refused',
      remedy: expect.stringMatching(/twinkey secret publisher.*replay/),
    });
    await care.replay('refused', rotationId);
    await rotated('refused', rotationId);
    expect(requests('refused', 'regenerateKey')).toBe(2);
    expect((await care.ring('refused')).published).toMatchObject({ slot: 'key1', generation: 2 });
  });

  it('is told once when it keeps the first publication from happening', async () => {
    azure.control.faults.add({
      service: 'key-vault',
      operation: 'setSecret',
      target: 'first-refused',
      count: 'unlimited',
      effect: refusal,
    });
    await care.declare('first-refused');
    await until(async () => (await care.told('first-refused')).length > 0, WITHIN);
    for (const times of [2, 3]) {
      await care.declare('first-refused');
      const tries = () => care.journalled('first-refused', 'PublicationNotExecuted');
      await until(async () => (await tries()).length === times, WITHIN);
    }
    const [told, ...more] = await care.told('first-refused');
    expect(told).not.toHaveProperty('rotationId');
    expect(told?.what).toMatchObject({ event: 'halted', reason: 'access-refused' });
    expect(more).toEqual([]);
  });
});

describe('Azure that answers later', () => {
  it('is waited for in a storm of 429, without a halt', async () => {
    await cared('storm');
    const effect = { kind: 'throttle', retryAfterSeconds: 1 } as const;
    plant(
      'storm',
      { service: 'arm', operation: 'listKeys', effect },
      { service: 'arm', operation: 'regenerateKey', effect },
      { service: 'key-vault', operation: 'setSecret', effect },
    );
    await rotated('storm', await care.rotate('storm'));
    expect(await care.journalled('storm', 'RotationHalted')).toEqual([]);
    const waits = (await care.journalled('storm', 'WaitingFor')).map(({ what }) => what.for);
    expect(waits.filter((why) => why === 'throttling')).toHaveLength(3);
  });

  it('is waited for when its vault is away, less and less often, and told of once', async () => {
    await cared('outage');
    plant('outage', {
      service: 'key-vault',
      operation: 'setSecret',
      count: 3,
      effect: { kind: 'status', status: 409 },
    });
    await rotated('outage', await care.rotate('outage'));
    const tries = await care.journalled('outage', 'PublicationNotExecuted');
    expect(tries).toHaveLength(3);
    const [first, second, third] = tries.map(({ at }) => at);
    expect((third ?? 0) - (second ?? 0)).toBeGreaterThan(1.5 * ((second ?? 0) - (first ?? 0)));
    const waits = (await care.journalled('outage', 'WaitingFor')).filter(({ what }) => what.for === 'outage');
    expect(waits).toHaveLength(1);
  });

  it('is waited for while the data plane honours the old key and does not know the new one', async () => {
    await cared('lagging');
    plant('lagging', {
      service: 'arm',
      operation: 'regenerateKey',
      count: 2,
      effect: { kind: 'lag', oldKeyForMs: 300, newKeyAfterMs: 600 },
    });
    await rotated('lagging', await care.rotate('lagging'));
    const waits = (await care.journalled('lagging', 'WaitingFor')).map(({ what }) => what.detail);
    expect(waits).toEqual(
      expect.arrayContaining(['the old key1 is still accepted', 'key1 is not accepted yet']),
    );
    expect(requests('lagging', 'regenerateKey')).toBe(2);
  });
});

describe('an old key that the data plane accepts for too long', () => {
  it('halts the rotation; a replay asks the data plane again, and believes no list instead', async () => {
    await cared('long-lived');
    plant('long-lived', {
      service: 'arm',
      operation: 'regenerateKey',
      effect: { kind: 'lag', oldKeyForMs: 6_000, newKeyAfterMs: 0 },
    });
    const rotationId = await care.rotate('long-lived');
    expect(await haltOf('long-lived')).toMatchObject({ reason: 'old-key-still-accepted' });
    await until(
      async () => {
        const { rotation, finished } = await care.ring('long-lived');
        if (rotation !== null && rotation.halted !== null) await care.replay('long-lived', rotationId);
        return finished.includes(rotationId);
      },
      { ...WITHIN, every: 500 },
    );
    const proofs = (await care.journalled('long-lived', 'KeyRetired')).map(({ proof }) => proof);
    expect(proofs).toEqual(['refused', 'refused']);
    expect(requests('long-lived', 'regenerateKey')).toBe(2);
  });
});

describe('looks from before the last change', () => {
  it('do not keep a rotation from replacing both keys', async () => {
    await cared('stale-list');
    await rotated('stale-list', await care.rotate('stale-list'));
    plant('stale-list', { service: 'arm', operation: 'listKeys', effect: { kind: 'stale' } });
    const before = (await care.journalled('stale-list', 'RegenerationAnswered')).at(-1)?.after;
    await rotated('stale-list', await care.rotate('stale-list'));
    const retired = (await care.journalled('stale-list', 'KeyRetired')).slice(2);
    expect(Object.fromEntries(retired.map(({ slot, fingerprint }) => [slot, fingerprint]))).toEqual(before);
    expect(requests('stale-list', 'regenerateKey')).toBe(2);
  });

  it('do not make the rotator publish twice', async () => {
    await cared('stale-vault');
    plant('stale-vault', {
      service: 'key-vault',
      operation: 'getSecret',
      skip: 1,
      count: 3,
      effect: { kind: 'stale' },
    });
    await rotated('stale-vault', await care.rotate('stale-vault'));
    expect(requests('stale-vault', 'setSecret')).toBe(1);
    expect(await care.journalled('stale-vault', 'DriftFound')).toEqual([]);
  });
});

describe('an account that accepts no keys', () => {
  it('halts the rotation before anything is regenerated; it completes once keys are allowed again', async () => {
    await cared('keyless');
    plant('keyless');
    azure.control.accounts.put({ name: 'keyless', disableLocalAuth: true });
    const rotationId = await care.rotate('keyless');
    expect(await haltOf('keyless')).toMatchObject({
      reason: 'local-auth-disabled',
      remedy: expect.stringContaining('replay'),
    });
    expect(requests('keyless', 'regenerateKey')).toBe(0);
    azure.control.accounts.put({ name: 'keyless', disableLocalAuth: false });
    await care.replay('keyless', rotationId);
    await rotated('keyless', rotationId);
  });
});

describe('an account that nobody wants cared for any more', () => {
  it('is left alone, also in the middle of a rotation', async () => {
    await cared('withdrawn');
    care.silent.add('withdrawn');
    plant('withdrawn');
    await care.rotate('withdrawn');
    await until(async () => (await care.ring('withdrawn')).waiting !== null, WITHIN);
    await care.withdraw('withdrawn');
    await care.acknowledge('withdrawn'); // would open the gate
    await until(() => care.atRest('withdrawn'), WITHIN);
    expect(requests('withdrawn', 'regenerateKey')).toBe(0);
  });
});

describe('two rotators', () => {
  it('that are woken for one account all the time regenerate each of its keys once', async () => {
    await cared('two-hands');
    plant('two-hands');
    const [first] = care.rotators;
    const second = await care.rotator();
    const account = care.idOf('two-hands');
    const rotationId = await care.rotate('two-hands');
    await until(
      async () => {
        first?.advance.wake(account);
        second.advance.wake(account);
        return (await care.ring('two-hands')).finished.includes(rotationId);
      },
      { ...WITHIN, every: 5 },
    );
    expect(requests('two-hands', 'regenerateKey')).toBe(2);
    expect(requests('two-hands', 'setSecret')).toBe(1);
  });

  it('of which one dies in the middle of a call: the other takes over when the lease is over', async () => {
    await cared('abandoned');
    plant('abandoned', {
      service: 'arm',
      operation: 'regenerateKey',
      effect: { kind: 'delay', ms: 900, when: 'after' },
    });
    const rotationId = await care.rotate('abandoned');
    await until(() => requests('abandoned', 'regenerateKey') === 1, WITHIN);
    const dying = care.rotators.splice(0);
    await care.rotator();
    await Promise.all(dying.map((rotator) => rotator.die()));
    expect(await care.journalled('abandoned', 'RegenerationAnswered')).toEqual([]);
    care.rotators[0]?.advance.wake(care.idOf('abandoned'));
    await rotated('abandoned', rotationId);
    expect(requests('abandoned', 'regenerateKey')).toBe(2);
    await expectQuiescenceBeforePublishing('abandoned');
  });
});

describe('what is kept of all this', () => {
  it('holds no key: not in the journal, the rings or any message', async () => {
    const texts = await care.everythingKept();
    expect(texts.length).toBeGreaterThan(100_000);
    expect(texts).not.toMatch(/[0-9A-Za-z]{84}/);
  });
});
