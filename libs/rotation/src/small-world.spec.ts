// The plan against a small world: an account, a vault, consumers and a rotator that may die between any two moments.
import { describe, expect, it } from '@jest/globals';
import { ConsumerName, Fingerprint, otherSlot, RotationId } from '@twinkey/contracts';
import { decideCommand, decideRequest } from './decide.js';
import { account, published, rotationId, SmallWorld, terms, type Fate } from './testing/small-world.js';

describe('an account that twinkey sees for the first time', () => {
  it('publishes key2 as generation 1, tells everyone and regenerates nothing', () => {
    const world = new SmallWorld();
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.actions).toEqual(['publish key2 as 1']);
    expect(world.regenerated).toEqual([]);
    expect(world.consumers).toEqual({ a: world.fingerprint('key2'), b: world.fingerprint('key2') });
  });
});

describe('a rotation from the usual start', () => {
  it('goes through the four steps and leaves both old keys dead', () => {
    const world = published();
    world.request();
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.steps).toEqual(['switch-to-key2', 'regenerate-key1', 'switch-to-key1', 'regenerate-key2']);
    expect(world.actions).toEqual(['regenerate key1', 'publish key1 as 2', 'regenerate key2']);
    expect(world.keys).toEqual({ key1: 2, key2: 2 });
    expect(world.ring.rotation).toBeNull();
    expect(world.ring.finished).toEqual([rotationId]);
  });

  it('starts the next rotation from the other slot', () => {
    const world = published();
    world.request();
    world.run();
    world.steps.length = 0;
    world.request(RotationId.parse('r-00000000000b'));
    world.run();
    expect(world.steps).toEqual(['switch-to-key1', 'regenerate-key2', 'switch-to-key2', 'regenerate-key1']);
    expect(world.keys).toEqual({ key1: 3, key2: 3 });
  });

  it('lists the keys once and learns the rest from answers', () => {
    const world = published();
    world.request();
    const lists: string[] = [];
    for (let next = world.step(); next.do !== 'rest'; next = world.step())
      if (next.do === 'list-keys') lists.push(next.do);
    expect(lists).toHaveLength(1);
  });
});

describe('a consumer that stays silent', () => {
  it('holds the first regeneration and halts the rotation at its deadline, with both keys untouched', () => {
    const world = published();
    world.silent.add('b');
    world.request();
    expect(world.run()).toMatchObject({ do: 'halt', reason: 'consumer-silent' });
    expect(world.regenerated).toEqual([]);
    expect(world.ring.rotation?.halted?.detail).toContain('b');
  });

  it('holds the second regeneration as well', () => {
    const world = published();
    world.request();
    while (world.ring.published?.slot !== 'key1') {
      world.silent.clear();
      if (world.next().do === 'publish') world.silent.add('b');
      world.step();
    }
    expect(world.run()).toMatchObject({ do: 'halt', reason: 'consumer-silent' });
    expect(world.regenerated).toEqual(['key1']);
  });

  it('is asked again by a replay, which goes on where the rotation stood', () => {
    const world = published();
    world.silent.add('b');
    world.request();
    world.run();
    world.silent.clear();
    const replay = decideCommand(
      world.ring,
      { command: 'replay', rotationId, account, by: 'ana' },
      world.now,
    );
    if (!replay.accepted) throw new Error(replay.detail);
    world.record(...replay.events);
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.regenerated).toEqual(['key1', 'key2']);
  });

  it('is left behind only by a policy that says so, and the fact is recorded', () => {
    const world = published();
    const forced = new SmallWorld({ onOverdue: 'force' });
    Object.assign(forced, {
      ring: world.ring,
      vault: world.vault,
      consumers: { a: world.consumers['a'] },
      now: world.now,
    });
    forced.silent.add('b');
    forced.request();
    expect(forced.run()).toEqual({ do: 'rest' });
    expect(forced.regenerated).toEqual(['key1', 'key2']);
  });

  it('is excused by a named person', () => {
    const world = published();
    world.silent.add('b');
    world.consumers = { a: world.fingerprint('key2') };
    world.request();
    world.step();
    const waive = decideCommand(
      world.ring,
      {
        command: 'waive',
        rotationId,
        account,
        consumer: ConsumerName.parse('b'),
        by: 'ana',
        reason: 'gone',
      },
      world.now,
    );
    if (!waive.accepted) throw new Error(waive.detail);
    world.record(...waive.events);
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.keys).toEqual({ key1: 2, key2: 2 });
  });
});

