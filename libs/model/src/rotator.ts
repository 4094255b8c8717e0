// A rotator's moves: the loop of the rotator's shell, cut open wherever something may come in between.
import {
  inspect,
  NOTHING_SEEN,
  type Next,
  type Observed,
  type RingEvent,
  type SeenVault,
} from '@twinkey/rotation';

import { execute, tellCall } from './azure.js';
import { nameOf, printsOf, slotOf, versionOf, printOf, type Versions } from './keys.js';
import { FAR, LONG_AGO, NOW } from './moments.js';
import { TROUBLE, type Breach, type Emit, type Model } from './moves.js';
import { record } from './record.js';
import {
  isAccepted,
  numberOf,
  replaced,
  sameKey,
  type Asked,
  type Call,
  type Rotator,
  type World,
} from './world.js';

export const IDLE: Rotator = { at: 'idle', call: null, after: null, seen: NOTHING_SEEN };
const MOST_DOUBTS = 2;
const MOST_QUESTIONS = 2;

export function rotatorMoves(world: World, model: Model, emit: Emit): void {
  world.rotators.forEach((rotator, number) => {
    const hand = new Hand(world, number, rotator, model, emit);
    switch (rotator.at) {
      case 'idle':
        hand.begin();
        break;
      case 'working':
        hand.step(rotator.seen);
        break;
      case 'decided':
        hand.commit();
        break;
      case 'intended':
        hand.send();
        break;
      case 'sent':
        hand.wait();
        break;
      case 'executed':
        hand.answer();
        break;
    }
    if (rotator.at !== 'idle' && model.scenario.rotatorsFail) hand.fail();
  });
}

/** One rotator in one world. */
class Hand {
  readonly #owns: boolean;
  /** A worker without the lease cannot commit; without that rule it can. */
  readonly #mayCommit: boolean;

  constructor(
    private readonly world: World,
    private readonly number: number,
    private readonly rotator: Rotator,
    private readonly model: Model,
    private readonly emit: Emit,
  ) {
    this.#owns = world.lease === number + 1;
    this.#mayCommit = this.#owns || !model.rules.commitsNeedTheLease;
  }

