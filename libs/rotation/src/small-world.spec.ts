// The plan against a small world: an account, a vault, consumers and a rotator that may die between any two moments.
import { describe, expect, it } from '@jest/globals';
import {
  AccountId,
  ConsumerName,
  Fingerprint,
  generation,
  otherSlot,
  RotationId,
  SwitchOutcome,
  type KeySlot,
} from '@twinkey/contracts';
import { decideCommand, decideOutcome, decideRequest } from './decide.js';
import type { RingEvent } from './events.js';
import { evolve } from './evolve.js';
import { emptyRing, type KeyRing } from './key-ring.js';
import { NOTHING_SEEN, type Observed } from './observed.js';
import { plan, type Next } from './plan.js';
import { hasEvidence, stepOf } from './steps.js';
import type { Terms } from './terms.js';

const account = AccountId.parse(
  '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/speech',
);
const rotationId = RotationId.parse('r-00000000000a');
const terms: Terms = {
  quiescenceMs: 5_000,
  callDeadlineMs: 1_000,
  acknowledgeWithinMs: 60_000,
  onOverdue: 'hold',
  probeTries: 3,
  probePauseMs: 1_000,
  outcomePatienceMs: 10_000,
};

/** How a mutating call ends: answered, answered to nobody although it executed, or executed only later. */
type Fate = 'answered' | 'answer-lost' | 'late' | 'never';

interface Limbo {
  readonly executesAt: number;
  readonly execute: () => void;
}

class SmallWorld {
  now = 1_000_000;
  ring: KeyRing = emptyRing(account);
  seen: Observed = NOTHING_SEEN;
  readonly regenerated: KeySlot[] = [];
  readonly actions: string[] = [];
  readonly steps: string[] = [];
  keys: Record<KeySlot, number> = { key1: 1, key2: 1 };
  vault: { slot: KeySlot; fingerprint: Fingerprint; generation: number; version: string } | 'missing' =
    'missing';
  /** The key of each instance, as the account names it. */
  consumers: Record<string, Fingerprint | null> = { a: null, b: null };
  silent = new Set<string>();
  limbo: Limbo[] = [];
  fates: Fate[] = [];

  constructor(readonly limits: Partial<Terms> = {}) {}

  fingerprint(slot: KeySlot, number = this.keys[slot]): Fingerprint {
    const digit = slot === 'key1' ? '1' : '2';
    return Fingerprint.parse(digit.repeat(8) + number.toString(16).padStart(24, '0'));
  }

  accepts(fingerprint: Fingerprint): boolean {
    return fingerprint === this.fingerprint('key1') || fingerprint === this.fingerprint('key2');
  }

  record(...events: readonly RingEvent[]): void {
    for (const event of events) {
      const before = stepOf(this.ring);
      this.ring = evolve(this.ring, event);
      const after = stepOf(this.ring);
      if (after !== null && after !== before) this.steps.push(after);
    }
  }

  /** A worker that forgets everything it saw: a crash, or another worker. */
  crash(): void {
    this.seen = NOTHING_SEEN;
  }

  request(id = rotationId): void {
    const decision = decideRequest(this.ring, { rotationId: id, by: 'test', reason: 'test' }, this.now);
    if (!decision.accepted) throw new Error(decision.detail);
    this.record(...decision.events);
  }

  next(): Next {
    return plan(this.ring, this.seen, { ...terms, ...this.limits }, this.now);
  }

  /** Performs one decision; answers it, so that a spec can stop at any moment. */
  step(): Next {
    this.limbo = this.limbo.filter(({ executesAt, execute }) => {
      if (executesAt > this.now) return true;
      execute();
      return false;
    });
    const next = this.next();
    this.#perform(next);
    return next;
  }

  /** Runs until nothing is owed or a person is needed. */
  run({ rounds = 300 } = {}): Next {
    for (let round = 0; round < rounds; round += 1) {
      const next = this.step();
      this.check();
      if (next.do === 'rest' || next.do === 'halt') return next;
    }
    throw new Error(`no rest after ${rounds} rounds: ${JSON.stringify(this.next())}`);
  }

  /** Nobody is interrupted, and what the vault shows works. */
  check(): void {
    for (const [name, key] of Object.entries(this.consumers)) {
      if (key !== null && !this.accepts(key)) throw new Error(`consumer ${name} uses a refused key`);
    }
    if (this.vault !== 'missing' && !this.accepts(this.vault.fingerprint))
      throw new Error('the vault shows a refused key');
  }

