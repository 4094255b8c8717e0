// A leaked key dies first, and one that nobody is on is replaced alone: only what is asked for is retired.
import { describe, expect, it } from '@jest/globals';
import { RotationId, type KeySlot } from '@twinkey/contracts';
import { decideCommand, decideRequest } from './decide.js';
import { account, published, rotationId, SmallWorld, terms } from './testing/small-world.js';

const [first, second] = ['r-0000000000e1', 'r-0000000000e2'].map((id) => RotationId.parse(id)) as [
  RotationId,
  RotationId,
];
const leaked = (slot: KeySlot) => ({ scope: 'emergency', slot }) as const;

function command(world: SmallWorld, what: 'halt' | 'replay', id: RotationId): void {
  const decision = decideCommand(
    world.ring,
    { command: what, rotationId: id, account, by: 'ana' },
    world.now,
  );
  if (!decision.accepted) throw new Error(decision.detail);
  world.record(...decision.events);
}

/** key2 is in use, as `published` leaves it, under other terms. */
function publishedWith(limits: ConstructorParameters<typeof SmallWorld>[0]): SmallWorld {
  const world = new SmallWorld(limits);
  world.run();
  world.actions.length = 0;
  world.steps.length = 0;
  return world;
}

describe('half a turn', () => {
  it('retires the key that nobody is on, behind the gate, and nothing else', () => {
    const world = published();
    world.request(rotationId, { scope: 'half' });
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.steps).toEqual(['switch-to-key2', 'regenerate-key1']);
    expect(world.keys).toEqual({ key1: 2, key2: 1 });
    expect(world.ring.finished).toEqual([rotationId]);
  });

  it('waits for a silent consumer like any other rotation', () => {
    const world = published();
    world.silent.add('b');
    world.request(rotationId, { scope: 'half' });
    expect(world.run()).toMatchObject({ do: 'halt', reason: 'consumer-silent' });
    expect(world.regenerated).toEqual([]);
  });
});

describe('a leaked key that nobody is on', () => {
  it('is regenerated at once behind the gate; the key in use is left alone', () => {
    const world = published();
    world.request(first, leaked('key1'));
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.actions).toEqual(['regenerate key1']);
    expect(world.keys).toEqual({ key1: 2, key2: 1 });
  });
});

describe('a leaked key that everyone uses', () => {
  it('is regenerated as soon as everyone has moved to the other one', () => {
    const world = published();
    world.request(first, leaked('key2'));
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.actions).toEqual(['publish key1 as 2', 'regenerate key2']);
    expect(world.steps).toEqual(['switch-to-key1', 'regenerate-key2']);
    expect(world.keys).toEqual({ key1: 1, key2: 2 });
    expect(world.consumers).toEqual({ a: world.fingerprint('key1'), b: world.fingerprint('key1') });
  });

  it('has a deadline of its own, and its own answer to those who miss it', () => {
    const emergency = { acknowledgeWithinMs: 3_000, onOverdue: 'force' } as const;
    const world = publishedWith({ emergency });
    world.consumers = { a: world.fingerprint('key2') };
    world.silent.add('b');
    const began = world.now;
    world.request(first, leaked('key2'));
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.keys).toEqual({ key1: 1, key2: 2 });
    expect(world.now - began).toBeLessThan(terms.acknowledgeWithinMs);
    world.request(rotationId);
    expect(world.run()).toMatchObject({ do: 'halt', reason: 'consumer-silent' });
  });

  it('stays alive for a consumer that is silent, where the policy says hold', () => {
    const world = publishedWith({ emergency: { acknowledgeWithinMs: 3_000, onOverdue: 'hold' } });
    world.silent.add('b');
    world.request(first, leaked('key2'));
    expect(world.run()).toMatchObject({ do: 'halt', reason: 'consumer-silent' });
    expect(world.regenerated).toEqual([]);
  });
});

describe('a key that leaks while a rotation is open', () => {
  it.each([0, 3, 6, 9, 12, 15, 18])(
    'dies first; then the rotation goes on, and both keys that it was asked to retire die (after %i moments)',
    (moments) => {
      for (const slot of ['key1', 'key2'] as const) {
        const world = published();
        world.request();
        for (let moment = 0; moment < moments; moment += 1) world.step();
        const before = { ...world.keys };
        const overAlready = world.ring.finished.length > 0;
        world.request(first, leaked(slot));
        expect(world.run()).toEqual({ do: 'rest' });
        expect(world.keys[slot]).toBeGreaterThan(before[slot]);
        expect(world.keys.key1).toBeGreaterThanOrEqual(2);
        expect(world.keys.key2).toBeGreaterThanOrEqual(2);
        expect(new Set(world.ring.finished)).toEqual(new Set([rotationId, first]));
        expect(world.ring.finished.at(-1)).toBe(overAlready ? rotationId : first);
      }
    },
  );

  it('dies also while the rotation is halted; that one stays halted until it is replayed', () => {
    const world = published();
    world.request();
    command(world, 'halt', rotationId);
    world.request(first, leaked('key2'));
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.keys).toEqual({ key1: 1, key2: 2 });
    expect(world.ring.rotation).toMatchObject({ rotationId, halted: { reason: 'operator' } });
    command(world, 'replay', rotationId);
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.ring.finished).toEqual([rotationId, first]);
  });

  it('leaves the rotation in line where it can be halted and replayed by its own name', () => {
    const world = published();
    world.request();
    world.request(first, leaked('key1'));
    command(world, 'halt', rotationId);
    expect(world.ring.rotation?.halted).toBeNull();
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.ring.rotation).toMatchObject({ rotationId, halted: { reason: 'operator' } });
  });
});

describe('two keys that leak one after the other', () => {
  it('both die, and both reports are kept', () => {
    const world = published();
    world.request(first, leaked('key2'));
    world.step();
    world.request(second, leaked('key1'));
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.keys).toEqual({ key1: 2, key2: 2 });
    expect(world.ring.finished).toEqual([second, first]);
  });

  it('do not wait for each other when the first cannot go on', () => {
    const world = published();
    world.silent.add('b');
    world.request(first, leaked('key2'));
    expect(world.run()).toMatchObject({ do: 'halt' });
    world.request(second, leaked('key1'));
    expect(world.ring.rotation?.rotationId).toBe(second);
  });
});

describe('a rotation that is asked for while an emergency is open', () => {
  it('is refused, and so is a second request of the same emergency', () => {
    const world = published();
    world.request(first, leaked('key1'));
    const ask = (id: RotationId) => decideRequest(world.ring, { rotationId: id, by: 'x', reason: 'x' }, 1);
    expect(ask(rotationId)).toMatchObject({ accepted: false, code: 'rotation-running' });
    expect(ask(first)).toMatchObject({ accepted: false, code: 'already-requested' });
  });
});
