// Everything at once, each seed with its own mixture: some rotators die often, some vaults lag, some people interfere.
import { describe, expect, it } from '@jest/globals';
import { RotationId } from '@twinkey/contracts';
import { decideCommand } from './decide.js';
import { account, published, terms, type Fate, type SmallWorld } from './testing/small-world.js';

/** A small generator, so that a failing seed tells its story again. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const FATES: readonly Fate[] = ['answered', 'answer-lost', 'late', 'never'];
const idOf = (number: number) => RotationId.parse(`r-${number.toString(16).padStart(12, '0')}`);

/** How likely each kind of trouble is in one seed; most are absent, so that the others can go far. */
function mixtureOf(random: () => number) {
  const weight = (most: number) => (random() < 0.5 ? 0 : random() * most);
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
  };
}

function disturb(world: SmallWorld, mixture: ReturnType<typeof mixtureOf>, random: () => number): void {
  const happens = (probability: number) => random() < probability;
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
  if (safe && happens(mixture.spareByStranger)) world.replaceKey(spare);
  if (happens(mixture.vaultByStranger) && world.vault !== 'missing')
    world.vault = { ...world.vault, untagged: true, version: 'by-hand' };
  if (happens(mixture.leak) && world.ring.inLine.length < 3) {
    const slot = happens(0.5) ? 'key1' : 'key2';
    world.request(idOf(1_000 + world.asked.length), { scope: 'emergency', slot });
  }
  if (happens(mixture.look)) world.record({ type: 'LookWanted', at: world.now, why: 'a sign' });
  const { rotation } = world.ring;
  if (rotation !== null && (happens(mixture.command) || (rotation.halted !== null && happens(0.2)))) {
    const command = rotation.halted === null ? 'halt' : 'replay';
    const decision = decideCommand(
      world.ring,
      { command, rotationId: rotation.rotationId, account, by: 'ana' },
      world.now,
    );
    if (decision.accepted) world.record(...decision.events);
  }
}

/** A look may show what was there a moment ago, never longer than the quiescence. */
function lookLate(world: SmallWorld, mixture: ReturnType<typeof mixtureOf>, random: () => number) {
  const past: { at: number; keys: SmallWorld['keys']; vault: SmallWorld['vault'] }[] = [];
  return () => {
    past.push({ at: world.now, keys: world.keys, vault: world.vault });
    while ((past[0]?.at ?? Infinity) < world.now - terms.quiescenceMs / 4) past.shift();
    const then = past[Math.floor(random() * past.length)];
    world.lateList = random() < mixture.lateList ? (then?.keys ?? null) : null;
    world.lateVault = random() < mixture.lateVault ? (then?.vault ?? null) : null;
  };
}

describe('a world in which everything goes wrong', () => {
  it.each(Array.from({ length: 200 }, (_, seed) => seed))(
    'seed %i: three rotations complete, nobody is interrupted, every key asked for is dead',
    (seed) => {
      const random = chance(seed * 11 + 3);
      const world = published();
      const mixture = mixtureOf(random);
      const late = lookLate(world, mixture, random);
      world.lag = { oldForMs: mixture.lag * random(), newAfterMs: mixture.lag * random() };
      world.drainMs = mixture.drain;
      for (let number = 1; number <= 3; number += 1) {
        const before = { ...world.keys };
        world.request(idOf(number));
        for (let round = 0; world.ring.rotation !== null; round += 1) {
          if (round > 3_000) throw new Error(`no end of ${JSON.stringify(world.ring)}`);
          if (round < 300) {
            disturb(world, mixture, random);
            late();
          } else {
            calm(world);
          }
          const next = world.step();
          if (next.do === 'rest') world.now += 200;
          world.check();
        }
        expect(world.keys.key1).toBeGreaterThan(before.key1);
        expect(world.keys.key2).toBeGreaterThan(before.key2);
      }
    },
  );
});

/** In the end everything works and a person replays what halted. */
function calm(world: SmallWorld): void {
  world.fates = ['answered'];
  world.lateList = null;
  world.lateVault = null;
  if (world.silent.size > 0) world.follow();
  const { rotation } = world.ring;
  if (rotation === null || rotation.halted === null) return;
  const { rotationId } = rotation;
  const decision = decideCommand(
    world.ring,
    { command: 'replay', rotationId, account, by: 'ana' },
    world.now,
  );
  if (decision.accepted) world.record(...decision.events);
}
