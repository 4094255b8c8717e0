// Everything at once, each seed with its own mixture: some rotators die often, some vaults lag, some people interfere.
import { otherSlot, RotationId, type KeySlot, type RotationScope } from '@twinkey/contracts';
import { decideCommand, decideRequest } from '../decide.js';
import { account, published, terms, type Fate, type SmallWorld } from './small-world.js';

/** A small generator, so that a failing seed tells its story again. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const FATES: readonly Fate[] = ['answered', 'answer-lost', 'late', 'never'];
const SCOPES: readonly RotationScope[] = ['both', 'half', 'emergency'];
const idOf = (number: number) => RotationId.parse(`r-${number.toString(16).padStart(12, '0')}`);

/** `wide`: people ask for rotations of every scope at any moment, and strangers touch whatever they like. */
export type Width = 'narrow' | 'wide';

/** How likely each kind of trouble is in one seed; most are absent, so that the others can go far. */
function mixtureOf(random: () => number, width: Width) {
  const weight = (most: number) => (random() < 0.5 ? 0 : random() * most);
  const wide = (most: number) => (width === 'wide' ? weight(most) : 0);
  return {
    crash: weight(0.3),
    doubt: weight(0.7),
    silence: weight(0.5),
    lateList: weight(0.2),
    lateVault: weight(0.2),
    spareByStranger: weight(0.03),
    vaultByStranger: weight(0.03),
    command: weight(0.05),
    leak: weight(0.02),
    look: weight(0.05),
    twice: weight(0.3),
    lag: Math.round(weight(1_500)),
    drain: Math.round(weight(3_000)),
    anyKeyByStranger: wide(0.02),
    otherKeyInVault: wide(0.02),
    anyRequest: wide(0.1),
    requestInDoubt: wide(0.5),
  };
}

type Mixture = ReturnType<typeof mixtureOf>;

/** The keys that each rotation has to see dead: those of the moment in which it was asked for. */
type Asked = Map<RotationId, Partial<Record<KeySlot, number>>>;

/** Asks if the rotation may begin now; a refusal is no trouble. */
function ask(world: SmallWorld, asked: Asked, scope: RotationScope, leaked: KeySlot): void {
  const rotationId = idOf(1_000 + asked.size);
  const what = scope === 'emergency' ? { scope, slot: leaked } : { scope };
  const decision = decideRequest(world.ring, { rotationId, by: 'ana', reason: '', ...what }, world.now);
  if (!decision.accepted) return;
  const unused = otherSlot(world.ring.published?.slot ?? 'key2');
  const keys = { key1: seenBy(world, 'key1'), key2: seenBy(world, 'key2') };
  const toRetire = { both: keys, half: { [unused]: keys[unused] }, emergency: { [leaked]: keys[leaked] } };
  asked.set(rotationId, toRetire[scope]);
  world.record(...decision.events);
}

/** Nobody can know of a stranger's new key as long as lists may be late: there the one before it is meant. */
function seenBy({ keys, strangerAt, now }: SmallWorld, slot: KeySlot): number {
  return strangerAt[slot] > now - terms.quiescenceMs ? keys[slot] - 1 : keys[slot];
}

