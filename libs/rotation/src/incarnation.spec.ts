// A database restored from a backup knows nothing of what was decided, called and acknowledged since.
import { describe, expect, it } from '@jest/globals';
import { RotationId } from '@twinkey/contracts';
import { gate } from './gate.js';
import { newIncarnation } from './incarnation.js';
import type { KeyRing } from './key-ring.js';
import { published, SmallWorld, terms } from './testing/small-world.js';

const second = RotationId.parse('r-00000000000b');

/** The world goes on for a rotation after the backup was taken; then the ring is the one of the backup again. */
function restored(when: (world: SmallWorld) => boolean = () => true): { world: SmallWorld; backup: KeyRing } {
  const world = published();
  while (!when(world)) world.step();
  const backup = world.ring;
  world.request(second);
  world.run();
  world.ring = backup;
  world.crash();
  world.actions.length = 0;
  world.regenerated.length = 0;
  return { world, backup };
}

describe('a ring from before a publication that the vault shows', () => {
  it('begins a new life: every call is doubtful, nobody has acknowledged, numbers go on above', () => {
    const { world, backup } = restored();
    while (world.ring.incarnation === 0 && !world.ring.restored) {
      world.ring = { ...world.ring, lookWanted: 'a sign' };
      world.step();
    }
    expect(world.ring.highestGeneration).toBe(2);
    expect(world.ring.evidence).toBeNull();
    for (const slot of ['key1', 'key2'] as const) {
      expect(world.ring.slots[slot].regenerations).toHaveLength(1);
      expect(world.ring.slots[slot].publications).toHaveLength(1);
    }
    expect(world.ring.asked?.request).toBeGreaterThan((backup.asked?.request ?? 0) + 100);
  });

  it('believes what consumers read, publishes nothing anew, and asks everyone about it', () => {
    const { world } = restored();
    world.ring = { ...world.ring, lookWanted: 'a sign' };
    world.run();
    expect(world.actions).toEqual([]);
    expect(world.ring.published).toMatchObject({ slot: 'key1', generation: 2 });
    expect(world.ring.asked?.generation).toBe(2);
    expect(world.ring.restored).toBe(false);
  });

  it('rotates safely afterwards: not before a forgotten call is dead and every instance has registered', () => {
    const { world } = restored();
    world.ring = { ...world.ring, lookWanted: 'a sign' };
    const began = world.now;
    world.request(RotationId.parse('r-00000000000c'));
    while (world.regenerated.length === 0) world.step();
    expect(world.now - began).toBeGreaterThanOrEqual(terms.quiescenceMs);
    world.run();
    expect(world.regenerated).toEqual(['key2', 'key1']);
    expect(world.ring.published).toMatchObject({ slot: 'key2', generation: 3 });
  });
});

describe('a database that says that it was restored', () => {
  it('keeps the gate shut until the registry is rebuilt', () => {
    const world = published();
    world.request();
    while (world.ring.evidence === null || world.ring.rotation?.startedFrom == null) world.step();
    const rebuild = { ...terms, registryRebuildMs: 20_000 };
    world.record(newIncarnation(world.ring, { incarnation: 1, cause: 'restored' }, rebuild, world.now));
    const began = world.now;
    expect(gate(world.ring, 'key1', began + 19_999)).toMatchObject({
      is: 'waiting',
      what: { until: began + 20_000 },
    });
    world.run();
    expect(world.now - began).toBeGreaterThanOrEqual(20_000);
    expect(world.regenerated).toEqual(['key1', 'key2']);
  });

  it("does not take our own forgotten regeneration for a stranger's", () => {
    const { world } = restored();
    world.record(newIncarnation(world.ring, { incarnation: 1, cause: 'restored' }, terms, world.now));
    const before = world.asked.length;
    world.run();
    const events = world.asked
      .slice(before)
      .flatMap((next) => (next.do === 'record' ? [next.event.type] : []));
    expect(events).not.toContain('KeyAdopted');
  });
});
