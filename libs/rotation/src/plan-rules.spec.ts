// The plan's rules one by one, to the millisecond: what it asks for next, given a ring and what was seen.
import { describe, expect, it } from '@jest/globals';
import { Fingerprint, type KeySlot } from '@twinkey/contracts';
import { emptyRing, type KeyRing, type SlotRecord } from './key-ring.js';
import { NOTHING_SEEN, type Observed, type Probe, type SeenVault } from './observed.js';
import { plan } from './plan.js';
import { account, published, rotationId, terms } from './testing/small-world.js';
import type { Terms } from './terms.js';

const NOW = 9_000_000;
const foreign = Fingerprint.parse('f'.repeat(32));

/** key2 is in use, everyone has acknowledged it to the rotation of both keys, whose retirements are recorded. */
const world = published();
world.request();
while (world.ring.rotation?.startedFrom == null) world.step();
const inUse = world.fingerprint('key2');
const spare = world.fingerprint('key1');
const evidence = { generation: 1, rotationId, openFrom: 0, kind: 'acknowledged' } as const;
const asked = {
  generation: 1,
  request: 4,
  rotationId,
  deadlineAt: NOW,
  waived: [],
  overdue: null,
} as const;
const ring: KeyRing = { ...world.ring, asked, evidence };
const shown = { is: 'ours', slot: 'key2', fingerprint: inUse, generation: 1, version: 'v1' } as const;

const probe = (verdict: Probe['verdict'], tries = 1, at = NOW): Probe => ({ verdict, tries, at });
function sight(what: Partial<Observed> = {}, at = NOW): Observed {
  const fingerprints = { key1: spare, key2: inUse };
  return {
    ...NOTHING_SEEN,
    keys: { fingerprints, revision: ring.revision, at },
    vault: { current: shown, revision: ring.revision, at },
    ...what,
  };
}
const listed = (keys: Partial<Record<KeySlot, Fingerprint>>) =>
  sight({ keys: { fingerprints: { key1: spare, key2: inUse, ...keys }, revision: ring.revision, at: NOW } });
const read = (current: SeenVault['current']) =>
  sight({ vault: { current, revision: ring.revision, at: NOW } });
const slot = (name: KeySlot, what: Partial<SlotRecord>, of = ring): KeyRing => ({
  ...of,
  slots: { ...of.slots, [name]: { ...of.slots[name], ...what } },
});
const next = (one: KeyRing, seen = sight(), now = NOW, limits: Partial<Terms> = {}) =>
  plan(one, seen, { ...terms, ...limits }, now);
const recorded = (type: string, what: object = {}) => ({ do: 'record', event: { type, ...what } });

describe('a look', () => {
  it('that is older than what may have changed the keys or the vault is taken again', () => {
    expect(next({ ...ring, keysFrom: ring.revision + 1 })).toEqual({ do: 'list-keys' });
    expect(next({ ...ring, vaultFrom: ring.revision + 1 })).toEqual({ do: 'read-vault' });
    expect(next({ ...ring, keysFrom: ring.revision, vaultFrom: ring.revision }).do).toBe('regenerate');
  });
});

describe('an open gate', () => {
  it('lets the slot that nobody is on be regenerated, with what was seen before', () => {
    expect(next(ring)).toEqual({ do: 'regenerate', slot: 'key1', before: { key1: spare, key2: inUse } });
  });

  it('asks for a vault that was read within two calls, not longer ago', () => {
    const age = 2 * terms.callDeadlineMs;
    expect(next(ring, sight({}, NOW - age)).do).toBe('regenerate');
    expect(next(ring, sight({}, NOW - age - 1))).toEqual({ do: 'read-vault' });
  });

  it('stays without use while an earlier regeneration of the slot may execute', () => {
    const regenerations = [
      { number: 1, notAfter: NOW },
      { number: 2, notAfter: NOW + 7 },
    ];
    expect(next(slot('key1', { regenerations }))).toMatchObject({
      do: 'wait',
      what: { for: 'quiescence', until: NOW + 7 + terms.quiescenceMs },
    });
  });
});

describe('a call in doubt', () => {
  const over = { number: 1, notAfter: NOW - terms.quiescenceMs };
  const open = { number: 2, notAfter: NOW - terms.quiescenceMs + 1 };

  it.each(['key1', 'key2'] as const)(
    'of %s is settled by time, and only the one whose time is over',
    (name) => {
      expect(next(slot(name, { regenerations: [over, open] }))).toMatchObject(
        recorded('RegenerationsSettled', { slot: name, attempts: [1] }),
      );
      expect(next(slot(name, { publications: [open, over] }))).toMatchObject(
        recorded('PublicationsSettled', { slot: name, attempts: [1] }),
      );
    },
  );

  it('keeps the slot that it may publish from being regenerated until then', () => {
    expect(next(slot('key1', { publications: [open] }))).toMatchObject({
      do: 'wait',
      what: { for: 'quiescence', until: NOW + 1 },
    });
  });

  it('that the vault shows happened', () => {
    const intent = { slot: 'key1', fingerprint: spare, generation: 2 } as const;
    const intended: KeyRing = { ...ring, intent, highestGeneration: 2 };
    const vault = { is: 'ours', ...intent, version: 'v2' } as const;
    expect(next(intended, read(vault))).toMatchObject(
      recorded('Published', { ...intent, version: 'v2', attempt: null }),
    );
    for (const not of [{ slot: 'key2' as const }, { fingerprint: foreign }, { generation: 1 }])
      expect(next(intended, read({ ...vault, ...not }))).not.toMatchObject(recorded('Published'));
  });
});

