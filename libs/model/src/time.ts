// Moments that pass. Each stands behind the timing assumption that it may rely on: a call that was given up executes
// within the quiescence or never, a list and a replica are late for less than that, a lease outlives the call that
// was sent under it, drains and re-reads take no longer than they say.
import type { KeySlot } from '@twinkey/contracts';
import type { KeyRing } from '@twinkey/rotation';
import { hasEvidence } from '@twinkey/rotation';
import { FAR, LONG_AGO, NOW, REREAD } from './moments.js';
import type { Emit, Model } from './moves.js';
import { FORGOTTEN, type Process, type Rotator, type World } from './world.js';

type SlotRecord = KeyRing['slots'][KeySlot];
type Attempt = SlotRecord['regenerations'][number];

const SLOTS = ['key1', 'key2'] as const;

export function timeMoves(world: World, model: Model, emit: Emit): void {
  for (const slot of SLOTS) {
    quiescence(world, slot, 'regenerations', model, emit);
    quiescence(world, slot, 'publications', model, emit);
    answerIsOld(world, slot, emit);
    noteIsOld(world, slot, emit);
  }
  doubtsOfTheRestoreEnd(world, emit);
  publicationIsOld(world, emit);
  evidenceRipens(world, model, emit);
  deadlines(world, model, emit);
  rereadTimePasses(world, model, emit);
  registryIsRebuilt(world, emit);
}

function quiescence(
  world: World,
  slot: KeySlot,
  kind: 'regenerations' | 'publications',
  { rules, scenario }: Model,
  emit: Emit,
): void {
  const what = kind === 'regenerations' ? 'regenerate' : 'publish';
  for (const attempt of world.ring.slots[slot][kind]) {
    if (attempt.notAfter <= LONG_AGO || isOfTheRestore(attempt)) continue;
    const isThis = (call: Rotator['call']) =>
      call?.what === what && call.slot === slot && call.attempt === attempt.number;
    const inLimbo = world.limbo.some((call) => isThis(call) && call.stray !== true);
    if (inLimbo && !scenario.limboOutlivesQuiescence) continue;
    // Whoever holds the lease is faster than the quiescence; a sent call ends within the lease.
    const held = world.rotators.some(
      ({ at, call }, number) =>
        isThis(call) &&
        (at === 'sent' || world.lease === number + 1 || (at === 'executed' && !rules.commitsNeedTheLease)),
    );
    if (held || isLate(world, slot, kind)) continue;
    const quiet = { ...attempt, notAfter: LONG_AGO };
    const change = (record: SlotRecord): SlotRecord => ({
      ...record,
      [kind]: record[kind].map((one) => (one === attempt ? quiet : one)),
    });
    emit(() => `so much time passes that the ${what} of ${slot} in doubt is dead or done`, {
      ...world,
      ring: withSlot(world.ring, slot, change),
    });
  }
}

/** A restored ring doubts everything at one moment, later than any call that is sent now. */
function isOfTheRestore({ notAfter }: Attempt): boolean {
  return notAfter > NOW;
}

/** So all of it is dead or done at one moment, too. */
function doubtsOfTheRestoreEnd(world: World, emit: Emit): void {
  const { ring } = world;
  const doubted = SLOTS.some(
    (slot) =>
      ring.slots[slot].regenerations.some(isOfTheRestore) ||
      ring.slots[slot].publications.some(isOfTheRestore),
  );
  if (!doubted || world.limbo.some(({ attempt }) => attempt === FORGOTTEN)) return;
  if (SLOTS.some((slot) => isLate(world, slot, 'regenerations')) || isLate(world, 'key1', 'publications'))
    return;
  const quiet = (attempts: readonly Attempt[]) =>
    attempts.map((one) => (isOfTheRestore(one) ? { ...one, notAfter: LONG_AGO } : one));
  const ended = (record: SlotRecord): SlotRecord => ({
    ...record,
    regenerations: quiet(record.regenerations),
    publications: quiet(record.publications),
  });
  emit(() => 'so much time passes since the restore that every call from before is dead or done', {
    ...world,
    ring: { ...ring, slots: { key1: ended(ring.slots.key1), key2: ended(ring.slots.key2) } },
  });
}

function isLate({ account, lateList, vault, lateVault }: World, slot: KeySlot, kind: string): boolean {
  return kind === 'regenerations' ? lateList[slot] !== account[slot] : lateVault !== vault;
}

function answerIsOld(world: World, slot: KeySlot, emit: Emit): void {
  const { answered } = world.ring.slots[slot];
  if (answered === null || answered.at <= LONG_AGO || world.lateList[slot] !== world.account[slot]) return;
  const change = (record: SlotRecord): SlotRecord => ({
    ...record,
    answered: { ...answered, at: LONG_AGO },
  });
  emit(() => `the answer about ${slot} is so old that no list can be late`, {
    ...world,
    ring: withSlot(world.ring, slot, change),
    rotators: world.rotators.map((rotator) => aged(rotator, 'keys')),
  });
}

