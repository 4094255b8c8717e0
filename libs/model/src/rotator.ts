// A rotator's moves: the loop of the rotator's shell, cut open wherever something may come in between.
import { NOTHING_SEEN, type Next, type Observed, type RingEvent } from '@twinkey/rotation';
import { answer, commit, fail, intendPublication, intendRegeneration, send, wait } from './calls.js';
import { Hand, IDLE } from './hand.js';
import { nameOf, versionOf } from './keys.js';
import { agedOf, inspect, list, probe, read } from './looks.js';
import { FAR, NOW } from './moments.js';
import { TROUBLE, type Breach, type Emit, type Model } from './moves.js';
import { record } from './record.js';
import { isAccepted, numberOf, replaced, type Asked, type World } from './world.js';

const MOST_QUESTIONS = 2;

export function rotatorMoves(world: World, model: Model, emit: Emit): void {
  world.rotators.forEach((rotator, number) => {
    const hand = new Hand(world, number, rotator, model, emit);
    switch (rotator.at) {
      case 'idle':
        begin(hand);
        break;
      case 'working':
        step(hand, rotator.seen);
        break;
      case 'decided':
        commit(hand);
        break;
      case 'intended':
        send(hand);
        break;
      case 'sent':
        wait(hand);
        break;
      case 'executed':
        answer(hand);
        break;
    }
    if (rotator.at !== 'idle' && model.scenario.rotatorsFail) fail(hand);
  });
}

export function begin(hand: Hand): void {
  const { world, model, rotator, number } = hand;
  const { seen } = rotator;
  if (seen !== NOTHING_SEEN) {
    hand.emit(() => `${hand.name} forgets what it saw`, hand.with({ seen: NOTHING_SEEN }));
  }
  if (world.lease !== 0) return;
  const next = model.plan(world, seen);
  if (next.do === 'rest') {
    inspect(hand);
    return;
  }
  if (next.do === 'wait') {
    const aged = agedOf(seen);
    if (next.what.for !== 'propagation' || aged === seen) return;
    const later = model.plan(world, aged);
    if (later.do === 'rest' || later.do === 'wait') return;
    hand.emit(() => `${hand.name} takes the lease again after a pause`, {
      ...world,
      lease: number + 1,
      rotators: replaced(world.rotators, number, { ...rotator, at: 'working', seen: aged }),
    });
    return;
  }
  hand.emit(() => `${hand.name} takes the lease`, {
    ...world,
    lease: number + 1,
    rotators: replaced(world.rotators, number, { ...rotator, at: 'working' }),
  });
}

export function step(hand: Hand, seen: Observed): void {
  const { world, model } = hand;
  if (!hand.mayCommit) {
    hand.emit(() => `${hand.name} finds its lease lost`, hand.with(IDLE));
    return;
  }
  const next = model.plan(world, seen);
  switch (next.do) {
    case 'rest':
      hand.emit(() => `${hand.name}: nothing is owed; it lets the lease go`, hand.ended(NOTHING_SEEN));
      return;
    case 'wait':
      hand.emit(() => `${hand.name} waits: ${next.what.detail}`, hand.ended(seen));
      return;
    case 'halt':
      halt(hand, next);
      return;
    case 'list-keys':
      list(hand, seen);
      return;
    case 'read-vault':
      read(hand, seen);
      return;
    case 'probe':
    case 'prove-retired':
      probe(hand, next, seen);
      return;
    case 'record':
      recordEvent(hand, next.event);
      return;
    case 'ask-switch':
      ask(hand, next.request);
      return;
    case 'regenerate':
      intendRegeneration(hand, next);
      return;
    case 'publish':
      intendPublication(hand, next);
      return;
    default:
      throw new Error('the plan asks for something that the model does not know');
  }
}

export function halt(hand: Hand, { reason, detail, remedy }: Extract<Next, { do: 'halt' }>): void {
  const { world } = hand;
  const halted =
    world.ring.rotation === null
      ? world
      : record(world, { type: 'RotationHalted', at: NOW, reason, detail, remedy });
  hand.emit(() => `${hand.name} halts: ${detail}`, hand.ended(NOTHING_SEEN, halted));
}

export function recordEvent(hand: Hand, event: RingEvent): void {
  const { world } = hand;
  const breach = breachOf(world, event);
  let after = record(world, event);
  if (event.type === 'GateForced') after = abandon(after, event.missing);
  if (event.type === 'DriftFound' && !hand.model.rules.driftVoidsEvidence)
    after = { ...after, ring: { ...after.ring, evidence: world.ring.evidence, asked: world.ring.asked } };
  hand.emit(() => `${hand.name} records ${tellEvent(event)}`, hand.with({}, after), { breach });
}

export function ask(hand: Hand, request: number): void {
  const { world, model } = hand;
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
  const say = () => `${hand.name} asks whether everyone uses generation ${generation} (request ${request})`;
  hand.emit(say, hand.with({}, { ...after, questions }));
  if (!model.rules.questionsLeaveThroughTheOutbox)
    hand.emit(() => `${say()} and dies before it is sent`, hand.ended(NOTHING_SEEN, after), TROUBLE);
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

function abandon(world: World, missing: readonly string[]): World {
  const processes = world.processes.map((process, index) =>
    missing.includes(`c${index}/i${index}`) ? { ...process, abandoned: true } : process,
  );
  return { ...world, processes };
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
