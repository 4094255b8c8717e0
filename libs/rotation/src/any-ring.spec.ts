// Whatever a rotator, people and calls in doubt have made of a ring, and whatever is seen outside, true or not: what
// the plan never asks for, and what said twice changes nothing.
import { describe, expect, it } from '@jest/globals';
import {
  ConsumerName,
  Fingerprint,
  otherSlot,
  RotationId,
  SwitchOutcome,
  type KeySlot,
} from '@twinkey/contracts';
import fc from 'fast-check';
import { decideCommand, decideOutcome, decideRequest, type Decision } from './decide.js';
import { evolve } from './evolve.js';
import { openRotations, type KeyRing } from './key-ring.js';
import type { Next } from './next.js';
import type { Observed, SeenVault } from './observed.js';
import { plan } from './plan.js';
import { account, published, rotationId, SmallWorld, terms, type Fate } from './testing/small-world.js';

const IDS = [rotationId, ...['r-00000000000b', 'r-00000000000c'].map((id) => RotationId.parse(id))];
const BY = { account, by: 'ana' };
/** Any world names its keys in the same way. */
const KEYS = new SmallWorld();
const WAIVED = ConsumerName.parse('b');

type Deed = (world: SmallWorld) => void;

/** What is accepted happens, what is refused does not. */
function take(world: SmallWorld, decision: Decision): void {
  if (decision.accepted) world.record(...decision.events);
}

const id = fc.constantFrom(...IDS);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 12 }).map((steps) => goOn(steps)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(id, fc.constantFrom('both' as const, 'half' as const, 'key1' as const, 'key2' as const))
      .map(([rotation, what]): Deed => (world) => {
        const how =
          what === 'both' || what === 'half'
            ? { scope: what }
            : ({ scope: 'emergency', slot: what } as const);
        const asked = { rotationId: rotation, by: 'ana', reason: 'x', ...how } as const;
        take(world, decideRequest(world.ring, asked, world.now));
      }),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(id, fc.constantFrom('replay' as const, 'halt' as const))
      .map(([rotation, command]): Deed => (world) => {
        take(world, decideCommand(world.ring, { ...BY, command, rotationId: rotation }, world.now));
      }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Fate>('answer-lost', 'late', 'never').map((fate): Deed => (world) => {
      world.fates = [fate];
    }),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map((silent): Deed => (world) => {
      if (silent) world.silent.add('b');
      else world.silent.clear();
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Deed>((world) => {
      world.crash();
    }),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 90_000 }).map((ms): Deed => (world) => {
      world.now += ms;
    }),
  },
);

function goOn(steps: number): Deed {
  return (world) => {
    for (let step = 0; step < steps; step += 1) world.step();
  };
}

/** A ring as it can come to be, in the world that made it so. */
const reached = fc.tuple(fc.boolean(), fc.array(deed, { maxLength: 25 })).map(([isNew, deeds]) => {
  const world = isNew ? new SmallWorld() : published();
  if (!isNew) world.request();
  for (const one of deeds) one(world);
  return world;
});

/** What a look may show, with keys of that world and a stranger's: late, torn or made up. */
function sights({ ring, now, seen }: SmallWorld): fc.Arbitrary<Observed> {
  const slot = fc.constantFrom('key1' as const, 'key2' as const);
  const known = [
    KEYS.fingerprint('key1', 1),
    KEYS.fingerprint('key2', 1),
    KEYS.fingerprint('key1', 2),
  ] as const;
  const fingerprint = fc.constantFrom(...known, Fingerprint.parse('f'.repeat(32)));
  const when = {
    revision: fc.integer({ min: 0, max: ring.revision }),
    at: fc.integer({ min: Math.max(0, now - 20_000), max: now }),
  };
  const current: fc.Arbitrary<SeenVault['current']> = fc.oneof(
    fc.record({
      is: fc.constant('ours' as const),
      slot,
      fingerprint,
      generation: fc.integer({ min: 1, max: ring.highestGeneration + 2 }),
      version: fc.constant('v'),
    }),
    fc.record({ is: fc.constant('untagged' as const), fingerprint, version: fc.constant('v') }),
    fc.constant({ is: 'missing' as const }),
    ring.published === null
      ? fc.constant({ is: 'missing' as const })
      : fc.constant({ is: 'ours' as const, ...ring.published }),
  );
  const answers = fc.dictionary(
    fingerprint,
    fc.record({
      verdict: fc.constantFrom('accepted' as const, 'refused' as const),
      tries: fc.integer({ min: 1, max: 4 }),
      at: when.at,
    }),
  );
  const made: fc.Arbitrary<Observed> = fc.record({
    keys: fc.option(
      fc.record({ fingerprints: fc.record({ key1: fingerprint, key2: fingerprint }), ...when }),
    ),
    vault: fc.option(fc.record({ current, ...when })),
    probes: answers,
    proofs: answers,
    forgotten: fc.subarray([...known]),
  });
  const agreeing: fc.Arbitrary<Observed> = made.map((lies) => ({
    keys: {
      fingerprints: { key1: known[0], key2: known[1], ...held(ring) },
      revision: ring.revision,
      at: now,
    },
    vault: {
      current: ring.published === null ? { is: 'missing' } : { is: 'ours', ...ring.published },
      revision: ring.revision,
      at: now,
    },
    probes: Object.fromEntries(known.map((key) => [key, { verdict: 'accepted', tries: 1, at: now }])),
    proofs: lies.proofs,
    forgotten: [],
  }));
  return fc.oneof(made, fc.constant(seen), agreeing);
}

/** The keys as the ring knows them. */
function held({ known }: KeyRing): Partial<Record<KeySlot, Fingerprint>> {
  return Object.fromEntries(Object.entries(known).filter(([, key]) => key !== null));
}

