// The plan: from what the ring says and what was seen outside to the one thing to do next. Pure, and asked again
// after every change, so that a restart, a replay, a stranger's regeneration and the usual four steps are one path.
import { otherSlot, SLOTS, type Fingerprint, type KeySlot, type RotationId } from '@twinkey/contracts';
import type { Waiting } from './events.js';
import { gate, type Gate } from './gate.js';
import { driftOf, noteKeys } from './drift.js';
import { adoptRestored, noticeRestore } from './incarnation.js';
import { mistrustLateList, mistrustLateVault } from './lateness.js';
import { record, wait, type Fingerprints, type Next } from './next.js';
import { openRotations, type Attempt, type KeyRing, type OpenRotation } from './key-ring.js';
import { freshKeys, freshVault, type Observed, type Probe, type SeenVault } from './observed.js';
import { nextGeneration, obstacleToPublishing } from './publishing.js';
import { termsFor, type Terms } from './terms.js';

/**
 * The next thing to do for an account, in this order: settle doubts, adopt what landed, mistrust what is late,
 * record what is to be retired, close what is gone, heal drift, tell everyone, regenerate the unpublished slot,
 * publish it. A rotation is complete only when nothing of all that is owed any more.
 */
export function plan(ring: KeyRing, seen: Observed, usual: Terms, now: number): Next {
  const terms = termsFor(ring, usual);
  // A halted rotation is left alone, the account is not: consumers must read a key that works all the same.
  const halted = ring.rotation?.halted != null;
  if (halted && !isDoubtful(ring)) return { do: 'rest' };
  const settled = settle(ring, terms, now);
  if (settled !== null) return settled;
  if (!owesSomething(ring)) return { do: 'rest' };

  const listed = freshKeys(ring, seen);
  if (listed === null) return { do: 'list-keys' };
  const read = freshVault(ring, seen);
  if (read === null) return { do: 'read-vault' };
  const keys = listed.fingerprints;
  const vault = read.current;

  const cared =
    noticeRestore(ring, vault, terms, now) ??
    adopt(ring, vault, now) ??
    adoptRestored(ring, keys, vault, now) ??
    mistrustLateList(ring, listed, terms, now) ??
    mistrustLateVault(ring, read, terms, now) ??
    noteKeys(ring, keys, now) ??
    (halted ? null : (recordRetirements(ring, keys, now) ?? close(ring, keys, seen, terms, now))) ??
    heal(ring, keys, vault, seen, terms, now) ??
    tell(ring) ??
    looked(ring, now);
  if (cared !== null) return cared;
  if (halted) return { do: 'rest' };
  return (
    retire(ring, keys, read, seen, terms, now) ??
    waitToRecord(ring, terms) ??
    complete(ring, now) ?? { do: 'rest' }
  );
}

/** Account and vault may not be as the ring says, or somebody has not heard how they are. */
function isDoubtful(ring: KeyRing): boolean {
  return ring.drift !== null || ring.lookWanted !== null || isBehind(ring) || !wasTold(ring);
}

/** An instance uses a generation that the ring never published: only a higher one brings it back. */
function isBehind({ ahead, published }: KeyRing): boolean {
  return published !== null && ahead > published.generation;
}

function looked({ lookWanted }: KeyRing, now: number): Next | null {
  return lookWanted === null ? null : record({ type: 'LookDone', at: now });
}

/** A ring at rest costs no calls: nothing open, nothing in doubt, everyone was told. */
function owesSomething(ring: KeyRing): boolean {
  return ring.rotation !== null || ring.published === null || ring.intent !== null || isDoubtful(ring);
}

/** A call in doubt is decided by time first, then by looking: until then it may still execute. */
function settle(ring: KeyRing, terms: Terms, now: number): Next | null {
  for (const slot of SLOTS) {
    const regenerations = quiet(ring.slots[slot].regenerations, terms, now);
    if (regenerations.length > 0)
      return record({ type: 'RegenerationsSettled', at: now, slot, attempts: regenerations });
    const publications = quiet(ring.slots[slot].publications, terms, now);
    if (publications.length > 0)
      return record({ type: 'PublicationsSettled', at: now, slot, attempts: publications });
  }
  return null;
}