describe('a regeneration whose answer was lost', () => {
  it('is found by its fingerprint and not sent again, and its key waits until the call can no longer execute', () => {
    const world = published();
    world.fates = ['answer-lost'];
    world.request();
    const began = world.now;
    world.run();
    expect(world.regenerated).toEqual(['key1', 'key2']);
    expect(world.now - began).toBeGreaterThanOrEqual(terms.quiescenceMs);
  });

  it('that executes late is waited for, so that it never kills a published key', () => {
    const world = published();
    world.fates = ['late'];
    world.request();
    world.run();
    expect(world.regenerated).toEqual(['key1', 'key2']);
    expect(world.vault).toMatchObject({ fingerprint: world.fingerprint('key1') });
  });

  it('that never executes is sent again after the quiescence, under a new intent', () => {
    const world = published();
    world.fates = ['never'];
    world.request();
    world.run();
    expect(world.actions.filter((action) => action === 'regenerate key1')).toHaveLength(2);
    expect(world.regenerated).toEqual(['key1', 'key2']);
  });
});

describe('a publication whose answer was lost', () => {
  it('is adopted when the vault shows it', () => {
    const world = published();
    world.fates = ['answered', 'answer-lost'];
    world.request();
    world.run();
    expect(world.actions).toEqual(['regenerate key1', 'publish key1 as 2', 'regenerate key2']);
    expect(world.ring.published).toMatchObject({ slot: 'key1', generation: 2 });
  });

  it.each(['late', 'never'] as const)('that executes %s keeps its generation for the same key', (fate) => {
    const world = published();
    world.fates = ['answered', fate];
    world.request();
    world.run();
    expect(world.vault).toMatchObject({ slot: 'key1', generation: 2 });
    expect(world.keys).toEqual({ key1: 2, key2: 2 });
  });
});

describe('a stranger', () => {
  it('who regenerates the spare slot has done the work already', () => {
    const world = published();
    world.request();
    world.step();
    world.step();
    world.step(); // the fingerprints to retire are recorded
    world.keys = { ...world.keys, key1: 7 };
    world.crash();
    world.run();
    expect(world.regenerated).toEqual(['key2']);
  });

  it('who overwrites the secret is answered by a publication of a live key under a higher generation', () => {
    const world = published();
    world.request();
    world.vault = {
      slot: 'key1',
      fingerprint: Fingerprint.parse('f'.repeat(32)),
      generation: 9,
      version: 'x',
    };
    for (let next = world.step(); next.do !== 'rest'; next = world.step());
    expect(world.actions[0]).toBe('publish key2 as 10');
    expect(world.keys).toEqual({ key1: 2, key2: 2 });
  });

  it('who regenerates the key in use is noticed, and everyone gets the new one', () => {
    const world = published();
    world.keys = { ...world.keys, key2: 5 };
    world.consumers = { a: null, b: null };
    world.request();
    for (let next = world.step(); next.do !== 'rest'; next = world.step());
    expect(world.actions[0]).toBe('publish key2 as 2');
    expect(world.accepts(world.consumers['a'] ?? world.fingerprint('key1', 0))).toBe(true);
  });
});

describe('messages that come twice, late or about something else', () => {
  it('an outcome of an earlier request opens no gate', () => {
    const world = published();
    world.silent.add('b');
    world.request();
    while (world.ring.asked?.rotationId !== rotationId) world.step();
    const { ring } = world;
    world.outcome('acknowledged', { request: (ring.asked?.request ?? 0) - 1 });
    world.outcome('acknowledged', { of: 99 });
    expect(world.ring).toBe(ring);
  });

  it('a rotation that ended is never opened again', () => {
    const world = published();
    world.request();
    world.run();
    expect(
      decideRequest(world.ring, { rotationId, by: 'scheduler', reason: 'interval' }, world.now),
    ).toMatchObject({
      accepted: false,
      code: 'rotation-completed',
    });
  });

  it('a replay of a running rotation is refused and says so', () => {
    const world = published();
    world.request();
    expect(
      decideCommand(world.ring, { command: 'replay', rotationId, account, by: 'ana' }, world.now),
    ).toMatchObject({
      accepted: false,
      code: 'rotation-running',
    });
  });
});

describe('a rotator that may die at any moment', () => {
  /** A small generator, so that a failing seed tells its story again. */
  function chance(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }

  it.each(Array.from({ length: 300 }, (_, seed) => seed))(
    'seed %i: completes, interrupts nobody, regenerates each slot once',
    (seed) => {
      const random = chance(seed * 7 + 1);
      const world = published();
      const fates: readonly Fate[] = ['answered', 'answer-lost', 'late', 'never'];
      world.fates = Array.from({ length: 4 }, () => fates[Math.floor(random() * fates.length)] ?? 'answered');
      world.request();
      for (let round = 0; round < 400; round += 1) {
        if (random() < 0.15) world.crash();
        const next = world.step();
        world.check();
        if (next.do === 'rest') break;
      }
      expect(world.ring.rotation).toBeNull();
      expect(world.regenerated).toEqual(['key1', 'key2']);
      expect(world.ring.published?.slot).toBe('key1');
      expect(world.vault).toMatchObject({ fingerprint: world.fingerprint('key1') });
      expect(otherSlot('key1')).toBe('key2');
    },
  );
});
