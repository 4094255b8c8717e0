// What the plan does of an account of which consumers read nothing yet, or not what was meant for them.
import { describe, expect, it } from '@jest/globals';
import { emptyRing, type KeyRing } from './key-ring.js';
import { NOTHING_SEEN, type Observed, type SeenVault } from './observed.js';
import { plan } from './plan.js';
import { account, published, SmallWorld, terms } from './testing/small-world.js';

const NOW = 9_000_000;

/** key2 is published as generation 1, and nothing is owed. */
const world = published();
const [key1, key2] = [world.fingerprint('key1'), world.fingerprint('key2')];
const ours = { is: 'ours', slot: 'key2', fingerprint: key2, generation: 1, version: 'v1' } as const;

function sight(current: SeenVault['current']): Observed {
  const revision = world.ring.revision;
  return {
    ...NOTHING_SEEN,
    keys: { fingerprints: { key1, key2 }, revision, at: NOW },
    vault: { current, revision, at: NOW },
  };
}
const next = (ring: KeyRing, current: SeenVault['current'] = ours) => plan(ring, sight(current), terms, NOW);

describe('a publication of which nobody knows whether it happened', () => {
  const intent = { slot: 'key1', fingerprint: key1, generation: 2 } as const;
  const again = { slot: 'key2', fingerprint: key2, generation: 1 } as const;

  it('is left alone once the vault shows that it did not: what was published before still holds', () => {
    expect(next({ ...world.ring, intent })).toEqual({ do: 'rest' });
  });

  it('is taken for done when the vault shows it, also when it is the first one', () => {
    const first = { ...emptyRing(account), intent: again, highestGeneration: 1 };
    expect(next(first)).toMatchObject({ do: 'record', event: { type: 'Published', ...again } });
  });

  it('is no news when it is what was published already', () => {
    expect(next({ ...world.ring, intent: again })).toEqual({ do: 'rest' });
  });
});

describe('an instance that is as far as what is published', () => {
  it('is no reason to look at anything', () => {
    expect(plan({ ...world.ring, ahead: 1 }, NOTHING_SEEN, terms, NOW)).toEqual({ do: 'rest' });
    expect(plan({ ...world.ring, ahead: 2 }, NOTHING_SEEN, terms, NOW)).toEqual({ do: 'list-keys' });
  });
});

describe('a rotation that is requested before anything was published', () => {
  const early = new SmallWorld();
  early.request();

  it('lets a key be published first, and records what it retires after that', () => {
    const ring = { ...early.ring, keysFrom: 0, vaultFrom: 0, known: { key1, key2 } };
    expect(next(ring, { is: 'missing' })).toEqual({ do: 'probe', slot: 'key2', fingerprint: key2 });
  });

  it('is left alone while it is halted', () => {
    const halted = { reason: 'operator', detail: 'x', remedy: 'x' } as const;
    const ring = { ...early.ring, rotation: early.ring.rotation && { ...early.ring.rotation, halted } };
    expect(plan(ring, NOTHING_SEEN, terms, NOW)).toEqual({ do: 'rest' });
  });
});

describe('a gate whose moment is known', () => {
  const begun = published();
  begun.silent.add('b');
  begun.consumers = { a: key2 };
  begun.request();
  while (begun.next().do !== 'wait') begun.step();
  const { now, ring, seen } = begun;
  const until = now + 3_600_000;
  const waits = (what: Partial<KeyRing>) => plan({ ...ring, ...what }, seen, terms, now);

  it('is waited for until then and not longer, while calls of the older key are dying', () => {
    const rotationId = ring.rotation?.rotationId ?? null;
    const evidence = { generation: 1, rotationId, openFrom: until, kind: 'acknowledged' } as const;
    expect(waits({ evidence })).toMatchObject({ do: 'wait', what: { for: 'drain', until } });
  });

  it('is waited for until then and not longer, while instances register anew after a restore', () => {
    expect(waits({ registryFrom: until })).toMatchObject({ do: 'wait', what: { for: 'drain', until } });
  });
});