  get #name(): string {
    return `R${this.number + 1}`;
  }

  /** Takes the lease if there is something to do; what an earlier turn saw may still be in memory. */
  begin(): void {
    const { world, model, rotator, number } = this;
    const { seen } = rotator;
    if (seen !== NOTHING_SEEN) {
      this.emit(() => `${this.#name} forgets what it saw`, this.#with({ seen: NOTHING_SEEN }));
    }
    if (world.lease !== 0) return;
    const next = model.plan(world, seen);
    if (next.do === 'rest') {
      this.#inspect();
      return;
    }
    if (next.do === 'wait') {
      const aged = agedOf(seen);
      if (next.what.for !== 'propagation' || aged === seen) return;
      const later = model.plan(world, aged);
      if (later.do === 'rest' || later.do === 'wait') return;
      this.emit(() => `${this.#name} takes the lease again after a pause`, {
        ...world,
        lease: number + 1,
        rotators: replaced(world.rotators, number, { ...rotator, at: 'working', seen: aged }),
      });
      return;
    }
    this.emit(() => `${this.#name} takes the lease`, {
      ...world,
      lease: number + 1,
      rotators: replaced(world.rotators, number, { ...rotator, at: 'working' }),
    });
  }

  /**
   * The look at an account at rest, all of it at once: it changes nothing outside, and what it may record is only that
   * somebody should look.
   */
  #inspect(): void {
    const { world, model } = this;
    const { strangers, handWrites, restores } = model.scenario.budget;
    if (strangers + handWrites + restores === 0 || !model.rules.looksAtRest) return;
    let seen = NOTHING_SEEN;
    for (;;) {
      const next = inspect(world.ring, seen, NOW);
      if (next.do === 'read-vault') {
        const current = shownAs(world.vault);
        seen = { ...seen, vault: { current, revision: world.ring.revision, at: NOW } };
      } else if (next.do === 'probe') {
        const verdict = isAccepted(world, { slot: next.slot, version: versionOf(next.fingerprint) })
          ? 'accepted'
          : 'refused';
        seen = { ...seen, probes: { [next.fingerprint]: { verdict, tries: 1, at: NOW } } };
      } else {
        if (next.do !== 'record') return;
        const { event } = next;
        this.emit(
          () => `${this.#name} looks at the account at rest: it is not as it was left`,
          record(world, event),
        );
        return;
      }
    }
  }

  step(seen: Observed): void {
    const { world, model } = this;
    if (!this.#mayCommit) {
      this.emit(() => `${this.#name} finds its lease lost`, this.#with(IDLE));
      return;
    }
    const next = model.plan(world, seen);
    switch (next.do) {
      case 'rest':
        this.emit(() => `${this.#name}: nothing is owed; it lets the lease go`, this.#ended(NOTHING_SEEN));
        return;
      case 'wait':
        this.emit(() => `${this.#name} waits: ${next.what.detail}`, this.#ended(seen));
        return;
      case 'halt':
        this.#halt(next);
        return;
      case 'list-keys':
        this.#list(seen);
        return;
      case 'read-vault':
        this.#read(seen);
        return;
      case 'probe':
      case 'prove-retired':
        this.#probe(next, seen);
        return;
      case 'record':
        this.#record(next.event);
        return;
      case 'ask-switch':
        this.#ask(next.request);
        return;
      case 'regenerate':
        this.#intendRegeneration(next);
        return;
      case 'publish':
        this.#intendPublication(next);
        return;
      default:
        throw new Error('the plan asks for something that the model does not know');
    }
  }

  #with(change: Partial<Rotator>, world = this.world): World {
    return { ...world, rotators: replaced(world.rotators, this.number, { ...this.rotator, ...change }) };
  }

  #ended(seen: Observed, world = this.world): World {
    return { ...this.#with({ ...IDLE, seen }, world), lease: this.#owns ? 0 : world.lease };
  }

  #halt({ reason, detail, remedy }: Extract<Next, { do: 'halt' }>): void {
    const { world } = this;
    const halted =
      world.ring.rotation === null
        ? world
        : record(world, { type: 'RotationHalted', at: NOW, reason, detail, remedy });
    this.emit(() => `${this.#name} halts: ${detail}`, this.#ended(NOTHING_SEEN, halted));
  }

  #list(seen: Observed): void {
    const { world } = this;
    const look = (versions: Versions): World =>
      this.#with({
        seen: { ...seen, keys: { fingerprints: printsOf(versions), revision: world.ring.revision, at: NOW } },
      });
    const tell = (versions: Versions) =>
      `${nameOf({ slot: 'key1', version: versions.key1 })} and ${nameOf({ slot: 'key2', version: versions.key2 })}`;
    this.emit(() => `${this.#name} lists the keys: ${tell(world.account)}`, look(world.account));
    const { lateList, account } = world;
    if (lateList.key1 !== account.key1 || lateList.key2 !== account.key2)
      this.emit(() => `${this.#name} gets a late list: ${tell(lateList)}`, look(lateList), TROUBLE);
  }

  #read(seen: Observed): void {
    const { world } = this;
    const look = (shown: World['vault']): World =>
      this.#with({
        seen: { ...seen, vault: { current: shownAs(shown), revision: world.ring.revision, at: NOW } },
      });
    const tell = (shown: World['vault']) =>
      shown.generation === 0
        ? `${nameOf(shown)}, by hand`
        : `${nameOf(shown)}, generation ${shown.generation}`;
    this.emit(() => `${this.#name} reads the vault: ${tell(world.vault)}`, look(world.vault));
    if (world.lateVault !== world.vault)
      this.emit(
        () => `${this.#name} reads a lagging replica of the vault: ${tell(world.lateVault)}`,
        look(world.lateVault),
        TROUBLE,
      );
  }

  #probe(next: Extract<Next, { do: 'probe' | 'prove-retired' }>, seen: Observed): void {
    const { world, model } = this;
    const { slot, fingerprint } = next;
    const key = { slot, version: versionOf(fingerprint) };
    const accepted = isAccepted(world, key);
    const verdict = accepted ? 'accepted' : 'refused';
    const kind = next.do === 'probe' ? 'probes' : 'proofs';
    const tries = (seen[kind][fingerprint]?.tries ?? 0) + 1;
    const answer = { verdict, tries, at: LONG_AGO } as const;
    const told = { ...seen, [kind]: { ...seen[kind], [fingerprint]: answer } };
    // One that disagrees is asked again after a pause, with the lease let go.
    const disagrees = accepted !== (next.do === 'probe') && model.scenario.probeTries > 1;
    this.emit(
      () => `${this.#name} asks the data plane about ${nameOf(key)}: ${verdict}`,
      disagrees ? this.#ended(seen) : this.#with({ seen: told }),
    );
    // Whether the hold still knows the value depends on when it began; both are possible.
    if (next.do === 'prove-retired' && !seen.forgotten.includes(fingerprint))
      this.emit(
        () => `${this.#name} never knew the value of ${nameOf(key)}`,
        this.#with({ seen: { ...seen, forgotten: [...seen.forgotten, fingerprint] } }),
      );
  }

  #record(event: RingEvent): void {
    const { world } = this;
    const breach = breachOf(world, event);
    let after = record(world, event);
    if (event.type === 'GateForced') after = abandon(after, event.missing);
    if (event.type === 'DriftFound' && !this.model.rules.driftVoidsEvidence)
      after = { ...after, ring: { ...after.ring, evidence: world.ring.evidence, asked: world.ring.asked } };
    this.emit(() => `${this.#name} records ${tellEvent(event)}`, this.#with({}, after), { breach });
  }

  #ask(request: number): void {
    const { world, model } = this;
    const { published, rotation } = world.ring;
    if (published === null) throw new Error('a switch is asked for although nothing is published');
    const waived = rotation?.waived ?? [];
    const { generation } = published;
    const after = record(world, {
      type: 'SwitchAsked',
      at: NOW,
      generation,
      request,
      rotationId: rotation?.rotationId ?? null,
      deadlineAt: FAR,
      waived,
    });
    const question: Asked = {
      slot: published.slot,
      version: versionOf(published.fingerprint),
      generation,
      request,
      waived,
    };
    const questions = [...world.questions, question].slice(-MOST_QUESTIONS);
    const say = () =>
      `${this.#name} asks whether everyone uses generation ${generation} (request ${request})`;
    this.emit(say, this.#with({}, { ...after, questions }));
    if (!model.rules.questionsLeaveThroughTheOutbox)
      this.emit(() => `${say()} and dies before it is sent`, this.#ended(NOTHING_SEEN, after), TROUBLE);
  }

  /** Without a look at the version, a decision is committed to a ring that may have changed since. */
  commit(): void {
    const { slot, version, generation, what } = this.#call();
    if (!this.#mayCommit) {
      this.emit(() => `${this.#name} finds its lease lost`, this.#with(IDLE));
      return;
    }
    const before = printsOf(this.world.account);
    if (what === 'regenerate') this.#intendRegeneration({ do: what, slot, before }, true);
    else this.#intendPublication({ do: what, slot, fingerprint: printOf(slot, version), generation }, true);
  }

  #decided(call: Call): boolean {
    if (this.model.rules.commitsNeedTheVersion) return false;
    this.emit(() => `${this.#name} decides on ${tellCall(call)}`, this.#with({ at: 'decided', call }));
    return true;
  }

  #intendRegeneration({ slot, before }: Extract<Next, { do: 'regenerate' }>, isDecided = false): void {
    const { world, model } = this;
    if (!isDecided && this.#decided({ what: 'regenerate', slot, version: 0, generation: 0, attempt: 0 }))
      return;
    const attempt = world.ring.attempts + 1;
    const call: Call = { what: 'regenerate', slot, version: 0, generation: 0, attempt };
    const after = model.rules.intentComesFirst
      ? record(world, { type: 'RegenerationIntended', at: NOW, slot, before, attempt, notAfter: NOW })
      : world;
    const stray = model.rules.commandsGoThroughThePlan
      ? after
      : { ...after, limbo: [...after.limbo, { ...call, attempt: 0, stray: true }].slice(0, 2) };
    this.emit(
      () => `${this.#name} commits the intent to regenerate ${slot}`,
      this.#with({ at: 'intended', call }, stray),
      { breach: this.#breachOfIntent(slot) },
    );
  }

  /** Judged by what this rotator itself read, so that nobody answers for a stranger's write of the next moment. */
  #breachOfIntent(slot: Call['slot']): Breach | null {
    const { ring, vault, account } = this.world;
    if (ring.published?.slot === slot)
      return { invariant: 'I6', detail: `a regeneration of the published slot ${slot} is decided` };
    const current = { slot, version: account[slot] };
    if (vault.generation > 0 && vault.slot === slot && sameKey(vault, current))
      return { invariant: 'I6', detail: `a regeneration of ${slot} is decided while the vault shows it` };
    const seen = this.rotator.seen.vault?.current;
    if (seen !== undefined && seen.is !== 'missing' && seen.fingerprint === printOf(slot, account[slot]))
      return {
        invariant: 'I2',
        detail: `${nameOf(current)} is to be regenerated although the vault showed it`,
      };
    return null;
  }

  #intendPublication(
    { slot, fingerprint, generation }: Extract<Next, { do: 'publish' }>,
    isDecided = false,
  ): void {
    const { world, model } = this;
    const key = { slot, version: versionOf(fingerprint) };
    if (!isDecided && this.#decided({ what: 'publish', ...key, generation, attempt: 0 })) return;
    if (world.ring.slots[slot].publications.length >= MOST_DOUBTS) return; // a bound of the model
    const attempt = world.ring.attempts + 1;
    const version = versionOf(fingerprint);
    const call: Call = { what: 'publish', slot, version, generation, attempt };
    const after = model.rules.intentComesFirst
      ? record(world, {
          type: 'PublicationIntended',
          at: NOW,
          slot,
          fingerprint,
          generation,
          attempt,
          notAfter: NOW,
        })
      : world;
    const other = world.limbo.find(
      (one) => one.what === 'publish' && one.generation === generation && !sameKey(one, call),
    );
    const breach: Breach | null =
      other === undefined
        ? null
        : {
            invariant: 'I4',
            detail: `generation ${generation} is to name ${nameOf(call)}, and may name ${nameOf(other)}`,
          };
    this.emit(
      () => `${this.#name} commits the intent: ${tellCall(call)}`,
      this.#with({ at: 'intended', call }, after),
      { breach },
    );
  }

  /** The last thing before the bytes leave is a look at the lease. */
  send(): void {
    const { model } = this;
    const call = this.#call();
    if (!this.#owns && model.rules.sendingNeedsTheLease) {
      this.emit(() => `${this.#name} does not send: its lease is over`, this.#with(IDLE));
      return;
    }
    this.emit(() => `${this.#name} sends ${tellCall(call)}`, this.#with({ at: 'sent' }));
    if (model.scenario.callsAreRefused && this.#mayCommit) {
      const { what, slot, attempt } = call;
      const type = what === 'regenerate' ? 'RegenerationNotExecuted' : 'PublicationNotExecuted';
      const after = record(this.world, { type, at: NOW, slot, attempt, code: 'throttled' });
      // A list from before the intent is as good as it was.
      const { seen } = this.rotator;
      const still =
        what === 'regenerate' && seen.keys !== null
          ? { ...seen, keys: { ...seen.keys, revision: after.ring.revision } }
          : seen;
      this.emit(() => `${this.#name}: ${tellCall(call)} is refused`, this.#ended(still, after), TROUBLE);
    }
  }

  wait(): void {
    const { world, model, rotator } = this;
    const call = this.#call();
    const executed = execute(world, call, model);
    this.emit(
      () => `${tellCall(call)} of ${this.#name} executes`,
      this.#with({ ...rotator, at: 'executed', after: executed.world.account }, executed.world),
      { breach: executed.breach },
    );
    if (!model.scenario.callsAreLost) return;
    const doubt = this.#inDoubt();
    if (world.limbo.length < model.scenario.limbo) {
      const limbo = [...world.limbo, call];
      this.emit(
        () => `${this.#name} gives ${tellCall(call)} up; it is still under way`,
        { ...doubt, limbo },
        TROUBLE,
      );
    }
    this.emit(() => `${this.#name} gives ${tellCall(call)} up; it got lost`, doubt, TROUBLE);
  }

  answer(): void {
    const { model, rotator } = this;
    const call = this.#call();
    if (!this.#mayCommit) {
      this.emit(() => `${this.#name} gets an answer, and may not record it`, this.#with(IDLE));
      return;
    }
    const { what, slot, attempt, version, generation } = call;
    if (what === 'regenerate') {
      if (rotator.after === null) throw new Error('an executed regeneration has no answer');
      const fingerprints = printsOf(rotator.after);
      let after = record(this.#intendedNow(), {
        type: 'RegenerationAnswered',
        at: NOW,
        slot,
        attempt,
        after: fingerprints,
      });
      if (!model.rules.doubtIsSticky) after = forgetDoubt(after, slot, 'regenerations');
      const keys = { fingerprints, revision: after.ring.revision, at: NOW };
      this.emit(
        () => `${this.#name} records the answer: ${slot} holds a new key`,
        this.#with({ at: 'working', call: null, after: null, seen: { ...rotator.seen, keys } }, after),
      );
    } else {
      const fingerprint = printOf(slot, version);
      let after = record(this.#intendedNow(), {
        type: 'Published',
        at: NOW,
        slot,
        fingerprint,
        generation,
        version: 'v',
        attempt,
      });
      if (!model.rules.doubtIsSticky) after = forgetDoubt(after, slot, 'publications');
      this.emit(
        () => `${this.#name} records that ${nameOf(call)} is published as generation ${generation}`,
        this.#with({ at: 'working', call: null, after: null }, after),
      );
    }
    if (model.scenario.callsAreLost)
      this.emit(() => `the answer to ${this.#name} is lost`, this.#inDoubt(), TROUBLE);
  }

  /** A rotator that dies, sleeps too long or is cut off loses the lease; what it sent may still execute. */
  fail(): void {
    const { world, model, rotator } = this;
    const { call } = rotator;
    const keepsGoing =
      (rotator.at === 'intended' && !model.rules.sendingNeedsTheLease) || !model.rules.commitsNeedTheLease;
    const lease = this.#owns ? 0 : world.lease;
    if (rotator.at === 'sent' && call !== null && world.limbo.length < model.scenario.limbo)
      this.emit(
        () => `${this.#name} dies or loses its lease; ${tellCall(call)} is still under way`,
        { ...this.#with(IDLE), lease, limbo: [...world.limbo, call] },
        TROUBLE,
      );
    this.emit(() => `${this.#name} dies or loses its lease`, { ...this.#with(IDLE), lease }, TROUBLE);
    if (keepsGoing && this.#owns)
      this.emit(() => `${this.#name} is frozen, and its lease ends`, { ...world, lease: 0 }, TROUBLE);
  }

  /** Without the rule that the intent comes first, the ring hears of a call when it is over. */
  #intendedNow(): World {
    const { world, model } = this;
    if (model.rules.intentComesFirst) return world;
    const { what, slot, attempt, version, generation } = this.#call();
    return record(
      world,
      what === 'regenerate'
        ? {
            type: 'RegenerationIntended',
            at: NOW,
            slot,
            before: printsOf(world.account),
            attempt,
            notAfter: NOW,
          }
        : {
            type: 'PublicationIntended',
            at: NOW,
            slot,
            fingerprint: printOf(slot, version),
            generation,
            attempt,
            notAfter: NOW,
          },
    );
  }

  #inDoubt(): World {
    const { model } = this;
    const { what, slot, attempt } = this.#call();
    if (!this.#mayCommit) return this.#with(IDLE);
    const type = what === 'regenerate' ? 'RegenerationInDoubt' : 'PublicationInDoubt';
    const after = record(this.#intendedNow(), { type, at: NOW, slot, attempt, detail: '' });
    if (!model.rules.oneRequestPerIntent) return this.#with({ at: 'sent', after: null }, this.world);
    if (!model.rules.forwardOnly && what === 'regenerate') return this.#compensate(after);
    return this.#with({ at: 'working', call: null, after: null }, after);
  }

  /** "Take back": the key from before the call is made current again. */
  #compensate(world: World): World {
    const { slot } = this.#call();
    const attempt = world.ring.attempts + 1;
    const generation = world.ring.highestGeneration + 1;
    const listed = this.rotator.seen.keys?.fingerprints[slot];
    const fingerprint = listed ?? printOf(slot, 0);
    const call: Call = {
      what: 'publish',
      slot: slotOf(fingerprint),
      version: versionOf(fingerprint),
      generation,
      attempt,
    };
    const after = record(world, {
      type: 'PublicationIntended',
      at: NOW,
      slot,
      fingerprint,
      generation,
      attempt,
      notAfter: NOW,
    });
    return this.#with({ at: 'intended', call, after: null }, after);
  }

  #call(): Call {
    const { call } = this.rotator;
    if (call === null) throw new Error('no call is under way');
    return call;
  }
}

function shownAs({ slot, version, generation }: World['vault']): SeenVault['current'] {
  const fingerprint = printOf(slot, version);
  return generation === 0
    ? { is: 'untagged', fingerprint, version: 'v' }
    : { is: 'ours', slot, fingerprint, generation, version: 'v' };
}

/** The same look, a while later. */
function agedOf(seen: Observed): Observed {
  const { keys, vault } = seen;
  if ((keys === null || keys.at === LONG_AGO) && (vault === null || vault.at === LONG_AGO)) return seen;
  return {
    ...seen,
    keys: keys && { ...keys, at: LONG_AGO },
    vault: vault && { ...vault, at: LONG_AGO },
  };
}

function breachOf(world: World, event: RingEvent): Breach | null {
  if (event.type === 'KeyRetired') {
    const key = { slot: event.slot, version: versionOf(event.fingerprint) };
    const lives = world.account[key.slot] === key.version;
    if (lives || (event.proof === 'refused' && isAccepted(world, key)))
      return { invariant: 'I5', detail: `${nameOf(key)} is recorded as retired, and it lives` };
  }
  if (event.type === 'RotationCompleted') {
    const asked = world.toRetire[numberOf(event.rotationId)] ?? {};
    for (const slot of ['key1', 'key2'] as const) {
      const version = asked[slot];
      if (version !== undefined && world.account[slot] <= version)
        return {
          invariant: 'I9',
          detail: `the rotation is complete, and ${nameOf({ slot, version })} lives`,
        };
    }
  }
  return null;
}

/** Those whom a deadline passed over lose their key. */
function abandon(world: World, missing: readonly string[]): World {
  const processes = world.processes.map((process, index) =>
    missing.includes(`c${index}/i${index}`) ? { ...process, abandoned: true } : process,
  );
  return { ...world, processes };
}

function forgetDoubt(world: World, slot: Call['slot'], kind: 'regenerations' | 'publications'): World {
  const { ring } = world;
  const slots = { ...ring.slots, [slot]: { ...ring.slots[slot], [kind]: [] } };
  return { ...world, ring: { ...ring, slots } };
}

function tellEvent(event: RingEvent): string {
  switch (event.type) {
    case 'RegenerationsSettled':
      return `that no older regeneration of ${event.slot} can execute any more`;
    case 'PublicationsSettled':
      return `that no older publication of ${event.slot} can execute any more`;
    case 'KeyRetired':
      return `that ${nameOf({ slot: event.slot, version: versionOf(event.fingerprint) })} is retired (${event.proof})`;
    case 'Published':
      return `that the vault shows generation ${event.generation}: it is published`;
    case 'DriftFound':
      return `drift: ${event.detail}`;
    case 'GateForced':
      return `that the gate is forced open without ${event.missing.join(', ')}`;
    default:
      return event.type;
  }
}
