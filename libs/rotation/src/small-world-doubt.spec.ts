// Rotations that are asked for while a regeneration of ours is in doubt, or while lists are late: which key is meant?
import { describe, expect, it } from '@jest/globals';
import { RotationId } from '@twinkey/contracts';
import { published, terms, type Fate, type SmallWorld } from './testing/small-world.js';

const emergency = RotationId.parse('r-0000000000e1');

/** The regeneration of key1 was sent, and nobody was answered. */
function regenerationInDoubt(fate: Fate): SmallWorld {
  const world = published();
  world.request();
  world.fates = [fate];
  while (world.ring.slots.key1.regenerations.length === 0) world.step();
  return world;
}

describe('a key that is reported as leaked while a regeneration of its slot is in doubt', () => {
  it('is retired although the first lists still show the key before it', () => {
    const world = regenerationInDoubt('answer-lost');
    const leaked = world.fingerprint('key1');
    world.lateList = { key1: 1, key2: 1 };
    world.request(emergency, { scope: 'emergency', slot: 'key1' });
    for (const end = world.now + terms.quiescenceMs / 2; world.now < end;) world.step();
    world.lateList = null;
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.ring.finished).toContain(emergency);
    expect(world.accepts(leaked)).toBe(false);
  });

  it.each<Fate>(['answer-lost', 'late', 'never'])(
    'is not taken for another one, and both rotations complete (%s)',
    (fate) => {
      const world = regenerationInDoubt(fate);
      const leaked = world.fingerprint('key1');
      world.request(emergency, { scope: 'emergency', slot: 'key1' });
      expect(world.run()).toEqual({ do: 'rest' });
      expect(world.ring.finished).toHaveLength(2);
      expect(world.accepts(leaked)).toBe(false);
      expect(world.ring.slots).toMatchObject({ key1: { retire: null }, key2: { retire: null } });
    },
  );

  it('is not recorded as retired on the word of a late list while its own regeneration is in doubt', () => {
    const world = regenerationInDoubt('answer-lost');
    const leaked = world.fingerprint('key1');
    world.request(emergency, { scope: 'emergency', slot: 'key1' });
    while (world.ring.slots.key1.retire?.fingerprint !== leaked) world.step();
    world.fates = ['never'];
    while (world.ring.slots.key1.regenerations.length === 0) world.step();
    world.lateList = { key1: 1, key2: 1 };
    world.seen = { ...world.seen, forgotten: [leaked] };
    for (const end = world.now + terms.quiescenceMs / 2; world.now < end;) world.step();
    expect(world.ring.slots.key1).toMatchObject({ retire: { fingerprint: leaked } });
    world.lateList = null;
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.accepts(leaked)).toBe(false);
  });

  it('keeps nobody from healing what consumers read meanwhile', () => {
    const world = regenerationInDoubt('never');
    world.request(emergency, { scope: 'emergency', slot: 'key1' });
    world.replaceByStranger('key2');
    for (const end = world.now + terms.quiescenceMs / 2; world.now < end;) world.step();
    expect(world.ring.slots.key1.regenerations).toHaveLength(1);
    expect(world.vault).toMatchObject({ fingerprint: world.fingerprint('key2'), generation: 2 });
  });
});

describe('an answer that a later list overruled, since a stranger came after it', () => {
  it('is not believed again because of one more late list', () => {
    const world = published();
    world.request();
    while (world.regenerated.length < 2) world.step();
    world.run();
    const answered = { ...world.keys };
    world.replaceByStranger('key1');
    world.replaceByStranger('key2');
    const spare = world.vault !== 'missing' && world.vault.slot === 'key1' ? 'key2' : 'key1';
    world.now += terms.quiescenceMs;
    world.record({ type: 'LookWanted', at: world.now, why: 'a sign' });
    while (world.ring.slots[spare].answered !== null) world.step();
    const { known } = world.ring;
    world.lateList = answered;
    world.record({ type: 'LookWanted', at: world.now, why: 'another sign' });
    for (let round = 0; round < 10; round += 1) world.step();
    expect(world.ring.known[spare]).toBe(known[spare]);
  });
});