  #perform(next: Next): void {
    switch (next.do) {
      case 'list-keys':
        this.seen = {
          ...this.seen,
          keys: {
            fingerprints: { key1: this.fingerprint('key1'), key2: this.fingerprint('key2') },
            revision: this.ring.revision,
          },
        };
        return;
      case 'read-vault': {
        const { vault } = this;
        const current =
          vault === 'missing' ? ({ is: 'missing' } as const) : ({ is: 'ours', ...vault } as const);
        this.seen = { ...this.seen, vault: { current, revision: this.ring.revision } };
        return;
      }
      case 'probe':
      case 'prove-retired': {
        const kind = next.do === 'probe' ? 'probes' : 'proofs';
        const verdict = this.accepts(next.fingerprint) ? 'accepted' : 'refused';
        const tries = (this.seen[kind][next.fingerprint]?.tries ?? 0) + 1;
        this.seen = {
          ...this.seen,
          [kind]: { ...this.seen[kind], [next.fingerprint]: { verdict, tries, at: this.now } },
        };
        return;
      }
      case 'record':
        this.record(next.event);
        return;
      case 'regenerate':
        this.#regenerate(next.slot, next.before);
        return;
      case 'publish':
        this.#publish(next);
        return;
      case 'ask-switch':
        this.#askSwitch(next.request);
        return;
      case 'wait':
        this.record({ type: 'WaitingFor', at: this.now, what: next.what });
        this.now = Math.max(this.now + 100, next.what.until ?? 0);
        this.#silenceIsTold();
        return;
      case 'halt':
        this.record({
          type: 'RotationHalted',
          at: this.now,
          reason: next.reason,
          detail: next.detail,
          remedy: next.remedy,
        });
        return;
      case 'rest':
        return;
      default:
        throw new Error('unknown action');
    }
  }

  #regenerate(slot: KeySlot, before: Record<KeySlot, Fingerprint>): void {
    this.actions.push(`regenerate ${slot}`);
    const attempt = this.ring.attempts + 1;
    this.record({
      type: 'RegenerationIntended',
      at: this.now,
      slot,
      before,
      attempt,
      notAfter: this.now + 1_000,
    });
    const execute = () => {
      this.regenerated.push(slot);
      this.keys = { ...this.keys, [slot]: this.keys[slot] + 1 };
    };
    this.#send(execute, () => {
      const after = { key1: this.fingerprint('key1'), key2: this.fingerprint('key2') };
      this.record({ type: 'RegenerationAnswered', at: this.now, slot, attempt, after });
      this.seen = { ...this.seen, keys: { fingerprints: after, revision: this.ring.revision } };
    });
  }

  #publish({ slot, fingerprint, generation: number }: Extract<Next, { do: 'publish' }>): void {
    this.actions.push(`publish ${slot} as ${number}`);
    const attempt = this.ring.attempts + 1;
    this.record({
      type: 'PublicationIntended',
      at: this.now,
      slot,
      fingerprint,
      generation: number,
      attempt,
      notAfter: this.now + 1_000,
    });
    const version = `v${number}`;
    const execute = () => {
      this.vault = { slot, fingerprint, generation: number, version };
    };
    this.#send(execute, () => {
      this.record({
        type: 'Published',
        at: this.now,
        slot,
        fingerprint,
        generation: number,
        version,
        attempt,
      });
    });
  }

  #send(execute: () => void, answered: () => void): void {
    const fate = this.fates.shift() ?? 'answered';
    if (fate === 'late') this.limbo.push({ executesAt: this.now + 3_000, execute });
    if (fate === 'answered' || fate === 'answer-lost') execute();
    if (fate === 'answered') answered();
    else this.crash();
  }

  #askSwitch(request: number): void {
    const { published, rotation } = this.ring;
    if (published === null) throw new Error('nothing is published');
    const deadlineAt = this.now + terms.acknowledgeWithinMs;
    const waived = rotation?.waived ?? [];
    this.record({
      type: 'SwitchAsked',
      at: this.now,
      generation: published.generation,
      request,
      rotationId: rotation?.rotationId ?? null,
      deadlineAt,
      waived,
    });
    for (const name of Object.keys(this.consumers)) {
      if (!this.silent.has(name)) this.consumers[name] = published.fingerprint;
    }
    if (this.silent.size === 0 || waived.length >= this.silent.size) this.outcome('acknowledged');
  }

  /** The notifier speaks when the deadline passes. */
  #silenceIsTold(): void {
    const { asked } = this.ring;
    if (asked !== null && !hasEvidence(this.ring) && asked.overdue === null && this.now > asked.deadlineAt)
      this.outcome('overdue');
  }

  outcome(
    outcome: SwitchOutcome['outcome'],
    { request = this.ring.asked?.request ?? 0, of = this.ring.published?.generation ?? 0 } = {},
  ): void {
    const decision = decideOutcome(
      this.ring,
      SwitchOutcome.data.parse({
        account,
        generation: generation(of),
        request,
        outcome,
        at: new Date(this.now).toISOString(),
        instances: 2,
        waived: [],
        missing: [...this.silent].map((consumer) => ({ consumer, generation: 0 })),
      }),
      this.now,
    );
    if (decision.accepted) this.record(...decision.events);
  }
}

function published(): SmallWorld {
  const world = new SmallWorld();
  world.run();
  world.actions.length = 0;
  world.steps.length = 0;
  return world;
}

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