describe('a rotation whose keys are not recorded yet', () => {
  const unrecorded = (what: object): KeyRing => {
    const clean = slot('key1', { retire: null }, slot('key2', { retire: null }));
    return { ...clean, rotation: clean.rotation && { ...clean.rotation, startedFrom: null, ...what } };
  };

  it.each([
    [{ scope: 'both' }, { key1: spare, key2: inUse }],
    [{ scope: 'half' }, { key1: spare }],
    [{ scope: 'emergency', leaked: 'key2' }, { key2: inUse }],
    [{ scope: 'emergency', leaked: 'key1' }, { key1: spare }],
    [
      { scope: 'emergency', leaked: null },
      { key1: spare, key2: inUse },
    ],
  ])('of %j retires what those slots hold', (what, retire) => {
    const decided = next(unrecorded(what));
    expect(decided).toMatchObject(recorded('RetirementsRecorded', { rotationId, startedFrom: 'key2' }));
    expect(decided).toHaveProperty('event.retire', retire);
  });
});

describe('an old key that is gone from the list', () => {
  const gone = (what: Partial<Observed> = {}) => ({ ...listed({ key1: foreign }), ...what });
  const known: KeyRing = { ...ring, known: { key1: foreign, key2: inUse }, knownAt: { key1: 0, key2: 0 } };
  const proofs = (proof: Probe) => ({ proofs: { [spare]: proof } });
  const question = { do: 'prove-retired', slot: 'key1', fingerprint: spare };

  it('is asked about, and retired when the data plane refuses it', () => {
    expect(next(known, gone())).toEqual(question);
    expect(next(known, gone(proofs(probe('refused'))))).toMatchObject(
      recorded('KeyRetired', { slot: 'key1', fingerprint: spare, rotationId, proof: 'refused' }),
    );
  });

  it('is retired by the list alone when nobody knows it any more', () => {
    expect(next(known, gone({ forgotten: [spare] }))).toMatchObject(
      recorded('KeyRetired', { proof: 'listed' }),
    );
  });

  it('that is still accepted is asked about again after each pause, and a person in the end', () => {
    const { probePauseMs, probeTries } = terms;
    const again = gone(proofs(probe('accepted', probeTries - 1)));
    expect(next(known, again, NOW + probePauseMs - 1)).toMatchObject({
      do: 'wait',
      what: { for: 'propagation', until: NOW + probePauseMs },
    });
    expect(next(known, again, NOW + probePauseMs)).toEqual(question);
    expect(next(known, gone(proofs(probe('accepted', probeTries))))).toMatchObject({
      do: 'halt',
      reason: 'old-key-still-accepted',
    });
  });
});

describe('a key that is to be published', () => {
  /** Only the key in use is left to retire. */
  const last = slot('key1', { retire: null });
  const probes = (verdict: Probe['verdict'], tries?: number) =>
    sight({ probes: { [spare]: probe(verdict, tries) } });

  it('is verified first, and a person is asked when it is refused too often', () => {
    expect(next(last)).toEqual({ do: 'probe', slot: 'key1', fingerprint: spare });
    expect(next(last, probes('refused', terms.probeTries - 1))).toMatchObject({ do: 'wait' });
    expect(next(last, probes('refused', terms.probeTries))).toMatchObject({
      do: 'halt',
      reason: 'key-not-accepted',
    });
    expect(next(last, probes('accepted'))).toEqual({
      do: 'publish',
      slot: 'key1',
      fingerprint: spare,
      generation: 2,
    });
  });

  it('waits for every call that could undo it', () => {
    const doubt = [{ number: 1, notAfter: NOW }];
    const until = NOW + terms.quiescenceMs;
    for (const one of [
      slot('key1', { regenerations: doubt }, last),
      slot('key2', { publications: doubt }, last),
    ])
      expect(next(one, probes('accepted'))).toMatchObject({ do: 'wait', what: { for: 'quiescence', until } });
  });

  it('is the one that consumers read already when there was no publication, else that of key2', () => {
    const first = emptyRing(account);
    const untagged = (fingerprint: Fingerprint) => read({ is: 'untagged', fingerprint, version: 'x' });
    const slots = [untagged(spare), untagged(inUse), untagged(foreign), read({ is: 'missing' })].map(
      (seen) => {
        const decided = next(first, seen);
        return decided.do === 'probe' ? decided.slot : decided.do;
      },
    );
    expect(slots).toEqual(['key1', 'key2', 'key2', 'key2']);
  });
});

