// Two worlds that can do the same from here on must look the same: counters are rebased, moments are rounded, and
// what can never be used again is dropped. Each step keeps what can happen (a bisimulation); none merges worlds that
// differ in what they may do.
import type { Fingerprint } from '@twinkey/contracts';
import type { KeySwitch } from '@twinkey/key-switch';
import {
  hasEvidence,
  NOTHING_SEEN,
  type KeyRing,
  type Observed,
  type OpenRotation,
  type Probe,
} from '@twinkey/rotation';
import { slotOf, versionOf } from './keys.js';
import { FAR, LONG_AGO, NOW, REREAD, roundedUp } from './moments.js';
import type { Model } from './moves.js';
import type { Scenario } from './scenario.js';
import type { Call, Process, Rotator, World } from './world.js';

const { max } = Math;
const HALTED = { reason: 'operator', detail: '', remedy: '' } as const;

/** `before`: the normalised world that the move began from; what it did not touch is left alone. */
export function normalised(world: World, before: World | null, model: Model): World {
  const next = withRequestsInRanks(world.ring.revision === 0 ? world : rebased(world, model));
  const { ring, account, lateList, limbo, questions, answers } = next;
  let { rotators, processes, keySwitch } = next;
  if (
    rotators !== before?.rotators ||
    ring !== before.ring ||
    account !== before.account ||
    lateList !== before.lateList
  )
    rotators = rotators.map((rotator) => pruned(rotator, next, model));
  if (processes !== before?.processes) processes = processes.map(heard);
  if (keySwitch !== before?.keySwitch) keySwitch = rounded(keySwitch);
  // Spelled out: this is made for every move, and a spread of so many fields takes longer than all the rest.
  return {
    account,
    plane: next.plane,
    lateList,
    vault: next.vault,
    lateVault: next.lateVault,
    limbo: limbo.length > 1 ? [...limbo].sort(byContent) : limbo,
    ring,
    lease: next.lease,
    rotators,
    processes,
    keySwitch,
    questions: questions.length > 1 ? [...questions].sort(byNumber) : questions,
    answers: answers.length > 1 ? [...answers].sort(byNumber) : answers,
    budget: next.budget,
    killedByStrangers: next.killedByStrangers,
    toRetire: next.toRetire,
  };
}

/** Revisions only order looks and changes: a look from before the last change that matters is as good as none. */
function rebased(world: World, { rules, scenario }: Model): World {
  const { ring } = world;
  const rotators = world.rotators.map((rotator): Rotator => {
    const { keys, vault } = rotator.seen;
    const staleKeys = keys !== null && keys.revision < ring.keysFrom && rules.listsAreTakenAfterTheRequest;
    const staleVault = vault !== null && vault.revision < ring.vaultFrom && rules.vaultIsReadAfterTheIntent;
    if (keys === null && vault === null) return rotator;
    const seen: Observed = {
      ...rotator.seen,
      keys: keys === null || staleKeys ? null : { ...keys, revision: 0 },
      vault: vault === null || staleVault ? null : { ...vault, revision: 0 },
    };
    return { ...rotator, seen };
  });
  const numbers = attemptsIn(world);
  const renumber = (number: number) => (number <= 0 ? number : numbers.indexOf(number) + 1);
  const renumbered = (call: Call): Call => ({ ...call, attempt: renumber(call.attempt) });
  return {
    ...world,
    rotators: rotators.map((rotator) =>
      rotator.call === null ? rotator : { ...rotator, call: renumbered(rotator.call) },
    ),
    limbo: world.limbo.map(renumbered),
    ring: rebasedRing(
      ring,
      renumber,
      numbers.length,
      scenario,
      world.budget.restores < scenario.budget.restores,
    ),
  };
}

function attemptsIn({ ring, rotators, limbo }: World): readonly number[] {
  const numbers = new Set<number>();
  for (const slot of ['key1', 'key2'] as const) {
    for (const { number } of ring.slots[slot].regenerations) numbers.add(number);
    for (const { number } of ring.slots[slot].publications) numbers.add(number);
  }
  for (const { call } of rotators) if (call !== null) numbers.add(call.attempt);
  for (const { attempt } of limbo) numbers.add(attempt);
  return [...numbers].filter((number) => number > 0).sort((one, other) => one - other);
}