function disturb(world: SmallWorld, mixture: Mixture, asked: Asked, random: () => number): void {
  const happens = (probability: number) => probability > 0 && random() < probability;
  const anySlot = () => (happens(0.5) ? 'key1' : 'key2');
  if (happens(mixture.crash)) world.crash();
  if (world.fates.length === 0)
    world.fates.push(happens(mixture.doubt) ? (FATES[Math.floor(random() * 4)] ?? 'late') : 'answered');
  if (world.silent.size === 0 && happens(mixture.silence)) world.silent.add('b');
  else if (world.silent.size > 0 && happens(0.1)) world.follow();
  const earlier = (world.ring.asked?.request ?? 1) - 1;
  if (earlier > 0 && happens(mixture.twice)) world.outcome('acknowledged', { request: earlier });
  const spare = world.vault !== 'missing' && world.vault.slot === 'key1' ? 'key2' : 'key1';
  // Not once it is ours and about to be published: nothing helps against that but healing.
  const safe =
    world.ring.slots[spare].retire?.fingerprint === world.fingerprint(spare) &&
    world.ring.slots[spare].publications.length === 0 &&
    !Object.values(world.consumers).includes(world.fingerprint(spare));
  if (safe && happens(mixture.spareByStranger)) world.replaceByStranger(spare);
  if (happens(mixture.anyKeyByStranger)) world.replaceByStranger(anySlot());
  if (happens(mixture.vaultByStranger) && world.vault !== 'missing')
    world.vault = { ...world.vault, untagged: true, version: 'by-hand' };
  if (happens(mixture.otherKeyInVault)) world.writeByStranger(anySlot());
  if (happens(mixture.leak) && world.ring.inLine.length < 3) ask(world, asked, 'emergency', anySlot());
  const scope = () => SCOPES[Math.floor(random() * 3)] ?? 'both';
  const inDoubt = world.limbo.length > 0 || world.ring.slots[spare].regenerations.length > 0;
  if (happens(inDoubt ? mixture.requestInDoubt : mixture.anyRequest) && world.ring.inLine.length < 3)
    ask(world, asked, scope(), anySlot());
  if (happens(mixture.look)) world.record({ type: 'LookWanted', at: world.now, why: 'a sign' });
  const { rotation } = world.ring;
  if (rotation !== null && (happens(mixture.command) || (rotation.halted !== null && happens(0.2))))
    command(world, rotation.halted === null ? 'halt' : 'replay');
}

function command(world: SmallWorld, what: 'halt' | 'replay'): void {
  const { rotation } = world.ring;
  if (rotation === null) return;
  const { rotationId } = rotation;
  const decision = decideCommand(world.ring, { command: what, rotationId, account, by: 'ana' }, world.now);
  if (decision.accepted) world.record(...decision.events);
}

/** A look may show what was there a moment ago, never longer than the quiescence. */
function lookLate(world: SmallWorld, mixture: Mixture, random: () => number) {
  const past: { at: number; keys: SmallWorld['keys']; vault: SmallWorld['vault'] }[] = [];
  return () => {
    past.push({ at: world.now, keys: world.keys, vault: world.vault });
    while ((past[0]?.at ?? Infinity) < world.now - terms.quiescenceMs / 4) past.shift();
    const then = past[Math.floor(random() * past.length)];
    world.lateList = random() < mixture.lateList ? (then?.keys ?? null) : null;
    world.lateVault = random() < mixture.lateVault ? (then?.vault ?? null) : null;
  };
}

/** In the end everything works and a person replays what halted. */
function calm(world: SmallWorld): void {
  world.fates = ['answered'];
  world.lateList = null;
  world.lateVault = null;
  if (world.silent.size > 0) world.follow();
  if (world.ring.rotation?.halted != null) command(world, 'replay');
}

/**
 * Three rotations in one random world. Throws as soon as anybody is interrupted, when a rotation completes although a
 * key lives that it was asked to retire, and when it does not complete.
 */
export function live(seed: number, width: Width, world = published()): void {
  const random = chance(seed * 11 + 3);
  const mixture = mixtureOf(random, width);
  const late = lookLate(world, mixture, random);
  const asked: Asked = new Map();
  world.lag = { oldForMs: mixture.lag * random(), newAfterMs: mixture.lag * random() };
  world.drainMs = mixture.drain;
  for (let number = 1; number <= 3; number += 1) {
    ask(world, asked, 'both', 'key1');
    for (let round = 0; world.ring.rotation !== null; round += 1) {
      if (round > 3_000) throw new Error(`no end of ${JSON.stringify(world.ring)}`);
      if (round < 300) {
        disturb(world, mixture, asked, random);
        late();
      } else {
        calm(world);
      }
      const next = world.step();
      if (next.do === 'rest') world.now += 200;
      world.check();
      if (next.do === 'record' && next.event.type === 'RotationCompleted')
        completed(world, asked, next.event.rotationId);
    }
  }
  if (world.ring.finished.length === 0) throw new Error('nothing was ever completed');
}

function completed({ keys }: SmallWorld, asked: Asked, rotationId: RotationId): void {
  for (const slot of ['key1', 'key2'] as const) {
    const number = asked.get(rotationId)?.[slot];
    if (number !== undefined && keys[slot] <= number)
      throw new Error(`rotation ${rotationId} is complete, and key ${number} of ${slot} lives`);
  }
}
