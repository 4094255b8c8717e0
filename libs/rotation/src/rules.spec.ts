// Single rules of the plan, each in the shortest story that needs it.
import { describe, expect, it } from '@jest/globals';
import { ConsumerName, Fingerprint, RotationId } from '@twinkey/contracts';
import { decideCommand, decideRequest } from './decide.js';
import { evolve } from './evolve.js';
import { account, published, rotationId, SmallWorld, terms } from './testing/small-world.js';
import { wasToldOf } from './waiting.js';

const other = RotationId.parse('r-00000000000b');

/** A world whose plan has other terms, with a first publication behind it. */
function publishedWith(limits: ConstructorParameters<typeof SmallWorld>[0]): SmallWorld {
  const world = new SmallWorld(limits);
  world.run();
  world.actions.length = 0;
  return world;
}

function untilWaiting(world: SmallWorld): void {
  while (world.next().do !== 'wait') world.step();
}

function command(world: SmallWorld, what: 'halt' | 'replay'): void {
  const decision = decideCommand(world.ring, { command: what, rotationId, account, by: 'ana' }, world.now);
  if (!decision.accepted) throw new Error(decision.detail);
  world.record(...decision.events);
}

describe('a policy that goes on without silent consumers', () => {
  it('still gives those who switched at the last moment the time to drain', () => {
    const world = publishedWith({ onOverdue: 'force' });
    world.silent.add('b');
    world.consumers = { a: world.fingerprint('key2') };
    world.request();
    while (world.ring.evidence?.kind !== 'forced') world.step();
    const forcedAt = world.now;
    while (world.actions.length === 0) world.step();
    expect(world.now).toBeGreaterThanOrEqual(forcedAt + terms.drainMs);
  });

  it("takes the notifier's word for when the last calls are over, longer or shorter than the policy guesses", () => {
    for (const drain of [100, 5 * terms.drainMs]) {
      const world = publishedWith({ onOverdue: 'force' });
      world.silent.add('b');
      world.consumers = { a: world.fingerprint('key2') };
      world.request();
      untilWaiting(world);
      const { generation = 0, request = 0 } = world.ring.asked ?? {};
      const openFrom = world.now + drain;
      world.record({ type: 'SwitchOverdue', at: world.now, generation, request, missing: ['b'], openFrom });
      while (world.ring.evidence?.kind !== 'forced') world.step();
      expect(world.ring.evidence.openFrom).toBe(openFrom);
    }
  });

  it('does not go on when there is nobody at all and it says to wait for somebody', () => {
    const world = publishedWith({ onOverdue: 'force' });
    world.nobody = true;
    world.request();
    expect(world.run()).toMatchObject({ do: 'halt', reason: 'no-consumers' });
    expect(world.regenerated).toEqual([]);
  });
});

describe('a gate', () => {
  it('stays shut until the last call that the older key signed is dead', () => {
    const world = published();
    world.drainMs = 4_000;
    world.request();
    const began = world.now;
    while (world.actions.length === 0) world.step();
    expect(world.now - began).toBeGreaterThanOrEqual(4_000);
  });

  it('asks again when a consumer is excused after the question, so that the excuse is heard', () => {
    const world = published();
    world.silent.add('b');
    world.consumers = { a: world.fingerprint('key2') };
    world.request();
    untilWaiting(world);
    const waive = decideCommand(
      world.ring,
      { command: 'waive', rotationId, account, consumer: ConsumerName.parse('b'), by: 'ana', reason: 'gone' },
      world.now,
    );
    if (!waive.accepted) throw new Error(waive.detail);
    world.record(...waive.events);
    const began = world.now;
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.now - began).toBeLessThan(terms.acknowledgeWithinMs);
  });

  it('asks a notifier that says nothing at all again, some time after the deadline', () => {
    const world = published();
    world.silent.add('b');
    world.request();
    untilWaiting(world);
    const asked = world.ring.asked?.request ?? 0;
    world.now += terms.acknowledgeWithinMs + terms.outcomePatienceMs + 1;
    expect(world.step()).toEqual({ do: 'ask-switch', request: asked + 1 });
  });
});

describe('a halted rotation', () => {
  it('does nothing, and goes on where it stood when it is replayed', () => {
    const world = published();
    world.request();
    while (world.regenerated.length === 0) world.step();
    command(world, 'halt');
    expect(world.next()).toEqual({ do: 'rest' });
    world.crash();
    command(world, 'replay');
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.regenerated).toEqual(['key1', 'key2']);
  });

  it('is not pushed aside by another request, nor is a running one', () => {
    const world = published();
    world.request();
    const ask = () => decideRequest(world.ring, { rotationId: other, by: 'ana', reason: 'x' }, world.now);
    expect(ask()).toMatchObject({ accepted: false, code: 'rotation-running' });
    command(world, 'halt');
    expect(ask()).toMatchObject({ accepted: false, code: 'rotation-halted' });
  });
});

