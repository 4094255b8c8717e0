// Rules of the fold that no search of whole worlds can switch off.
import { describe, expect, it } from '@jest/globals';
import { evolve } from './evolve.js';
import { published, rotationId } from './testing/small-world.js';

describe('a retirement', () => {
  it('is closed only for the key that it named: what was asked for meanwhile stays', () => {
    const world = published();
    world.request();
    while (world.ring.slots.key1.retire === null) world.step();
    const [asked, another] = [world.fingerprint('key1'), world.fingerprint('key1', 9)];
    const retired = {
      type: 'KeyRetired',
      at: world.now,
      slot: 'key1',
      rotationId,
      proof: 'refused',
    } as const;
    expect(evolve(world.ring, { ...retired, fingerprint: another }).slots.key1.retire).not.toBeNull();
    expect(evolve(world.ring, { ...retired, fingerprint: asked }).slots.key1.retire).toBeNull();
  });
});

describe('a call that was answered', () => {
  it('settles no earlier call of its kind, which may still execute', () => {
    const world = published();
    const before = { key1: world.fingerprint('key1'), key2: world.fingerprint('key2') };
    const { now: at } = world;
    for (const attempt of [11, 12])
      world.record({ type: 'RegenerationIntended', at, slot: 'key1', before, attempt, notAfter: at });
    world.record({ type: 'RegenerationAnswered', at, slot: 'key1', attempt: 12, after: before });
    expect(world.ring.slots.key1.regenerations.map(({ number }) => number)).toEqual([11]);
  });
});
