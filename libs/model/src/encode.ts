// Parts of a world as bytes, by hand: every field that `normalised` leaves, in a fixed order.
import type { ConsumerName, Fingerprint, RotationId } from '@twinkey/contracts';
import type { Instance, KeySwitch } from '@twinkey/key-switch';
import type { KeyRing, Observed } from '@twinkey/rotation';
import { LONG_AGO, REREAD } from './moments.js';
import type { Answered, Asked, Call, Process, Rotator, Shown, World } from './world.js';

const bytes = new Uint8Array(1_024);
let end = 0;

/** The bytes are overwritten by the next call. */
function written<Part>(part: Part, write: (part: Part) => void): Uint8Array {
  end = 0;
  write(part);
  return bytes.subarray(0, end);
}

export function bytesOfRing(part: KeyRing): Uint8Array {
  return written(part, ring);
}

export function bytesOfSeen(part: Observed): Uint8Array {
  return written(part, observed);
}

/** All of a rotator but what it saw. */
export function bytesOfHands(part: Rotator): Uint8Array {
  return written(part, rotator);
}

export function bytesOfProcess(part: Process): Uint8Array {
  return written(part, process);
}

export function bytesOfSwitch(part: KeySwitch): Uint8Array {
  return written(part, keySwitch);
}

export function bytesOfQuestions(part: readonly Asked[]): Uint8Array {
  return written(part, (questions) => {
    questions.forEach(question);
  });
}

export function bytesOfAnswers(part: readonly Answered[]): Uint8Array {
  return written(part, (answers) => {
    answers.forEach(answer);
  });
}

/** The account, the vault, what is in limbo, and how often people may still interfere. */
export function bytesOfOutside(part: World): Uint8Array {
  return written(part, outside);
}

function outside(world: World): void {
  key(world.account.key1, world.account.key2);
  key(world.plane.key1, world.plane.key2);
  key(world.lateList.key1, world.lateList.key2);
  shown(world.vault);
  shown(world.lateVault);
  put(world.limbo.length);
  world.limbo.forEach(call);
  const { budget } = world;
  put(budget.rotations * 16 + budget.strangers);
  put(budget.handWrites * 16 + budget.halts);
  put(budget.waives * 16 + budget.restores);
  put(budget.lostAnswers * 16 + budget.leaks);
  put(budget.deaths & 255);
  put(world.killedByStrangers.length);
  world.killedByStrangers.forEach(print);
  for (const { key1, key2 } of world.toRetire) key(key1 ?? 255, key2 ?? 255);
}

function put(value: number): void {
  bytes[end] = value;
  end += 1;
}

function key(one: number, two: number): void {
  put(one);
  put(two);
}

function print(fingerprint: Fingerprint | null | undefined): void {
  if (fingerprint == null) put(0);
  else put(fingerprint.charCodeAt(1) - 96 + (fingerprint.charCodeAt(0) === 49 ? 0 : 64));
}

function slotOf(slot: 'key1' | 'key2' | null): number {
  return slot === null ? 0 : slot === 'key1' ? 1 : 2;
}

function moment(value: number): void {
  put(value <= LONG_AGO ? 0 : value <= 0 ? 1 : value < REREAD ? 2 : value === REREAD ? 3 : 4);
}

function shown(one: Shown | null): void {
  if (one === null) {
    put(0);
    return;
  }
  put(slotOf(one.slot) * 64 + one.version);
  put(one.generation);
}

function call(one: Call | null): void {
  if (one === null) {
    put(0);
    return;
  }
  put((one.what === 'publish' ? 1 : 2) + slotOf(one.slot) * 4 + (one.stray === true ? 32 : 0));
  put(one.version);
  put(one.generation);
  put(one.attempt);
}

function names(consumers: readonly ConsumerName[]): void {
  let mask = 0;
  for (const name of consumers) mask |= 1 << (name.charCodeAt(1) - 48);
  put(mask);
}

function rotationOf(id: RotationId | null): number {
  return id === null ? 0 : id.charCodeAt(1) - 47;
}

/** Words that the plan compares, numbered as they come. */
const words = new Map<string, number>();

function word(text: string | null): void {
  if (text === null) {
    put(0);
    return;
  }
  let number = words.get(text);
  if (number === undefined) {
    number = words.size + 1;
    words.set(text, number);
  }
  put(number);
}

function ring(one: KeyRing): void {
  const { published, intent, evidence } = one;
  if (published === null) put(0);
  else {
    print(published.fingerprint);
    put(slotOf(published.slot));
    put(published.generation);
    moment(published.at);
  }
  put(one.highestGeneration);
  if (intent === null) put(0);
  else {
    print(intent.fingerprint);
    put(intent.generation);
  }
  slot(one.slots.key1);
  slot(one.slots.key2);
  put(one.attempts);
  rotation(one.rotation);
  put(one.inLine.length);
  for (const waiting of one.inLine) {
    rotation(waiting.rotation);
    print(waiting.retire.key1?.fingerprint);
    print(waiting.retire.key2?.fingerprint);
  }
  asked(one.asked);
  if (evidence === null) put(0);
  else {
    put(evidence.generation);
    put(rotationOf(evidence.rotationId) * 2 + (evidence.kind === 'forced' ? 1 : 0));
    moment(evidence.openFrom);
  }
  word(one.drift);
  put(one.finished.length);
  put((one.lookWanted === null ? 0 : 1) + (one.restored ? 2 : 0) + one.incarnation * 4);
  print(one.known.key1);
  print(one.known.key2);
  moment(one.knownAt.key1);
  moment(one.knownAt.key2);
  put(one.ahead);
  moment(one.registryFrom ?? LONG_AGO);
}

