// The plan against a small world: an account, a vault, consumers and a rotator that may die between any two moments.
import {
  AccountId,
  Fingerprint,
  generation,
  RotationId,
  SwitchOutcome,
  type KeySlot,
} from '@twinkey/contracts';
import { decideOutcome, decideRequest, type RotationRequest } from '../decide.js';
import type { RingEvent } from '../events.js';
import { evolve } from '../evolve.js';
import { emptyRing, type KeyRing } from '../key-ring.js';
import { NOTHING_SEEN, type Observed, type SeenVault } from '../observed.js';
import type { Next } from '../next.js';
import { plan } from '../plan.js';
import { hasEvidence, stepOf } from '../steps.js';
import { termsFor, type Terms } from '../terms.js';

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

/** The current version of the secret; `untagged`: a stranger wrote it. */
interface Shown {
  readonly slot: KeySlot;
  readonly fingerprint: Fingerprint;
  readonly generation: number;
  readonly version: string;
  readonly untagged?: boolean;
}

interface Limbo {
  readonly what: 'regenerate' | 'publish';
  readonly slot: KeySlot;
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
  vault: Shown | 'missing' = 'missing';
  /** The key of each instance, as the account names it. */
  consumers: Record<string, Fingerprint | null> = { a: null, b: null };
  silent = new Set<string>();
  /** Nobody ever registered, and the policy says to wait. */
  nobody = false;
  /** What the consumers' last calls with the older key take after everyone has switched. */
  drainMs = 0;
  #drainedAt = 0;
  /** How long the data plane honours an old key, and does not know a new one. */
  lag = { oldForMs: 0, newAfterMs: 0 };
  readonly #aliveUntil = new Map<Fingerprint, number>();
  readonly #knownFrom = new Map<Fingerprint, number>();
  /** What each generation was ever intended for. */
  readonly #named = new Map<number, Fingerprint>();
  /** What a list shows while it is late. */
  lateList: Record<KeySlot, number> | null = null;
  /** What a lagging replica of the vault shows. */
  lateVault: SmallWorld['vault'] | null = null;
  limbo: Limbo[] = [];
  fates: Fate[] = [];
  /** Keys that a stranger replaced: whoever used them is interrupted by the stranger, until it is healed. */
  readonly #killedByStrangers = new Set<Fingerprint>();
  #writtenByStrangerAt = 0;
  /** When a key of the slot was last replaced by somebody else than us. */
  readonly strangerAt: Record<KeySlot, number> = { key1: 0, key2: 0 };

  constructor(readonly limits: Partial<Terms> = {}) {}

  fingerprint(slot: KeySlot, number = this.keys[slot]): Fingerprint {
    const digit = slot === 'key1' ? '1' : '2';
    return Fingerprint.parse(digit.repeat(8) + number.toString(16).padStart(24, '0'));
  }