type SlotRecord = KeyRing['slots']['key1'];

function rebasedRing(
  ring: KeyRing,
  renumber: (attempt: number) => number,
  attempts: number,
  { lateLists, lateVault, budget: { strangers, handWrites } }: Scenario,
  wasRestored: boolean,
): KeyRing {
  // Where no look can disagree with the record, its age is never asked for.
  const listsMayDisagree = lateLists || strangers > 0 || wasRestored;
  const vaultMayDisagree = lateVault || handWrites > 0 || wasRestored;
  const age = (at: number) => (listsMayDisagree && at > LONG_AGO ? NOW : LONG_AGO);
  const { asked, evidence, published, rotation } = ring;
  const slot = (record: SlotRecord): SlotRecord => ({
    ...record,
    answered: record.answered && { ...record.answered, at: age(record.answered.at) },
    regeneratedFor: null,
    regeneratedAt: null,
    regenerations: record.regenerations.map(({ number, notAfter }) => ({
      number: renumber(number),
      notAfter,
    })),
    publications: record.publications.map(({ number, notAfter }) => ({ number: renumber(number), notAfter })),
  });
  return {
    ...ring,
    revision: 0,
    keysFrom: 0,
    vaultFrom: 0,
    attempts,
    waiting: null,
    knownAt: { key1: age(ring.knownAt.key1), key2: age(ring.knownAt.key2) },
    lookWanted: ring.lookWanted === null ? null : '',
    registryFrom: ring.registryFrom === null || ring.registryFrom <= NOW ? null : REREAD,
    slots: { key1: slot(ring.slots.key1), key2: slot(ring.slots.key2) },
    published: published === null || vaultMayDisagree ? published : { ...published, at: LONG_AGO },
    rotation: rotation && rested(rotation),
    inLine: ring.inLine.map((waiting) => ({ ...waiting, rotation: rested(waiting.rotation) })),
    asked: asked && {
      ...asked,
      deadlineAt: hasEvidence(ring) || asked.deadlineAt > NOW ? FAR : LONG_AGO,
      overdue: asked.overdue && { at: 0, missing: asked.overdue.missing },
    },
    evidence: evidence && { ...evidence, openFrom: roundedUp(evidence.openFrom) },
  };
}

function rested(rotation: OpenRotation): OpenRotation {
  const halted = rotation.halted === null ? null : HALTED;
  return { ...rotation, halted, keysReplaced: 0, stepSince: 0, requestedAt: 0 };
}

/** Only the order of requests about one generation matters. */
function withRequestsInRanks(world: World): World {
  const { ring, keySwitch, questions, answers } = world;
  let most = max(ring.asked?.request ?? 1, keySwitch?.request ?? 1);
  for (const { request } of questions) most = max(most, request);
  for (const { request } of answers) most = max(most, request);
  if (most === 1) return world;
  const ranks = new Map<number, number[]>();
  const note = (one: { readonly generation: number; readonly request: number } | null) => {
    if (one === null) return;
    const known = ranks.get(one.generation);
    if (known === undefined) ranks.set(one.generation, [one.request]);
    else if (!known.includes(one.request)) known.push(one.request);
  };
  note(ring.asked);
  note(keySwitch);
  questions.forEach(note);
  answers.forEach(note);
  for (const known of ranks.values()) known.sort((one, other) => one - other);
  const rank = <One extends { readonly generation: number; readonly request: number }>(one: One): One => ({
    ...one,
    request: (ranks.get(one.generation)?.indexOf(one.request) ?? 0) + 1,
  });
  return {
    ...world,
    ring: ring.asked === null ? ring : { ...ring, asked: rank(ring.asked) },
    keySwitch: keySwitch && rank(keySwitch),
    questions: questions.map(rank),
    answers: answers.map(rank),
  };
}