const SCOPES = { both: 0, half: 1, emergency: 2 } as const;

function rotation(one: KeyRing['rotation']): void {
  if (one === null) {
    put(0);
    return;
  }
  put(rotationOf(one.rotationId));
  put(
    slotOf(one.startedFrom) + (one.halted === null ? 0 : 4) + SCOPES[one.scope] * 8 + slotOf(one.leaked) * 32,
  );
  names(one.waived);
}

function asked(one: KeyRing['asked']): void {
  if (one === null) {
    put(0);
    return;
  }
  put(one.generation);
  put(one.request);
  put(rotationOf(one.rotationId));
  moment(one.deadlineAt);
  names(one.waived);
  if (one.overdue === null) put(255);
  else {
    put(one.overdue.missing.length);
    for (const name of one.overdue.missing) put(name.charCodeAt(1) * 2 + (name.charAt(3) === 'g' ? 1 : 0));
  }
}

function slot({ retire, regenerations, publications, answered }: KeyRing['slots']['key1']): void {
  print(retire?.fingerprint);
  put(rotationOf(retire?.rotationId ?? null));
  put(regenerations.length);
  for (const { number, notAfter } of regenerations) {
    put(number);
    moment(notAfter);
  }
  put(publications.length);
  for (const { number, notAfter } of publications) {
    put(number);
    moment(notAfter);
  }
  print(answered?.fingerprint);
  if (answered !== null) moment(answered.at);
}

const AT = { idle: 1, working: 2, intended: 3, sent: 4, executed: 5, decided: 6 } as const;

function rotator(one: Rotator): void {
  put(AT[one.at]);
  call(one.call);
  if (one.after === null) put(0);
  else key(one.after.key1 + 1, one.after.key2);
}

function observed({ keys, vault, probes, proofs, forgotten }: Observed): void {
  if (keys === null) put(0);
  else {
    print(keys.fingerprints.key1);
    print(keys.fingerprints.key2);
    moment(keys.at);
  }
  if (vault === null) put(0);
  else {
    const { current } = vault;
    put(current.is === 'ours' ? 1 : current.is === 'untagged' ? 2 : 3);
    if (current.is !== 'missing') print(current.fingerprint);
    if (current.is === 'ours') put(current.generation);
    moment(vault.at);
  }
  prints(Object.keys(probes) as Fingerprint[], (one) => probes[one]?.verdict === 'refused');
  prints(Object.keys(proofs) as Fingerprint[], (one) => proofs[one]?.verdict === 'refused');
  prints(forgotten, () => false);
}

function prints(some: readonly Fingerprint[], marked: (one: Fingerprint) => boolean): void {
  put(some.length);
  const sorted = some.length > 1 ? [...some].sort() : some;
  for (const one of sorted) {
    print(one);
    put(marked(one) ? 1 : 0);
  }
}

function instance(one: Instance | null): void {
  if (one === null) {
    put(0);
    return;
  }
  put(1 + one.acknowledged);
  moment(one.leaseUntil);
  put(one.drainedAt === null ? 0 : 1);
}

const PROCESS = { off: 0, starting: 1, serving: 2 } as const;

function process(one: Process): void {
  put(PROCESS[one.at] + (one.cutOff ? 4 : 0) + (one.fenced ? 8 : 0) + (one.abandoned ? 16 : 0));
  shown(one.held);
  put(one.minimum);
  shown(one.read);
  shown(one.request);
  put(one.said & 255);
  put(one.said >> 8);
  instance(one.instance);
  instance(one.ghost);
  put(one.ghostSaid & 255);
  put(one.ghostSaid >> 8);
  shown(one.cache);
}

function keySwitch(one: KeySwitch): void {
  put(one.generation);
  put(one.request);
  print(one.fingerprint);
  moment(one.publishedAt);
  moment(one.deadlineAt);
  names(one.waived);
  put((one.announced ? 1 : 0) + (one.answer === null ? 0 : one.answer.outcome === 'overdue' ? 2 : 4));
}

function question({ slot: of, version, generation, request, waived }: Asked): void {
  put(slotOf(of) * 64 + version);
  put(generation);
  put(request);
  names(waived);
}

function answer({ generation, request, outcome, openFrom, missing }: Answered): void {
  put(generation);
  put(request);
  put(outcome === 'overdue' ? 1 : 2);
  moment(openFrom);
  put(missing.length);
  for (const { instance: id } of missing) put(id.charCodeAt(0) + id.charCodeAt(1));
}
