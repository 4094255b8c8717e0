// Calls that change something outside: the intent first, then one request, then its end.
import type { Next } from '@twinkey/rotation';
import { execute, tellCall } from './azure.js';
import { IDLE, type Hand } from './hand.js';
import { nameOf, printOf, printsOf, slotOf, versionOf } from './keys.js';
import { NOW } from './moments.js';
import { TROUBLE, type Breach } from './moves.js';
import { record } from './record.js';
import { sameKey, type Call, type World } from './world.js';

/** A bound of the model: so many publications of a slot may be in doubt. */
const MOST_DOUBTS = 2;

export function commit(hand: Hand): void {
  const { slot, version, generation, what } = hand.call();
  if (!hand.mayCommit) {
    hand.emit(() => `${hand.name} finds its lease lost`, hand.with(IDLE));
    return;
  }
  const before = printsOf(hand.world.account);
  if (what === 'regenerate') intendRegeneration(hand, { do: what, slot, before }, true);
  else intendPublication(hand, { do: what, slot, fingerprint: printOf(slot, version), generation }, true);
}

export function decided(hand: Hand, call: Call): boolean {
  if (hand.model.rules.commitsNeedTheVersion) return false;
  hand.emit(() => `${hand.name} decides on ${tellCall(call)}`, hand.with({ at: 'decided', call }));
  return true;
}

export function intendRegeneration(
  hand: Hand,
  { slot, before }: Extract<Next, { do: 'regenerate' }>,
  isDecided = false,
): void {
  const { world, model } = hand;
  if (!isDecided && decided(hand, { what: 'regenerate', slot, version: 0, generation: 0, attempt: 0 }))
    return;
  const attempt = world.ring.attempts + 1;
  const call: Call = { what: 'regenerate', slot, version: 0, generation: 0, attempt };
  const after = model.rules.intentComesFirst
    ? record(world, { type: 'RegenerationIntended', at: NOW, slot, before, attempt, notAfter: NOW })
    : world;
  const stray = model.rules.commandsGoThroughThePlan
    ? after
    : { ...after, limbo: [...after.limbo, { ...call, attempt: 0, stray: true }].slice(0, 2) };
  hand.emit(
    () => `${hand.name} commits the intent to regenerate ${slot}`,
    hand.with({ at: 'intended', call }, stray),
    { breach: breachOfIntent(hand, slot) },
  );
}

export function breachOfIntent(hand: Hand, slot: Call['slot']): Breach | null {
  const { ring, vault, account } = hand.world;
  if (ring.published?.slot === slot)
    return { invariant: 'I6', detail: `a regeneration of the published slot ${slot} is decided` };
  const current = { slot, version: account[slot] };
  if (vault.generation > 0 && vault.slot === slot && sameKey(vault, current))
    return { invariant: 'I6', detail: `a regeneration of ${slot} is decided while the vault shows it` };
  const seen = hand.rotator.seen.vault?.current;
  if (seen !== undefined && seen.is !== 'missing' && seen.fingerprint === printOf(slot, account[slot]))
    return {
      invariant: 'I2',
      detail: `${nameOf(current)} is to be regenerated although the vault showed it`,
    };
  return null;
}

export function intendPublication(
  hand: Hand,
  { slot, fingerprint, generation }: Extract<Next, { do: 'publish' }>,
  isDecided = false,
): void {
  const { world, model } = hand;
  const key = { slot, version: versionOf(fingerprint) };
  if (!isDecided && decided(hand, { what: 'publish', ...key, generation, attempt: 0 })) return;
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
  hand.emit(
    () => `${hand.name} commits the intent: ${tellCall(call)}`,
    hand.with({ at: 'intended', call }, after),
    { breach },
  );
}

export function send(hand: Hand): void {
  const { model } = hand;
  const call = hand.call();
  if (!hand.owns && model.rules.sendingNeedsTheLease) {
    hand.emit(() => `${hand.name} does not send: its lease is over`, hand.with(IDLE));
    return;
  }
  hand.emit(() => `${hand.name} sends ${tellCall(call)}`, hand.with({ at: 'sent' }));
  if (model.scenario.callsAreRefused && hand.mayCommit) {
    const { what, slot, attempt } = call;
    const type = what === 'regenerate' ? 'RegenerationNotExecuted' : 'PublicationNotExecuted';
    const after = record(hand.world, { type, at: NOW, slot, attempt, code: 'throttled' });
    // A list from before the intent is as good as it was.
    const { seen } = hand.rotator;
    const still =
      what === 'regenerate' && seen.keys !== null
        ? { ...seen, keys: { ...seen.keys, revision: after.ring.revision } }
        : seen;
    hand.emit(() => `${hand.name}: ${tellCall(call)} is refused`, hand.ended(still, after), TROUBLE);
  }
}