/** A probe is asked again as long as it disagrees; only the one that agreed counts, unless tries are counted. */
function pruned(rotator: Rotator, world: World, { scenario }: Model): Rotator {
  const { seen } = rotator;
  if (seen === NOTHING_SEEN) return rotator;
  const counted = scenario.probeTries === 1;
  const { slots } = world.ring;
  const isToRetire = (print: Fingerprint) => slots[slotOf(print)].retire?.fingerprint === print;
  const mayBeListed = (print: Fingerprint) => {
    const slot = slotOf(print);
    const version = versionOf(print);
    return world.account[slot] === version || world.lateList[slot] === version;
  };
  const probes = kept(
    seen.probes,
    (print, probe) => (counted || probe.verdict === 'accepted') && mayBeListed(print),
  );
  const proofs = kept(
    seen.proofs,
    (print, probe) => (counted || probe.verdict === 'refused') && isToRetire(print),
  );
  const forgotten = seen.forgotten.every(isToRetire) ? seen.forgotten : seen.forgotten.filter(isToRetire);
  if (probes === seen.probes && proofs === seen.proofs && forgotten === seen.forgotten) return rotator;
  return { ...rotator, seen: { ...seen, probes, proofs, forgotten } };
}

type Probes = Readonly<Record<string, Probe>>;

function kept(probes: Probes, when: (print: Fingerprint, probe: Probe) => boolean): Probes {
  let all = true;
  for (const print in probes) {
    const probe = probes[print];
    if (probe !== undefined && (probe.tries !== 1 || !when(print as Fingerprint, probe))) all = false;
  }
  if (all) return probes;
  const some: Record<string, Probe> = {};
  for (const print in probes) {
    const probe = probes[print];
    if (probe !== undefined && when(print as Fingerprint, probe)) some[print] = { ...probe, tries: 1 };
  }
  return some;
}

/** What was heard already says nothing when it is heard again. */
function heard(process: Process): Process {
  const { instance, ghost, said, ghostSaid } = process;
  let next = process;
  if (said !== 0 && instance !== null) {
    const rest = above(said, instance.acknowledged);
    if (rest !== said) next = { ...next, said: rest };
  }
  if (ghostSaid !== 0) {
    const rest = ghost === null ? 0 : above(ghostSaid, ghost.acknowledged);
    if (rest !== ghostSaid) next = { ...next, ghostSaid: rest };
  }
  return next;
}

function above(said: number, acknowledged: number): number {
  return said & ~((2 << acknowledged) - 1);
}

/** Once everything is answered, the question's times say nothing any more. */
function rounded(keySwitch: KeySwitch | null): KeySwitch | null {
  if (keySwitch === null) return null;
  const { answer } = keySwitch;
  const settled = answer?.outcome === 'acknowledged';
  const publishedAt = settled || keySwitch.publishedAt < NOW ? LONG_AGO : NOW;
  const deadlineAt = settled || keySwitch.deadlineAt <= NOW ? LONG_AGO : FAR;
  const same =
    publishedAt === keySwitch.publishedAt &&
    deadlineAt === keySwitch.deadlineAt &&
    (answer === null || answer.at === 0);
  if (same) return keySwitch;
  const ended =
    answer?.outcome === 'acknowledged' ? { ...answer, at: 0, openFrom: 0 } : answer && { ...answer, at: 0 };
  return { ...keySwitch, publishedAt, deadlineAt, answer: ended };
}

function byContent(one: Call, other: Call): number {
  return spell(one) - spell(other);
}

function spell({ what, slot, version, generation, attempt }: Call): number {
  return (
    (what === 'publish' ? 1 : 0) +
    (slot === 'key2' ? 2 : 0) +
    version * 4 +
    generation * 128 +
    attempt * 4_096
  );
}

function byNumber(
  one: {
    readonly generation: number;
    readonly request: number;
    readonly outcome?: string;
    readonly openFrom?: number;
  },
  other: {
    readonly generation: number;
    readonly request: number;
    readonly outcome?: string;
    readonly openFrom?: number;
  },
): number {
  return (
    one.generation - other.generation ||
    one.request - other.request ||
    (one.openFrom ?? 0) - (other.openFrom ?? 0) ||
    (one.outcome ?? '').length - (other.outcome ?? '').length
  );
}