function noteIsOld(world: World, slot: KeySlot, emit: Emit): void {
  const { ring, lateList, account } = world;
  if (ring.knownAt[slot] <= LONG_AGO || lateList[slot] !== account[slot]) return;
  emit(() => `${slot} was seen so long ago that no list can be late`, {
    ...world,
    ring: { ...ring, knownAt: { ...ring.knownAt, [slot]: LONG_AGO } },
    rotators: world.rotators.map((rotator) => aged(rotator, 'keys')),
  });
}

function publicationIsOld(world: World, emit: Emit): void {
  const { published } = world.ring;
  if (published === null || published.at <= LONG_AGO || world.lateVault !== world.vault) return;
  emit(() => 'the publication is so old that no replica can be late', {
    ...world,
    ring: { ...world.ring, published: { ...published, at: LONG_AGO } },
    rotators: world.rotators.map((rotator) => aged(rotator, 'vault')),
  });
}

/** A look from before the moment is an old one. */
function aged(rotator: Rotator, what: 'keys' | 'vault'): Rotator {
  const look = rotator.seen[what];
  if (look === null || look.at <= LONG_AGO) return rotator;
  return { ...rotator, seen: { ...rotator.seen, [what]: { ...look, at: LONG_AGO } } };
}

/** From this moment on nothing older is in flight: those who switched are drained, those who lapsed have re-read. */
function evidenceRipens(world: World, { rules }: Model, emit: Emit): void {
  const { evidence } = world.ring;
  if (evidence === null || evidence.openFrom <= LONG_AGO) return;
  if (!world.processes.every((process) => hasDrained(process, evidence.generation))) return;
  if (
    evidence.openFrom >= REREAD &&
    rules.rereadsWhenLapsed &&
    !world.processes.every((process) => hasReread(process, evidence.generation))
  )
    return;
  emit(() => 'the calls of the older key are dead', {
    ...world,
    ring: { ...world.ring, evidence: { ...evidence, openFrom: LONG_AGO } },
  });
}

function hasDrained({ held, request }: Process, generation: number): boolean {
  if (request === null || held === null || held.generation < generation) return true;
  return request.generation >= generation;
}

/** Whoever is not answered relies on reading from then on, well before its lease is over. */
export function hasReread({ at, fenced, cutOff, held }: Process, generation: number): boolean {
  return at !== 'serving' || !(fenced || cutOff) || (held?.generation ?? 0) >= generation;
}

function deadlines(world: World, { scenario }: Model, emit: Emit): void {
  if (!scenario.deadlines) return;
  const { keySwitch, ring, questions } = world;
  if (keySwitch !== null && keySwitch.deadlineAt === FAR && keySwitch.announced && keySwitch.answer === null)
    emit(() => `the deadline of generation ${keySwitch.generation} passes`, {
      ...world,
      keySwitch: { ...keySwitch, deadlineAt: LONG_AGO },
    });
  const { asked, rotation } = ring;
  if (asked === null || asked.deadlineAt !== FAR || asked.overdue !== null || hasEvidence(ring)) return;
  if (rotation === null || asked.rotationId !== rotation.rotationId) return;
  const underWay = questions.some(
    ({ generation, request }) => generation === asked.generation && request === asked.request,
  );
  const sameQuestion = keySwitch?.generation === asked.generation && keySwitch.request === asked.request;
  if (underWay || (sameQuestion && keySwitch.deadlineAt === FAR)) return;
  emit(() => `the rotator heard nothing long after the deadline of generation ${asked.generation}`, {
    ...world,
    ring: { ...ring, asked: { ...asked, deadlineAt: LONG_AGO } },
  });
}

/** Whoever lost its lease reads the vault within this time, or uses its key no more. */
function rereadTimePasses(world: World, { rules }: Model, emit: Emit): void {
  const { keySwitch } = world;
  if (keySwitch === null || keySwitch.publishedAt <= LONG_AGO) return;
  const { generation } = keySwitch;
  const ready = world.processes.every(
    (process) =>
      (hasReread(process, generation) || !rules.rereadsWhenLapsed) && hasDrained(process, generation),
  );
  if (!ready) return;
  emit(() => `everyone who lost its lease has looked at the vault since generation ${generation}`, {
    ...world,
    keySwitch: { ...keySwitch, publishedAt: LONG_AGO },
  });
}

/** After a restore: every living instance has registered anew within this time. */
function registryIsRebuilt(world: World, emit: Emit): void {
  const { ring, processes } = world;
  if (ring.registryFrom === null || processes.some(({ at, instance }) => at !== 'off' && instance === null))
    return;
  emit(() => 'every instance had the time to register anew', {
    ...world,
    ring: { ...ring, registryFrom: null },
  });
}

function withSlot(ring: KeyRing, slot: KeySlot, change: (record: SlotRecord) => SlotRecord): KeyRing {
  return { ...ring, slots: { ...ring.slots, [slot]: change(ring.slots[slot]) } };
}