function quiet(attempts: readonly Attempt[], terms: Terms, now: number): readonly number[] {
  return attempts.filter(({ notAfter }) => notAfter + terms.quiescenceMs <= now).map(({ number }) => number);
}

/** Key Vault shows the publication that was in doubt: it happened. */
function adopt(ring: KeyRing, vault: SeenVault['current'], now: number): Next | null {
  const { intent, published } = ring;
  if (intent === null || vault.is !== 'ours') return null;
  const shown =
    vault.slot === intent.slot &&
    vault.fingerprint === intent.fingerprint &&
    vault.generation === intent.generation;
  if (!shown || intent.generation <= (published?.generation ?? 0)) return null;
  return record({ type: 'Published', at: now, ...intent, version: vault.version, attempt: null });
}

/**
 * A new rotation retires the keys that the slots of its scope hold now, whatever happened before. While a regeneration
 * of such a slot is in doubt nobody can tell which key that is: the list may be from before it executed, and the key
 * on it dead already, while the one that was asked about lives on.
 */
function recordRetirements(ring: KeyRing, keys: Fingerprints, now: number): Next | null {
  const { rotation, published } = ring;
  if (rotation === null || published === null || rotation.startedFrom !== null) return null;
  if (doubtsOfScope(ring).length > 0) return null;
  return record({
    type: 'RetirementsRecorded',
    at: now,
    rotationId: rotation.rotationId,
    retire: Object.fromEntries(slotsOf(rotation, published.slot).map((slot) => [slot, keys[slot]])),
    startedFrom: published.slot,
  });
}

/** Everything else is cared for meanwhile; only the rotation waits until it can tell which keys it is about. */
function waitToRecord(ring: KeyRing, terms: Terms): Next | null {
  if (ring.rotation?.startedFrom !== null) return null;
  const doubts = doubtsOfScope(ring);
  if (doubts.length === 0) return null;
  return wait(
    untilQuiet('an earlier regeneration may still replace a key that is to be retired', doubts, terms),
  );
}

/** Regenerations that may still execute on the slots that the rotation is about. */
function doubtsOfScope({ rotation, published, slots }: KeyRing): readonly Attempt[] {
  if (rotation === null || published === null) return [];
  return slotsOf(rotation, published.slot).flatMap((slot) => slots[slot].regenerations);
}

function slotsOf({ scope, leaked }: OpenRotation, inUse: KeySlot): readonly KeySlot[] {
  switch (scope) {
    case 'both':
      return SLOTS;
    case 'half':
      return [otherSlot(inUse)];
    case 'emergency':
      return leaked === null ? SLOTS : [leaked];
    default:
      return scope satisfies never;
  }
}

/**
 * A key that is gone from a list taken after the request, and refused where anyone can tell, is retired. Not while a
 * regeneration of its slot is in doubt: the list may be from before the key existed, and the data plane not know it yet.
 */
function close(ring: KeyRing, keys: Fingerprints, seen: Observed, terms: Terms, now: number): Next | null {
  for (const slot of SLOTS) {
    const { retire, regenerations } = ring.slots[slot];
    if (retire === null || retire.fingerprint === keys[slot] || regenerations.length > 0) continue;
    const { fingerprint, rotationId } = retire;
    const forgotten = seen.forgotten.includes(fingerprint);
    const proof = seen.proofs[fingerprint];
    if (!forgotten && proof?.verdict !== 'refused') {
      const question = { do: 'prove-retired', slot, fingerprint } as const;
      return askAgain(question, proof, `the old ${slot} is still accepted`, terms, now) ?? oldKeyLives(slot);
    }
    return record({
      type: 'KeyRetired',
      at: now,
      slot,
      fingerprint,
      rotationId,
      proof: forgotten ? 'listed' : 'refused',
    });
  }
  return null;
}

/** Nothing is left to retire, and what everyone was told to use is alive. */
function complete({ rotation, slots }: KeyRing, now: number): Next | null {
  if (rotation?.startedFrom == null || slots.key1.retire !== null || slots.key2.retire !== null) return null;
  return record({ type: 'RotationCompleted', at: now, rotationId: rotation.rotationId });
}