  accepts(fingerprint: Fingerprint): boolean {
    const current = fingerprint === this.fingerprint('key1') || fingerprint === this.fingerprint('key2');
    return current
      ? this.now >= (this.#knownFrom.get(fingerprint) ?? 0)
      : this.now < (this.#aliveUntil.get(fingerprint) ?? 0);
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

  request(id = rotationId, what: Pick<RotationRequest, 'scope' | 'slot'> = {}): void {
    const asked = { rotationId: id, by: 'test', reason: 'test', ...what };
    const decision = decideRequest(this.ring, asked, this.now);
    if (!decision.accepted) throw new Error(decision.detail);
    this.record(...decision.events);
  }

  next(): Next {
    return plan(this.ring, this.seen, this.terms, this.now);
  }

  private get terms(): Terms {
    return { ...terms, ...this.limits };
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

  /** Performs what was decided elsewhere than in the plan. */
  perform(next: Next): void {
    this.#perform(next);
  }

  /** Runs until nothing is owed or a person is needed. */
  run({ rounds = 2_000 } = {}): Next {
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
      if (key !== null && !this.#works(key)) throw new Error(`consumer ${name} uses a refused key`);
    }
    const ours = this.vault !== 'missing' && this.vault.untagged !== true ? this.vault.fingerprint : null;
    if (ours !== null && !this.#works(ours)) throw new Error('the vault shows a refused key');
  }

  #works(key: Fingerprint): boolean {
    return this.accepts(key) || this.#killedByStrangers.has(key);
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
        const current = shown(vault);
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
        if (next.event.type === 'KeyRetired' && this.accepts(next.event.fingerprint))
          throw new Error('a key is recorded as retired that is still accepted');
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
        // In small steps, since others act while one waits.
        this.now += Math.min(Math.max(100, (next.what.until ?? 0) - this.now), 400);
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
        this.crash(); // as a worker does: a replay looks at everything anew
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
    const { published } = this.ring;
    // What a stranger wrote since the plan looked, or shortly before, it cannot know.
    const unseen = this.#writtenByStrangerAt > (this.seen.vault?.at ?? 0) - this.terms.quiescenceMs;
    const shown = this.vault === 'missing' || unseen ? null : this.vault.fingerprint;
    if (published?.slot === slot || shown === this.fingerprint(slot))
      throw new Error(`${slot} is regenerated although consumers read it`);
    if (this.limbo.some((call) => call.what === 'regenerate' || call.slot === slot))
      throw new Error(`${slot} is regenerated while a call may still execute`);
    if (this.now < this.#drainedAt) throw new Error(`${slot} is regenerated while calls are dying`);
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
      this.replaceKey(slot);
    };
    this.#send({ what: 'regenerate', slot }, execute, () => {
      const after = { key1: this.fingerprint('key1'), key2: this.fingerprint('key2') };
      this.record({ type: 'RegenerationAnswered', at: this.now, slot, attempt, after });
      this.seen = { ...this.seen, keys: { fingerprints: after, revision: this.ring.revision, at: this.now } };
    });
  }

  #publish({ slot, fingerprint, generation: number }: Extract<Next, { do: 'publish' }>): void {
    if (!this.#works(fingerprint)) throw new Error(`${slot} is published unverified`);
    if ((this.#named.get(number) ?? fingerprint) !== fingerprint)
      throw new Error(`generation ${number} names two keys`);
    // A version without tags has no generation.
    const tagged = this.vault === 'missing' || this.vault.untagged === true ? null : this.vault;
    if (tagged !== null && number <= tagged.generation && tagged.fingerprint !== fingerprint)
      throw new Error(`generation ${number} is not above what consumers have`);
    this.#named.set(number, fingerprint);
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
    this.#send({ what: 'publish', slot }, execute, () => {
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

  /** In the portal, whoever uses the key. */
  replaceByStranger(slot: KeySlot): void {
    this.#killedByStrangers.add(this.fingerprint(slot));
    this.strangerAt[slot] = this.now;
    this.replaceKey(slot);
  }

  /** The secret gets a version without our tags. */
  writeByStranger(slot: KeySlot): void {
    if (this.vault === 'missing') return;
    const fingerprint = this.fingerprint(slot);
    this.vault = { ...this.vault, slot, fingerprint, untagged: true, version: 'by-hand' };
    this.#writtenByStrangerAt = this.now;
  }

  /** Also what a stranger does in the portal to a key that nobody is on. */
  replaceKey(slot: KeySlot): void {
    this.#aliveUntil.set(this.fingerprint(slot), this.now + this.lag.oldForMs);
    this.keys = { ...this.keys, [slot]: this.keys[slot] + 1 };
    this.#knownFrom.set(this.fingerprint(slot), this.now + this.lag.newAfterMs);
  }

  #send(call: Pick<Limbo, 'what' | 'slot'>, execute: () => void, answered: () => void): void {
    const fate = this.fates.shift() ?? 'answered';
    if (fate === 'late') this.limbo.push({ ...call, executesAt: this.now + 3_000, execute });
    if (fate === 'answered' || fate === 'answer-lost') execute();
    if (fate === 'answered') answered();
    else this.crash();
  }

  #askSwitch(request: number): void {
    const { published, rotation } = this.ring;
    if (published === null) throw new Error('nothing is published');
    const deadlineAt = this.now + termsFor(this.ring, this.terms).acknowledgeWithinMs;
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
    if (this.nobody) return;
    if (this.silent.size === 0 || waived.length >= this.silent.size) this.outcome('acknowledged');
  }

  /** Whoever was silent follows at last. */
  follow(): void {
    this.silent.clear();
    const { published } = this.ring;
    if (published === null) return;
    for (const name of Object.keys(this.consumers)) this.consumers[name] = published.fingerprint;
    this.outcome('acknowledged');
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
        ...(outcome === 'acknowledged' ? { openFrom: new Date(this.now + this.drainMs).toISOString() } : {}),
        instances: 2,
        waived: [],
        missing: [...this.silent].map((consumer) => ({ consumer, generation: 0 })),
      }),
      this.now,
    );
    if (!decision.accepted) return;
    if (outcome === 'acknowledged') this.#drainedAt = this.now + this.drainMs;
    this.record(...decision.events);
  }
}

function shown(vault: SmallWorld['vault']): SeenVault['current'] {
  if (vault === 'missing') return { is: 'missing' };
  const { untagged = false, ...ours } = vault;
  return untagged
    ? { is: 'untagged', fingerprint: ours.fingerprint, version: ours.version }
    : { is: 'ours', ...ours };
}

/** A ring with key2 published, and a rotation of both keys asked for. */
export function requested(): KeyRing {
  const world = published();
  world.request();
  return world.ring;
}

export function published(): SmallWorld {
  const world = new SmallWorld();
  world.run();
  world.actions.length = 0;
  world.steps.length = 0;
  return world;
}
