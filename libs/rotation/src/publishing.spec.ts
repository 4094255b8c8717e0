import { describe, expect, it } from '@jest/globals';
import { Fingerprint } from '@twinkey/contracts';
import type { RingEvent } from './events.js';
import { evolve } from './evolve.js';
import { gate } from './gate.js';
import type { KeyRing } from './key-ring.js';
import { plan } from './plan.js';
import { nextGeneration, obstacleToPublishing } from './publishing.js';
import { published, terms } from './testing/small-world.js';

const at = 1_000_000;
const key = Fingerprint.parse('a'.repeat(32));
const otherKey = Fingerprint.parse('b'.repeat(32));
const { ring: usual } = published();
const shows = (generation: number) =>
  ({ is: 'ours', slot: 'key1', fingerprint: key, generation, version: 'v' }) as const;

function after(...events: readonly RingEvent[]): KeyRing {
  return events.reduce(evolve, usual);
}

const intended = {
  type: 'PublicationIntended',
  at,
  slot: 'key1',
  fingerprint: key,
  generation: 2,
  attempt: 9,
  notAfter: at + 1_000,
} as const;

describe('a publication of key1 that may still land', () => {
  const ring = after(intended);

  it('may be sent again, for the same key only and under the same generation', () => {
    expect(obstacleToPublishing(ring, 'key1', key)).toBeNull();
    expect(nextGeneration(ring, 'key1', key, shows(1))).toBe(2);
  });

  it('stands in the way of every other publication', () => {
    expect(obstacleToPublishing(ring, 'key1', otherKey)).toMatchObject({ for: 'quiescence' });
    expect(obstacleToPublishing(ring, 'key2', key)).toMatchObject({ for: 'quiescence' });
  });

  it('stands in the way of its own key as well, once nothing is meant to be published any more', () => {
    expect(obstacleToPublishing({ ...ring, intent: null }, 'key1', key)).toMatchObject({ for: 'quiescence' });
  });

  it('shuts the gate before key1, whatever everyone acknowledged', () => {
    expect(gate(ring, 'key1', at)).toMatchObject({ is: 'waiting', what: { for: 'quiescence' } });
  });
});

describe('a regeneration that may still execute', () => {
  const call = { slot: 'key1', attempt: 9, notAfter: at + 1_000 } as const;
  const before = { key1: key, key2: otherKey };
  const ring = after({ type: 'RegenerationIntended', at, ...call, before });

  it('keeps the key of its slot from being published, and no other', () => {
    expect(obstacleToPublishing(ring, 'key1', key)).toMatchObject({ for: 'quiescence' });
    expect(obstacleToPublishing(ring, 'key2', otherKey)).toBeNull();
  });
});

describe('the number of a generation', () => {
  const settled = after(intended, {
    type: 'PublicationNotExecuted',
    at,
    slot: 'key1',
    attempt: 9,
    code: 'x',
  });

  it('that was only intended names no other key, of this slot or the other', () => {
    expect(nextGeneration(settled, 'key1', otherKey, shows(1))).toBe(3);
    expect(nextGeneration(settled, 'key2', key, shows(1))).toBe(3);
  });

  it('that was intended for a first publication is used for it', () => {
    expect(nextGeneration({ ...settled, published: null }, 'key1', key, { is: 'missing' })).toBe(2);
  });

  it('is above what is published, even if an intent for that key and the vault are from before', () => {
    for (const generation of [2, 5]) {
      const ahead = usual.published && { ...usual.published, generation };
      const ring = { ...settled, published: ahead, highestGeneration: generation };
      expect(nextGeneration(ring, 'key1', key, { is: 'missing' })).toBe(generation + 1);
    }
  });

  it('is above what the vault shows, also for a key that had a number already', () => {
    expect(nextGeneration(settled, 'key1', key, shows(2))).toBe(3);
    expect(nextGeneration(settled, 'key1', key, shows(7))).toBe(8);
  });
});

describe('a vault that shows the intended key', () => {
  const ring = after(intended);
  const seen = (generation: number) => ({
    keys: {
      fingerprints: { key1: key, key2: usual.published?.fingerprint ?? otherKey },
      revision: ring.revision,
      at,
    },
    vault: { current: shows(generation), revision: ring.revision, at },
    probes: {},
    proofs: {},
    forgotten: [],
  });

  it('under the intended generation shows that the publication happened', () => {
    expect(plan(ring, seen(2), terms, at)).toMatchObject({
      do: 'record',
      event: { type: 'Published', generation: 2, attempt: null },
    });
  });

  it('under a generation that nobody intended shows a life that the ring has forgotten', () => {
    expect(plan(ring, seen(3), terms, at)).toMatchObject({
      do: 'record',
      event: { type: 'IncarnationBegan', generation: 3 },
    });
  });
});

describe('evidence', () => {
  it('is void with the next publication and with drift', () => {
    expect(usual.evidence).not.toBeNull();
    const published = { ...intended, type: 'Published', version: 'v2' } as const;
    expect(after(published).evidence).toBeNull();
    expect(after({ type: 'DriftFound', at, kind: 'vault-changed', detail: 'x' }).evidence).toBeNull();
  });
});

describe('a version without our tags, soon after a publication', () => {
  it('is looked at again before it is taken for a stranger’s', () => {
    const world = published();
    const { vault } = world;
    if (vault === 'missing') throw new Error('something is published');
    world.lateVault = { ...vault, untagged: true };
    world.request();
    for (let round = 0; round < 8; round += 1) world.step();
    world.lateVault = null;
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.actions).toEqual(['regenerate key1', 'publish key1 as 2', 'regenerate key2']);
  });
});
