// What a person changes by hand is noticed, taken over where it does no harm, healed where it does, and told.
import { describe, expect, it } from '@jest/globals';
import { decideAhead, decideCommand, decideLook, type Decision } from './decide.js';
import { inspect } from './drift.js';
import type { RingEvent } from './events.js';
import { NOTHING_SEEN } from './observed.js';
import { account, published, rotationId, SmallWorld, terms } from './testing/small-world.js';

function take(world: SmallWorld, decision: Decision): void {
  if (!decision.accepted) throw new Error(decision.detail);
  world.record(...decision.events);
}
const look = (world: SmallWorld) => {
  take(world, decideLook(world.ring, 'somebody did something', world.now));
};

/** Everything that the plan records from here on. */
function recorded(world: SmallWorld): RingEvent['type'][] {
  const before = world.asked.length;
  world.run();
  return world.asked.slice(before).flatMap((next) => (next.do === 'record' ? [next.event.type] : []));
}

/** The key of every slot is known, everyone is on key2, and nothing is owed. */
function atRest(): SmallWorld {
  const world = published();
  expect(world.next()).toEqual({ do: 'rest' });
  return world;
}

/** What the look at an account at rest asks for, one thing after the other, and what it concludes. */
function inspected(world: SmallWorld) {
  world.crash();
  for (;;) {
    const next = inspect(world.ring, world.seen, world.now);
    if (next.do !== 'read-vault' && next.do !== 'probe') return next;
    world.perform(next);
  }
}

describe('an account at rest', () => {
  it('is looked at with one read of the vault and one probe, and no list of keys', () => {
    const { ring, vault } = atRest();
    expect(inspect(ring, NOTHING_SEEN, 1)).toEqual({ do: 'read-vault' });
    if (vault === 'missing' || ring.published === null) throw new Error('it was published');
    const { fingerprint } = ring.published;
    const current = { is: 'ours', ...vault } as const;
    const seen = { ...NOTHING_SEEN, vault: { current, revision: 0, at: 1 } };
    expect(inspect(ring, seen, 1)).toEqual({ do: 'probe', slot: 'key2', fingerprint });
    const probes = { [fingerprint]: { verdict: 'accepted', tries: 1, at: 1 } as const };
    expect(inspect(ring, { ...seen, probes }, 1)).toEqual({ do: 'rest' });
  });

  it('whose vault somebody wrote gets its publication back, under the next generation', () => {
    const world = atRest();
    world.vault = {
      slot: 'key1',
      fingerprint: world.fingerprint('key1'),
      generation: 1,
      version: 'x',
      untagged: true,
    };
    world.now += 10 * terms.quiescenceMs;
    const found = inspected(world);
    expect(found).toMatchObject({ do: 'record', event: { type: 'LookWanted' } });
    world.perform(found);
    expect(recorded(world)).toEqual(expect.arrayContaining(['DriftFound', 'LookDone']));
    expect(world.actions).toEqual(['publish key2 as 2']);
    expect(world.ring).toMatchObject({ drift: null, lookWanted: null });
  });

  it('whose key in use somebody regenerated gets the new one published, and nobody is left on the dead one', () => {
    const world = atRest();
    world.replaceKey('key2');
    const found = inspected(world);
    expect(found).toMatchObject({ do: 'record', event: { type: 'LookWanted' } });
    world.perform(found);
    world.consumers = {}; // they are cut off until they hear of the new one: that is the stranger's doing
    world.vault = 'missing';
    world.run();
    expect(world.actions).toEqual(['publish key2 as 2']);
    expect(world.ring.published?.fingerprint).toBe(world.fingerprint('key2'));
  });

  it('keeps the key that somebody gave to the slot that nobody is on, and says so once', () => {
    const world = atRest();
    world.replaceKey('key1');
    expect(inspected(world)).toEqual({ do: 'rest' });
    look(world);
    expect(recorded(world)).toEqual(['KeyAdopted', 'LookDone']);
    expect(world.ring.known.key1).toBe(world.fingerprint('key1'));
    expect(world.actions).toEqual([]);
    look(world);
    expect(recorded(world)).toEqual(['LookDone']);
  });

  it('makes nothing of our own regenerations', () => {
    const world = atRest();
    world.request();
    world.run();
    look(world);
    expect(recorded(world)).toEqual(['LookDone']);
  });
});

describe('a halted rotation', () => {
  it('stays halted while its account is healed, and goes on afterwards as if nothing had been', () => {
    const world = atRest();
    world.request();
    while (world.ring.rotation?.startedFrom == null) world.step();
    take(world, decideCommand(world.ring, { command: 'halt', rotationId, account, by: 'ana' }, world.now));
    world.vault = {
      slot: 'key1',
      fingerprint: world.fingerprint('key1'),
      generation: 1,
      version: 'x',
      untagged: true,
    };
    world.now += 10 * terms.quiescenceMs;
    expect(world.next()).toEqual({ do: 'rest' });
    look(world);
    world.run();
    expect(world.actions).toEqual(['publish key2 as 2']);
    expect(world.regenerated).toEqual([]);
    expect(world.ring.rotation).toMatchObject({ halted: { reason: 'operator' } });
    take(world, decideCommand(world.ring, { command: 'replay', rotationId, account, by: 'ana' }, world.now));
    world.run();
    expect(world.regenerated).toEqual(['key1', 'key2']);
  });
});

describe('an instance that uses a generation which was never published', () => {
  it('is brought back by a publication above it', () => {
    const world = atRest();
    take(world, decideAhead(world.ring, { generation: 9, who: 'a/i-1' }, world.now));
    expect(recorded(world)).toEqual(expect.arrayContaining(['DriftFound']));
    expect(world.actions).toEqual(['publish key2 as 10']);
    expect(world.next()).toEqual({ do: 'rest' });
  });

  it('is none, when the generation is only on its way to the notifier', () => {
    const world = atRest();
    expect(decideAhead(world.ring, { generation: 1, who: 'a/i-1' }, world.now)).toEqual({
      accepted: true,
      events: [],
    });
  });
});