function oldKeyLives(slot: KeySlot): Next {
  return {
    do: 'halt',
    reason: 'old-key-still-accepted',
    detail: `${slot} was regenerated, but the data plane still accepts its old key.`,
    remedy:
      'Check the account in the portal; when the old key is refused, replay the rotation. Within minutes the replay asks the data plane again; later nobody knows the old key any more, and the list of keys has to do.',
  };
}

/** What consumers read must be a key that the account holds: publish one before anything else. */
function heal(
  ring: KeyRing,
  keys: Fingerprints,
  vault: SeenVault['current'],
  seen: Observed,
  terms: Terms,
  now: number,
): Next | null {
  const { published } = ring;
  if (published === null) {
    // Nobody moves if what consumers read already is one of the keys, whoever wrote it.
    const shown = vault.is === 'missing' ? null : vault.fingerprint;
    const slot = SLOTS.find((candidate) => keys[candidate] === shown) ?? 'key2';
    return publish(ring, slot, keys[slot], vault, seen, terms, now);
  }
  const drift = driftOf({ ...ring, published }, keys, vault);
  if (drift === null) {
    return ring.drift === null ? null : record({ type: 'DriftGone', at: now });
  }
  if (ring.drift !== drift.detail) return record({ type: 'DriftFound', at: now, ...drift });
  return publish(ring, published.slot, keys[published.slot], vault, seen, terms, now);
}

/** Everyone must hear of a publication, also of one outside a rotation. */
function tell(ring: KeyRing): Next | null {
  return wasTold(ring) ? null : { do: 'ask-switch', request: nextRequest(ring) };
}

function wasTold({ published, asked }: KeyRing): boolean {
  return published === null || asked?.generation === published.generation;
}

function nextRequest({ published, asked }: KeyRing): number {
  return asked !== null && asked.generation === published?.generation ? asked.request + 1 : 1;
}

/** The heart of a rotation: first the slot that nobody is on, then everyone moves, then the other one. */
function retire(
  ring: KeyRing,
  keys: Fingerprints,
  vault: SeenVault,
  seen: Observed,
  terms: Terms,
  now: number,
): Next | null {
  const { published, slots } = ring;
  if (published === null) return null;
  const spare = otherSlot(published.slot);
  if (slots[spare].retire !== null) return regenerateBehindGate(ring, spare, keys, vault.at, terms, now);
  if (slots[published.slot].retire !== null)
    return publish(ring, spare, keys[spare], vault.current, seen, terms, now);
  return null;
}

function regenerateBehindGate(
  ring: KeyRing,
  slot: KeySlot,
  before: Fingerprints,
  vaultReadAt: number,
  terms: Terms,
  now: number,
): Next {
  const open = gate(ring, slot, now);
  switch (open.is) {
    case 'open': {
      const doubt = ring.slots[slot].regenerations;
      // Sending again at once could regenerate twice; only time tells that the first call is dead.
      if (doubt.length > 0)
        return wait(untilQuiet(`a regeneration of ${slot} may still execute`, doubt, terms));
      // It may have taken a day until everyone acknowledged: the vault must show what was published now, not then.
      if (now - vaultReadAt > 2 * terms.callDeadlineMs) return { do: 'read-vault' };
      return { do: 'regenerate', slot, before };
    }
    case 'not-asked':
      return { do: 'ask-switch', request: nextRequest(ring) };
    case 'overdue':
      return overdue(ring, open, terms, now);
    case 'waiting':
      return waitAtGate(ring, slot, open.what, terms, now);
    default:
      throw new Error('unknown gate');
  }
}

function waitAtGate(ring: KeyRing, slot: KeySlot, what: Waiting, terms: Terms, now: number): Next {
  if (what.for === 'quiescence') return wait(untilQuiet(what.detail, ring.slots[slot].publications, terms));
  if (what.for !== 'acknowledgements' || what.until === undefined) return wait(what);
  const patientUntil = what.until + terms.outcomePatienceMs;
  // The notifier should have spoken by now: its answer may be lost, so ask again.
  if (now > patientUntil) return { do: 'ask-switch', request: nextRequest(ring) };
  return wait({ ...what, until: patientUntil + 1 });
}