export function wait(hand: Hand): void {
  const { world, model, rotator } = hand;
  const call = hand.call();
  const executed = execute(world, call, model);
  hand.emit(
    () => `${tellCall(call)} of ${hand.name} executes`,
    hand.with({ ...rotator, at: 'executed', after: executed.world.account }, executed.world),
    { breach: executed.breach },
  );
  if (!model.scenario.callsAreLost) return;
  const doubt = inDoubt(hand);
  if (world.limbo.length < model.scenario.limbo) {
    const limbo = [...world.limbo, call];
    hand.emit(
      () => `${hand.name} gives ${tellCall(call)} up; it is still under way`,
      { ...doubt, limbo },
      TROUBLE,
    );
  }
  hand.emit(() => `${hand.name} gives ${tellCall(call)} up; it got lost`, doubt, TROUBLE);
}

export function answer(hand: Hand): void {
  const { model, rotator } = hand;
  const call = hand.call();
  if (!hand.mayCommit) {
    hand.emit(() => `${hand.name} gets an answer, and may not record it`, hand.with(IDLE));
    return;
  }
  const { what, slot, attempt, version, generation } = call;
  if (what === 'regenerate') {
    if (rotator.after === null) throw new Error('an executed regeneration has no answer');
    const fingerprints = printsOf(rotator.after);
    let after = record(intendedNow(hand), {
      type: 'RegenerationAnswered',
      at: NOW,
      slot,
      attempt,
      after: fingerprints,
    });
    if (!model.rules.doubtIsSticky) after = forgetDoubt(after, slot, 'regenerations');
    const keys = { fingerprints, revision: after.ring.revision, at: NOW };
    hand.emit(
      () => `${hand.name} records the answer: ${slot} holds a new key`,
      hand.with({ at: 'working', call: null, after: null, seen: { ...rotator.seen, keys } }, after),
    );
  } else {
    const fingerprint = printOf(slot, version);
    let after = record(intendedNow(hand), {
      type: 'Published',
      at: NOW,
      slot,
      fingerprint,
      generation,
      version: 'v',
      attempt,
    });
    if (!model.rules.doubtIsSticky) after = forgetDoubt(after, slot, 'publications');
    hand.emit(
      () => `${hand.name} records that ${nameOf(call)} is published as generation ${generation}`,
      hand.with({ at: 'working', call: null, after: null }, after),
    );
  }
  if (model.scenario.callsAreLost)
    hand.emit(() => `the answer to ${hand.name} is lost`, inDoubt(hand), TROUBLE);
}

export function fail(hand: Hand): void {
  const { world, model, rotator } = hand;
  const { call } = rotator;
  const keepsGoing =
    (rotator.at === 'intended' && !model.rules.sendingNeedsTheLease) || !model.rules.commitsNeedTheLease;
  const lease = hand.owns ? 0 : world.lease;
  if (rotator.at === 'sent' && call !== null && world.limbo.length < model.scenario.limbo)
    hand.emit(
      () => `${hand.name} dies or loses its lease; ${tellCall(call)} is still under way`,
      { ...hand.with(IDLE), lease, limbo: [...world.limbo, call] },
      TROUBLE,
    );
  hand.emit(() => `${hand.name} dies or loses its lease`, { ...hand.with(IDLE), lease }, TROUBLE);
  if (keepsGoing && hand.owns)
    hand.emit(() => `${hand.name} is frozen, and its lease ends`, { ...world, lease: 0 }, TROUBLE);
}

export function intendedNow(hand: Hand): World {
  const { world, model } = hand;
  if (model.rules.intentComesFirst) return world;
  const { what, slot, attempt, version, generation } = hand.call();
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

export function inDoubt(hand: Hand): World {
  const { model } = hand;
  const { what, slot, attempt } = hand.call();
  if (!hand.mayCommit) return hand.with(IDLE);
  const type = what === 'regenerate' ? 'RegenerationInDoubt' : 'PublicationInDoubt';
  const after = record(intendedNow(hand), { type, at: NOW, slot, attempt, detail: '' });
  if (!model.rules.oneRequestPerIntent) return hand.with({ at: 'sent', after: null }, hand.world);
  if (!model.rules.forwardOnly && what === 'regenerate') return compensate(hand, after);
  return hand.with({ at: 'working', call: null, after: null }, after);
}

export function compensate(hand: Hand, world: World): World {
  const { slot } = hand.call();
  const attempt = world.ring.attempts + 1;
  const generation = world.ring.highestGeneration + 1;
  const listed = hand.rotator.seen.keys?.fingerprints[slot];
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
  return hand.with({ at: 'intended', call, after: null }, after);
}

function forgetDoubt(world: World, slot: Call['slot'], kind: 'regenerations' | 'publications'): World {
  const { ring } = world;
  const slots = { ...ring.slots, [slot]: { ...ring.slots[slot], [kind]: [] } };
  return { ...world, ring: { ...ring, slots } };
}
