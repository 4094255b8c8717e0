// The plan against a small world: an account, a vault, consumers and a rotator that may die between any two moments.
import {
  AccountId,
  Fingerprint,
  generation,
  RotationId,
  SwitchOutcome,
  type KeySlot,
} from '@twinkey/contracts';
import { decideOutcome, decideRequest } from '../decide.js';
import type { RingEvent } from '../events.js';
import { evolve } from '../evolve.js';
import { emptyRing, type KeyRing } from '../key-ring.js';
import { NOTHING_SEEN, type Observed } from '../observed.js';
import type { Next } from '../next.js';
import { plan } from '../plan.js';
import { hasEvidence, stepOf } from '../steps.js';
import type { Terms } from '../terms.js';

export const account = AccountId.parse(
  '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/speech',
);
export const rotationId = RotationId.parse('r-00000000000a');
export const terms: Terms = {
  quiescenceMs: 5_000,
  callDeadlineMs: 1_000,
  acknowledgeWithinMs: 60_000,
  onOverdue: 'hold',
  drainMs: 2_000,
  probeTries: 3,
  probePauseMs: 1_000,
  outcomePatienceMs: 10_000,
};

/** How a mutating call ends: answered, answered to nobody although it executed, or executed only later. */
export type Fate = 'answered' | 'answer-lost' | 'late' | 'never';

interface Limbo {
  readonly executesAt: number;
  readonly execute: () => void;
}

export class SmallWorld {
  now = 1_000_000;
  ring: KeyRing = emptyRing(account);
  seen: Observed = NOTHING_SEEN;
  readonly regenerated: KeySlot[] = [];
  readonly actions: string[] = [];
  /** Everything the plan asked for, waits and looks included. */
  readonly asked: Next[] = [];
  readonly steps: string[] = [];
  keys: Record<KeySlot, number> = { key1: 1, key2: 1 };
  vault: { slot: KeySlot; fingerprint: Fingerprint; generation: number; version: string } | 'missing' =
    'missing';
  /** The key of each instance, as the account names it. */
  consumers: Record<string, Fingerprint | null> = { a: null, b: null };
  silent = new Set<string>();
  /** What a list shows while it is late. */
  lateList: Record<KeySlot, number> | null = null;
  /** What a lagging replica of the vault shows. */
  lateVault: SmallWorld['vault'] | null = null;
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
    this.asked.push(next);
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
            fingerprints: this.#listed(),
            revision: this.ring.revision,
            at: this.now,
          },
        };
        return;
      case 'read-vault': {
        const vault = this.lateVault ?? this.vault;
        const current =
          vault === 'missing' ? ({ is: 'missing' } as const) : ({ is: 'ours', ...vault } as const);
        this.seen = { ...this.seen, vault: { current, revision: this.ring.revision, at: this.now } };
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

  #listed(): Record<KeySlot, Fingerprint> {
    const { key1, key2 } = this.lateList ?? this.keys;
    return { key1: this.fingerprint('key1', key1), key2: this.fingerprint('key2', key2) };
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
      this.seen = { ...this.seen, keys: { fingerprints: after, revision: this.ring.revision, at: this.now } };
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

export function published(): SmallWorld {
  const world = new SmallWorld();
  world.run();
  world.actions.length = 0;
  world.steps.length = 0;
  return world;
}