describe('a question that is open', () => {
  const waiting: KeyRing = { ...ring, evidence: null };
  const patience = NOW + terms.outcomePatienceMs;

  it('is put again when the notifier says nothing for some time after the deadline', () => {
    expect(next(waiting, sight({}, patience), patience)).toMatchObject({
      do: 'wait',
      what: { for: 'acknowledgements', until: patience + 1 },
    });
    expect(next(waiting, sight({}, patience), patience + 1)).toEqual({ do: 'ask-switch', request: 5 });
  });

  it('was never put about a publication of which nobody was told', () => {
    expect(next({ ...waiting, asked: { ...asked, generation: 0 } })).toEqual({
      do: 'ask-switch',
      request: 1,
    });
    expect(next({ ...waiting, asked: null })).toEqual({ do: 'ask-switch', request: 1 });
  });

  const overdue = (missing: string[], openFrom?: number): KeyRing => ({
    ...waiting,
    asked: { ...asked, overdue: { at: NOW, missing, ...(openFrom === undefined ? {} : { openFrom }) } },
  });

  it('halts at the deadline, for a silent consumer or for want of any', () => {
    expect(next(overdue(['b', 'c']))).toMatchObject({ do: 'halt', reason: 'consumer-silent' });
    for (const onOverdue of ['hold', 'force'] as const)
      expect(next(overdue([]), sight(), NOW, { onOverdue })).toMatchObject({
        do: 'halt',
        reason: 'no-consumers',
      });
  });

  it('is given up where the policy says so, and the others are let finish', () => {
    const force = { onOverdue: 'force' } as const;
    for (const [openFrom, expected] of [
      [undefined, NOW + terms.drainMs],
      [NOW + 9, NOW + 9],
      [NOW - 9, NOW],
    ] as const)
      expect(next(overdue(['b'], openFrom), sight(), NOW, force)).toMatchObject(
        recorded('GateForced', { generation: 1, missing: ['b'], openFrom: expected }),
      );
  });

  it('is not given up while a consumer is missing that was declared to be waited for', () => {
    const held = { ...waiting, asked: { ...asked, overdue: { at: NOW, missing: ['b'], hold: true } } };
    expect(next(held, sight(), NOW, { onOverdue: 'force' })).toMatchObject({
      do: 'halt',
      reason: 'consumer-silent',
    });
  });
});

describe('a rotation that has nothing left to retire', () => {
  const done = slot('key1', { retire: null }, slot('key2', { retire: null }));

  it('is completed', () => {
    expect(next(done)).toMatchObject(recorded('RotationCompleted', { rotationId }));
  });

  it('is not before everybody heard of what is published', () => {
    expect(next({ ...done, asked: null })).toEqual({ do: 'ask-switch', request: 1 });
  });
});

describe('a halted rotation', () => {
  const reason = { reason: 'operator', detail: 'x', remedy: 'x' } as const;
  const halted: KeyRing = { ...ring, rotation: ring.rotation && { ...ring.rotation, halted: reason } };

  it('costs no call and moves nothing', () => {
    expect(next(halted, NOTHING_SEEN)).toEqual({ do: 'rest' });
  });

  it('leaves its account to be looked at and healed', () => {
    for (const doubtful of [{ lookWanted: 'a sign' }, { drift: 'somebody' }, { ahead: 2 }, { asked: null }]) {
      expect(next({ ...halted, ...doubtful }, NOTHING_SEEN)).toEqual({ do: 'list-keys' });
    }
    expect(next({ ...halted, lookWanted: 'a sign' })).toMatchObject(recorded('LookDone'));
    expect(next({ ...halted, drift: 'somebody' })).toMatchObject(recorded('DriftGone'));
  });
});

describe('a ring at rest', () => {
  const rest: KeyRing = { ...slot('key1', { retire: null }, slot('key2', { retire: null })), rotation: null };

  it('costs no call', () => {
    expect(next(rest, NOTHING_SEEN)).toEqual({ do: 'rest' });
  });

  it('is looked at when a publication of ours never showed', () => {
    const intent = { slot: 'key1', fingerprint: spare, generation: 2 } as const;
    expect(next({ ...rest, intent }, NOTHING_SEEN)).toEqual({ do: 'list-keys' });
  });
});

describe('drift', () => {
  const found = next(ring, read({ is: 'missing' }));

  it('is told once, and then healed by the key that is in use', () => {
    expect(found).toMatchObject(recorded('DriftFound', { kind: 'vault-changed' }));
    const drift = found.do === 'record' && found.event.type === 'DriftFound' ? found.event.detail : '';
    const seen = { ...read({ is: 'missing' }), probes: { [inUse]: probe('accepted') } };
    expect(next({ ...ring, drift }, seen)).toEqual({
      do: 'publish',
      slot: 'key2',
      fingerprint: inUse,
      generation: 2,
    });
  });
});