/**
 * A deadline waives acknowledgements, never anything else, and only where the policy says so and no consumer that was
 * declared to be waited for is missing.
 */
function overdue(
  ring: KeyRing,
  { missing, openFrom: drained, hold }: Extract<Gate, { is: 'overdue' }>,
  terms: Terms,
  now: number,
): Next {
  if (terms.onOverdue === 'force' && missing.length > 0 && hold !== true) {
    // The notifier knows when the last call of those who did acknowledge is over; only else the policy's guess counts.
    const openFrom = Math.max(now, drained ?? now + terms.drainMs);
    return record({
      type: 'GateForced',
      at: now,
      generation: ring.published?.generation ?? 0,
      missing,
      openFrom,
    });
  }
  return missing.length > 0
    ? {
        do: 'halt',
        reason: 'consumer-silent',
        detail: `The deadline passed without an acknowledgement of generation ${ring.published?.generation ?? 0} from: ${missing.join(', ')}. Both keys keep working.`,
        remedy: 'Start or stop the silent consumer, or waive it by name, then replay the rotation.',
      }
    : {
        do: 'halt',
        reason: 'no-consumers',
        detail:
          'No consumer instance is registered for this account, and its policy says to wait for one. Both keys keep working.',
        remedy: 'Start a consumer, or set withoutConsumers: rotate in the policy, then replay the rotation.',
      };
}

/** Publishes a key that the data plane accepts, once nothing can undo or outrun it. */
function publish(
  ring: KeyRing,
  slot: KeySlot,
  key: Fingerprint,
  vault: SeenVault['current'],
  seen: Observed,
  terms: Terms,
  now: number,
): Next {
  const obstacle = obstacleToPublishing(ring, slot, key);
  if (obstacle !== null) {
    const doubts = [
      ...ring.slots[slot].regenerations,
      ...ring.slots.key1.publications,
      ...ring.slots.key2.publications,
    ];
    return wait(untilQuiet(obstacle.detail, doubts, terms));
  }
  const probe = seen.probes[key];
  if (probe?.verdict !== 'accepted') {
    const question = { do: 'probe', slot, fingerprint: key } as const;
    return askAgain(question, probe, `${slot} is not accepted yet`, terms, now) ?? keyNotAccepted(slot);
  }
  return { do: 'publish', slot, fingerprint: key, generation: nextGeneration(ring, slot, key, vault) };
}

function keyNotAccepted(slot: KeySlot): Next {
  return {
    do: 'halt',
    reason: 'key-not-accepted',
    detail: `The data plane does not accept ${slot} as the account lists it, so it is not published. Nobody was told to use it.`,
    remedy: "Check the account's endpoint and network rules, then replay the rotation.",
  };
}

/** A probe that does not say what it should is repeated after a pause; null when it was asked often enough. */
function askAgain(
  question: Next,
  last: Probe | undefined,
  detail: string,
  terms: Terms,
  now: number,
): Next | null {
  if (last === undefined) return question;
  if (last.tries >= terms.probeTries) return null;
  const until = last.at + terms.probePauseMs;
  return now >= until ? question : wait({ for: 'propagation', detail, until });
}

function untilQuiet(detail: string, doubts: readonly Attempt[], terms: Terms): Waiting {
  const until = Math.max(0, ...doubts.map(({ notAfter }) => notAfter)) + terms.quiescenceMs;
  return { for: 'quiescence', detail, until };
}

/** The rotation that a `RotationId` belongs to, open or ended, as this ring remembers it. */
export function knows(ring: KeyRing, rotationId: RotationId): 'open' | 'halted' | 'finished' | 'unknown' {
  const open = openRotations(ring).find((rotation) => rotation.rotationId === rotationId);
  if (open !== undefined) return open.halted === null ? 'open' : 'halted';
  return ring.finished.includes(rotationId) ? 'finished' : 'unknown';
}