const ringAndSight = reached.chain((world) => sights(world).map((seen) => ({ world, seen })));

/** Asks the plan in many rings; `judge` hears of those in which it says `what`, and that has to happen. */
function whenever<What extends Next['do']>(
  what: What,
  judge: (next: Extract<Next, { do: What }>, world: SmallWorld, seen: Observed) => void,
): void {
  let met = 0;
  fc.assert(
    fc.property(ringAndSight, ({ world, seen }) => {
      const next = plan(world.ring, seen, terms, world.now);
      if (next.do !== what) return;
      met += 1;
      judge(next as Extract<Next, { do: What }>, world, seen);
    }),
    { numRuns: what === 'regenerate' ? 600 : 250 },
  );
  expect(met).toBeGreaterThan(0);
}

/** Everything but the count of events. */
function known({ revision: _, keysFrom: __, vaultFrom: ___, ...rest }: KeyRing): object {
  return rest;
}

describe('whatever is seen of whatever ring', () => {
  it('the published slot is never regenerated, nor one with a call in doubt, nor one that nobody asked to retire', () => {
    whenever('regenerate', ({ slot }, { ring: { published: inUse, slots, evidence } }) => {
      expect(slot).not.toBe(inUse?.slot);
      expect(slots[slot]).toMatchObject({ regenerations: [], publications: [] });
      expect(slots[slot].retire).not.toBeNull();
      expect(evidence?.generation).toBe(inUse?.generation);
    });
  });

  it('a key is published only when it is listed and accepted, and no call in doubt can undo it', () => {
    whenever('publish', ({ slot, fingerprint }, { ring }, seen) => {
      expect(seen.probes[fingerprint]).toMatchObject({ verdict: 'accepted' });
      expect(seen.keys?.fingerprints[slot]).toBe(fingerprint);
      expect(ring.slots[slot].regenerations).toEqual([]);
      expect(ring.slots[otherSlot(slot)].publications).toEqual([]);
      if (ring.slots[slot].publications.length > 0) expect(ring.intent).toMatchObject({ slot, fingerprint });
    });
  });

  it('a generation that was given to one key is never given to another', () => {
    whenever('publish', ({ slot, fingerprint, generation }, { ring: { intent, highestGeneration } }) => {
      if (generation <= highestGeneration) expect(intent).toEqual({ slot, fingerprint, generation });
    });
  });

  it('what is recorded moves the ring on, and leaves the one before as it was', () => {
    whenever('record', (next, { ring, now }, seen) => {
      const before = structuredClone(ring);
      const after = evolve(ring, next.event);
      expect(after.revision).toBeGreaterThan(ring.revision);
      expect(ring).toEqual(before);
      expect(plan(after, seen, terms, now)).not.toEqual(next);
    });
  });

  it('a rotation is completed only when no key is to be retired any more', () => {
    whenever('record', ({ event }, { ring: { slots } }) => {
      if (event.type === 'RotationCompleted')
        expect(slots).toMatchObject({ key1: { retire: null }, key2: { retire: null } });
    });
  });
});

describe('what is said twice', () => {
  it('by a person is refused, or changes nothing, the second time', () => {
    const command = fc.constantFrom('replay' as const, 'halt' as const, 'waive' as const);
    fc.assert(
      fc.property(reached, id, command, ({ ring, now }, rotation, what) => {
        const one =
          what === 'waive'
            ? ({ ...BY, command: what, rotationId: rotation, consumer: WAIVED, reason: 'x' } as const)
            : ({ ...BY, command: what, rotationId: rotation } as const);
        const first = decideCommand(ring, one, now);
        if (!first.accepted) return;
        const after = first.events.reduce(evolve, ring);
        const second = decideCommand(after, one, now);
        if (what === 'waive') {
          if (!second.accepted) throw new Error('a waiver may be repeated');
          expect(known(second.events.reduce(evolve, after))).toEqual(known(after));
        } else {
          expect(second).toMatchObject({
            accepted: false,
            code: what === 'replay' ? 'rotation-running' : 'rotation-halted',
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('by the notifier changes nothing the second time', () => {
    const kind = fc.constantFrom('acknowledged' as const, 'overdue' as const);
    fc.assert(
      fc.property(reached, kind, ({ ring, now }, outcome) => {
        const said = SwitchOutcome.data.parse({
          account,
          generation: ring.asked?.generation ?? 1,
          request: ring.asked?.request ?? 1,
          outcome,
          at: new Date(now).toISOString(),
          openFrom: new Date(now).toISOString(),
          instances: 2,
          waived: [],
          missing: [],
        });
        const first = decideOutcome(ring, said, now);
        if (!first.accepted) return;
        const after = first.events.reduce(evolve, ring);
        const second = decideOutcome(after, said, now);
        const events = second.accepted ? second.events : [];
        expect(known(events.reduce(evolve, after))).toEqual(known(after));
      }),
      { numRuns: 300 },
    );
  });

  it('of a rotation that is over is refused for ever, whatever it is', () => {
    fc.assert(
      fc.property(reached, ({ ring, now }) => {
        for (const over of ring.finished) {
          const refused = { accepted: false, code: 'rotation-completed' };
          expect(decideRequest(ring, { rotationId: over, by: 'x', reason: 'x' }, now)).toMatchObject(refused);
          expect(
            decideRequest(
              ring,
              { rotationId: over, by: 'x', reason: 'x', scope: 'emergency', slot: 'key1' },
              now,
            ),
          ).toMatchObject(refused);
          for (const command of ['replay', 'halt'] as const)
            expect(decideCommand(ring, { ...BY, command, rotationId: over }, now)).toMatchObject(refused);
        }
        expect(openRotations(ring).filter((open) => ring.finished.includes(open.rotationId))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