describe('a first publication', () => {
  it('moves nobody who already reads one of the two keys, whoever wrote it', () => {
    const world = new SmallWorld();
    world.vault = {
      slot: 'key1',
      fingerprint: world.fingerprint('key1'),
      generation: 1,
      version: 'by-hand',
      untagged: true,
    };
    world.run();
    expect(world.ring.published).toMatchObject({ slot: 'key1', generation: 1 });
  });

  it('of an installation that was here before leaves everyone where they are, and never counts below them', () => {
    const world = new SmallWorld();
    world.vault = { slot: 'key1', fingerprint: world.fingerprint('key1'), generation: 41, version: 'v41' };
    world.run();
    expect(world.actions).toEqual([]);
    expect(world.ring.published).toMatchObject({ slot: 'key1', generation: 41 });
    world.request();
    world.run();
    expect(world.ring.published).toMatchObject({ slot: 'key2', generation: 42 });
  });
});

describe('a key that is to be retired', () => {
  it('is not retired while the data plane still accepts it, and a person is asked in the end', () => {
    const world = published();
    world.lag = { oldForMs: 60_000, newAfterMs: 0 };
    world.request();
    expect(world.run()).toMatchObject({ do: 'halt', reason: 'old-key-still-accepted' });
    expect(world.ring.slots.key1.retire).not.toBeNull();
  });

  it('is closed by comparing: a word about another key closes nothing', () => {
    const world = published();
    world.request();
    untilStarted(world);
    const event = {
      type: 'KeyRetired',
      at: world.now,
      slot: 'key1',
      fingerprint: Fingerprint.parse('e'.repeat(32)),
      rotationId,
      proof: 'listed',
    } as const;
    expect(evolve(world.ring, event).slots.key1.retire).toEqual(world.ring.slots.key1.retire);
  });
});

function untilStarted(world: SmallWorld): void {
  while (world.ring.rotation?.startedFrom === null) world.step();
}

describe('a key that the data plane does not accept', () => {
  it('is never published; a person is asked in the end', () => {
    const world = published();
    world.lag = { oldForMs: 0, newAfterMs: 60_000 };
    world.request();
    expect(world.run()).toMatchObject({ do: 'halt', reason: 'key-not-accepted' });
    expect(world.actions).toEqual(['regenerate key1']);
  });
});

describe('a publication that may still land', () => {
  /** The publication of key1 is sent, and executes only later. */
  function inLimbo(): SmallWorld {
    const world = published();
    world.request();
    while (world.next().do !== 'publish') world.step();
    world.fates = ['late'];
    world.step();
    return world;
  }

  it('keeps another key of the slot from being published, and its generation names no other key', () => {
    const world = inLimbo();
    world.replaceKey('key1'); // a stranger: the key in limbo will be dead when it lands
    for (let next = world.step(); next.do !== 'rest'; next = world.step());
    expect(world.actions.slice(1, 3)).toEqual(['publish key1 as 2', 'publish key1 as 3']);
    expect(world.vault).toMatchObject({ fingerprint: world.fingerprint('key1') });
  });

  it('keeps the other slot from being published', () => {
    const world = inLimbo();
    world.replaceKey('key2'); // a stranger: the key in use must be replaced
    world.consumers = { a: null, b: null };
    const last = () => world.actions.at(-1);
    for (let next = world.step(); next.do !== 'rest'; next = world.step())
      if (last() === 'publish key2 as 3') expect(world.limbo).toEqual([]);
    expect(world.vault).toMatchObject({ generation: world.ring.published?.generation });
  });

  it('keeps its slot from being regenerated, also after a later one of the same key was answered', () => {
    const world = inLimbo();
    while (world.ring.published?.generation !== 2) world.step();
    expect(world.ring.slots.key1.publications).toHaveLength(1);
    world.fates = [];
    expect(world.run()).toEqual({ do: 'rest' });
  });
});

describe('what stands in the way', () => {
  it('is told once, however its words change from time to time', () => {
    const world = published();
    const fault = (detail: string) => ({
      type: 'WaitingFor' as const,
      at: world.now,
      what: { for: 'throttling' as const, code: 'throttled', detail },
    });
    world.record(fault('the next token comes in 12 ms'));
    expect(wasToldOf(world.ring, fault('the next token comes in 7 ms'))).toBe(true);
    expect(wasToldOf(world.ring, { ...fault('x'), what: { for: 'outage', detail: 'x' } })).toBe(false);
  });

  it('is not forgotten because of one more attempt that fails in the same way', () => {
    const world = published();
    world.record({ type: 'WaitingFor', at: world.now, what: { for: 'outage', code: 'away', detail: 'x' } });
    const before = world.ring.waiting;
    const slot = 'key1';
    const fingerprint = world.fingerprint('key1');
    const notAfter = world.now + 1_000;
    world.record(
      { type: 'PublicationIntended', at: world.now, slot, fingerprint, generation: 2, attempt: 9, notAfter },
      { type: 'PublicationNotExecuted', at: world.now, slot, attempt: 9, code: 'away' },
    );
    expect(world.ring.waiting).toBe(before);
  });
});
