import { describe, expect, it } from '@jest/globals';
import { AccountId, ConsumerName, Fingerprint, generation, InstanceId } from '@twinkey/contracts';
import { census } from './census.js';
import type { Expectation } from './expectation.js';
import { standingOf, type Instance, type Terms } from './instance.js';
import type { KeySwitch } from './key-switch.js';
import { missingOf, owed } from './owed.js';

const terms: Terms = { leaseSeconds: 30, rereadSeconds: 60, clockSkewSeconds: 5 };
const PUBLISHED = 1_000_000;
const DEADLINE = PUBLISHED + 600_000;
const webShop = ConsumerName.parse('web-shop');
const billing = ConsumerName.parse('billing');

const underWay: KeySwitch = {
  account: AccountId.parse(
    '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/speech-weu',
  ),
  rotationId: null,
  generation: generation(7),
  request: 1,
  slot: 'key2',
  fingerprint: Fingerprint.parse('2'.repeat(32)),
  secret: { vaultUrl: 'https://vault.example', name: 'speech-weu' },
  publishedAt: PUBLISHED,
  deadlineAt: DEADLINE,
  drainSeconds: 3,
  withoutConsumers: 'wait',
  waived: [],
  announced: true,
  answer: null,
};

let drawn = 0;
function one(changes: Partial<Omit<Instance, 'acknowledged'>> & { acknowledged?: number } = {}): Instance {
  drawn += 1;
  const { acknowledged = 0, ...rest } = changes;
  return {
    instance: InstanceId.parse(`i-${drawn.toString(16).padStart(16, '0')}`),
    consumer: webShop,
    boot: 'boot',
    registeredAt: 0,
    seenAt: PUBLISHED,
    leaseUntil: PUBLISHED + 30_000,
    acknowledged: generation(acknowledged),
    drainedAt: null,
    gone: false,
    ...rest,
  };
}
const silentSince = PUBLISHED - 100_000;
const lapsed = (changes: Parameters<typeof one>[0] = {}) => one({ leaseUntil: silentSince, ...changes });
const NOW = PUBLISHED + 1_000;

function acknowledgedFrom(openFrom: number) {
  return expect.objectContaining({ owed: 'answer', outcome: 'acknowledged', openFrom });
}

describe('a switch of which nobody was told', () => {
  it('owes the announcement before anything else, even when everybody is there', () => {
    const current = { ...underWay, announced: false };
    expect(owed(current, [one({ acknowledged: 7 })], terms, NOW, [])).toEqual({ owed: 'announcement' });
  });

  it('owes nothing when nothing is published', () => {
    expect(owed(null, [one()], terms, NOW, [])).toEqual({ owed: 'nothing', lookAgainAt: null });
  });
});

describe('a switch with live instances', () => {
  it('is acknowledged at once when every one of them has moved', () => {
    const instances = [one({ acknowledged: 7 }), one({ acknowledged: 7, consumer: billing })];
    expect(owed(underWay, instances, terms, NOW, [])).toEqual({
      owed: 'answer',
      outcome: 'acknowledged',
      openFrom: NOW,
      live: 2,
      forced: [],
    });
  });

  it.each([
    ['has acknowledged nothing', 0],
    ['acknowledged an older generation', 6],
    ['acknowledged a generation that was never published', 8],
  ])('waits for one that %s', (_, acknowledged) => {
    const answer = owed(underWay, [one({ acknowledged: 7 }), one({ acknowledged })], terms, NOW, []);
    expect(answer.owed).toBe('nothing');
  });

  it('waits for the second replica of a consumer whose first one has moved', () => {
    expect(owed(underWay, [one({ acknowledged: 7 }), one()], terms, NOW, []).owed).toBe('nothing');
  });

  it('looks again when the first silent one may have lapsed', () => {
    const instances = [
      one({ leaseUntil: NOW + 20_000 }),
      one({ leaseUntil: NOW + 10_000 }),
      one({ leaseUntil: NOW + 1_000, acknowledged: 7 }),
    ];
    expect(owed(underWay, instances, terms, NOW, [])).toEqual({ owed: 'nothing', lookAgainAt: NOW + 15_001 });
  });

  it('opens no earlier than the last drain and the clock skew', () => {
    const instances = [one({ acknowledged: 7, drainedAt: NOW + 8_000 }), one({ acknowledged: 7 })];
    expect(owed(underWay, instances, terms, NOW, [])).toEqual(acknowledgedFrom(NOW + 13_000));
  });

  it('waits for one that registered late and has not acknowledged yet', () => {
    const late = one({ registeredAt: NOW });
    expect(owed(underWay, [one({ acknowledged: 7 }), late], terms, NOW, []).owed).toBe('nothing');
  });

  it('takes nothing back when one registers after the answer', () => {
    const answered: KeySwitch = {
      ...underWay,
      answer: { outcome: 'acknowledged', at: NOW, openFrom: NOW },
    };
    expect(owed(answered, [one()], terms, DEADLINE + 1, [])).toEqual({ owed: 'nothing', lookAgainAt: null });
  });
});

describe('a switch with lapsed instances', () => {
  it('does not wait for them, but gives them their time after the publication', () => {
    expect(owed(underWay, [one({ acknowledged: 7 }), lapsed()], terms, NOW, [])).toEqual(
      acknowledgedFrom(PUBLISHED + 60_000 + 3_000 + 5_000),
    );
  });

  it('counts from the end of the lease when that is later: until then the instance need not re-read', () => {
    const leaseUntil = PUBLISHED + 70_000;
    const now = leaseUntil + 5_001;
    expect(owed(underWay, [lapsed({ leaseUntil })], terms, now, [])).toEqual(
      acknowledgedFrom(leaseUntil + 3_000 + 5_000),
    );
  });

  it('costs no wait when their time is already over', () => {
    expect(owed(underWay, [lapsed()], terms, PUBLISHED + 100_000, [])).toEqual(
      acknowledgedFrom(PUBLISHED + 100_000),
    );
  });

  it('costs no wait for one that had acknowledged before it fell silent, but for its drain', () => {
    expect(owed(underWay, [lapsed({ acknowledged: 7 })], terms, NOW, [])).toEqual(acknowledgedFrom(NOW));
    const draining = lapsed({ acknowledged: 7, drainedAt: NOW + 1_000 });
    expect(owed(underWay, [draining], terms, NOW, [])).toEqual(acknowledgedFrom(NOW + 6_000));
  });

  it('is not a switch without consumers', () => {
    expect(owed({ ...underWay, withoutConsumers: 'wait' }, [lapsed()], terms, NOW, [])).toMatchObject({
      outcome: 'acknowledged',
    });
  });
});

describe('a switch that does not need somebody', () => {
  it('does not wait for a waived consumer, live or lapsed', () => {
    const current = { ...underWay, waived: [billing] };
    const instances = [
      one({ acknowledged: 7 }),
      one({ consumer: billing }),
      lapsed({ consumer: billing }),
      one({ consumer: billing, acknowledged: 7, drainedAt: NOW + 50_000 }),
    ];
    expect(owed(current, instances, terms, NOW, [])).toEqual(acknowledgedFrom(NOW));
  });

  it('still waits for the consumer that nobody waived', () => {
    const current = { ...underWay, waived: [billing] };
    expect(owed(current, [one(), one({ consumer: billing })], terms, NOW, []).owed).toBe('nothing');
  });

  it('does not wait for an instance that said goodbye', () => {
    expect(owed(underWay, [one({ acknowledged: 7 }), one({ gone: true })], terms, NOW, [])).toEqual(
      acknowledgedFrom(NOW),
    );
  });
});

describe('a switch without any consumer', () => {
  it('goes on after the drain when the policy rotates all the same', () => {
    const current: KeySwitch = { ...underWay, withoutConsumers: 'rotate' };
    expect(owed(current, [], terms, NOW, [])).toEqual(acknowledgedFrom(NOW + 3_000));
    expect(owed(current, [one({ gone: true })], terms, NOW, [])).toEqual(acknowledgedFrom(NOW + 3_000));
  });

  it('waits for one when the policy says so, and says at the deadline that nobody came', () => {
    expect(owed(underWay, [], terms, NOW, [])).toEqual({ owed: 'nothing', lookAgainAt: DEADLINE });
    expect(owed(underWay, [], terms, DEADLINE, [])).toEqual({
      owed: 'answer',
      outcome: 'overdue',
      missing: [],
      openFrom: DEADLINE,
      live: 0,
      forced: [],
      hold: false,
    });
  });
});

describe('a switch that was said to be overdue because nobody came', () => {
  it('needs no look before somebody says something', () => {
    const said: KeySwitch = { ...underWay, answer: { outcome: 'overdue', at: DEADLINE } };
    expect(owed(said, [], terms, DEADLINE + 1, [])).toEqual({ owed: 'nothing', lookAgainAt: null });
  });
});

describe('a switch at its deadline', () => {
  const leaseUntil = DEADLINE + 30_000;

  it('is overdue, and names who is missing and what they acknowledged last', () => {
    const late = one({ leaseUntil, acknowledged: 6, seenAt: DEADLINE - 2_000 });
    const instances = [one({ leaseUntil, acknowledged: 7 }), late];
    expect(owed(underWay, instances, terms, DEADLINE, [])).toEqual({
      owed: 'answer',
      outcome: 'overdue',
      openFrom: DEADLINE,
      live: 2,
      forced: [],
      hold: false,
      missing: [
        {
          consumer: webShop,
          instance: late.instance,
          generation: generation(6),
          lastSeenAt: DEADLINE - 2_000,
        },
      ],
    });
  });

  it('is acknowledged when the last one came in time', () => {
    expect(owed(underWay, [one({ leaseUntil, acknowledged: 7 })], terms, DEADLINE, [])).toMatchObject({
      outcome: 'acknowledged',
    });
  });

  it('says when the last call of those who did acknowledge is over, for whoever goes on without the others', () => {
    const drainedAt = DEADLINE + 4_000;
    const instances = [one({ leaseUntil, acknowledged: 7, drainedAt }), one({ leaseUntil, acknowledged: 6 })];
    expect(owed(underWay, instances, terms, DEADLINE, [])).toMatchObject({
      outcome: 'overdue',
      openFrom: drainedAt + terms.clockSkewSeconds * 1_000,
    });
  });

  it('is said to be overdue once, and acknowledged when the late one comes after all', () => {
    const said: KeySwitch = { ...underWay, answer: { outcome: 'overdue', at: DEADLINE } };
    expect(owed(said, [one({ leaseUntil })], terms, DEADLINE + 1, [])).toEqual({
      owed: 'nothing',
      lookAgainAt: leaseUntil + 5_001,
    });
    expect(owed(said, [one({ leaseUntil, acknowledged: 7 })], terms, DEADLINE + 1, [])).toMatchObject({
      outcome: 'acknowledged',
    });
  });
});

function declared(
  consumer: ConsumerName,
  { minimum = 0, deadlineAt = null, onOverdue = null }: Partial<Omit<Expectation, 'consumer'>> = {},
): Expectation {
  return { consumer, minimum, deadlineAt, onOverdue };
}

describe('a switch with a declared consumer', () => {
  const both = [one({ acknowledged: 7 }), one({ acknowledged: 7, consumer: billing })];
  const least = (minimum: number) => [declared(billing, { minimum })];

  it('is acknowledged when as many of it are live as there must be, and nobody is behind', () => {
    expect(owed(underWay, both, terms, NOW, least(1))).toEqual(acknowledgedFrom(NOW));
  });

  it('waits while fewer of it are live, whatever those who are there say', () => {
    expect(owed(underWay, both, terms, NOW, least(2))).toEqual({ owed: 'nothing', lookAgainAt: DEADLINE });
    const asleep = [...both, lapsed({ acknowledged: 7, consumer: billing })];
    expect(owed(underWay, asleep, terms, NOW, least(2)).owed).toBe('nothing');
    const left = [...both, one({ acknowledged: 7, consumer: billing, gone: true })];
    expect(owed(underWay, left, terms, NOW, least(2)).owed).toBe('nothing');
  });

  it('waits for it although it was never seen, and although the policy rotates without consumers', () => {
    const current: KeySwitch = { ...underWay, withoutConsumers: 'rotate' };
    expect(owed(current, [], terms, NOW, least(1))).toEqual({ owed: 'nothing', lookAgainAt: DEADLINE });
    expect(owed(current, [], terms, NOW, least(0))).toEqual(acknowledgedFrom(NOW + 3_000));
  });

  it('does not wait for it when it is waived', () => {
    const current = { ...underWay, waived: [billing] };
    expect(owed(current, [one({ acknowledged: 7 })], terms, NOW, least(1))).toEqual(acknowledgedFrom(NOW));
  });

  it('says at the deadline how many of it are there', () => {
    expect(owed(underWay, both, terms, DEADLINE, [declared(billing, { minimum: 3 })])).toMatchObject({
      outcome: 'overdue',
      missing: [{ consumer: billing, live: 0, minimum: 3, generation: 0 }],
      hold: false,
      forced: [],
    });
    const alive = both.map((instance) => ({ ...instance, leaseUntil: DEADLINE }));
    const answer = owed(underWay, alive, terms, DEADLINE, [declared(billing, { minimum: 3 })]);
    expect(answer).toMatchObject({ outcome: 'overdue', live: 2 });
    expect(answer).toHaveProperty('missing', [{ consumer: billing, live: 1, minimum: 3, generation: 0 }]);
  });

  it('is not held by what nobody asked of it', () => {
    expect(owed(underWay, both, terms, NOW, [declared(billing), declared(webShop)])).toEqual(
      acknowledgedFrom(NOW),
    );
  });
});

describe('a declared consumer with a deadline of its own', () => {
  const OWN = NOW + 60_000;
  const leaseUntil = DEADLINE + 30_000;
  const web = one({ leaseUntil, acknowledged: 7 });
  const silent = one({ leaseUntil, consumer: billing, acknowledged: 6 });
  const force = declared(billing, { deadlineAt: OWN, onOverdue: 'force' });
  const hold = declared(billing, { deadlineAt: OWN, onOverdue: 'hold' });

  it('is waited for until then, and the switch is looked at again then', () => {
    for (const expectation of [force, hold]) {
      const answer = owed(underWay, [web, silent], terms, OWN - 1, [expectation]);
      expect(answer).toEqual({ owed: 'nothing', lookAgainAt: OWN });
    }
  });

  it('is left out then if it was declared so, and that is told', () => {
    expect(owed(underWay, [web, silent], terms, OWN, [force])).toEqual({
      owed: 'answer',
      outcome: 'acknowledged',
      openFrom: OWN,
      live: 2,
      forced: [billing],
    });
  });

  it('is left out too when it is not there at all', () => {
    const answer = owed(underWay, [web], terms, OWN, [{ ...force, minimum: 1 }]);
    expect(answer).toMatchObject({ outcome: 'acknowledged', forced: [billing] });
  });

  it('is not said to be left out when nothing of it is missing', () => {
    const moved = { ...silent, acknowledged: generation(7) };
    expect(owed(underWay, [web, moved], terms, OWN, [force])).toMatchObject({ forced: [] });
  });

  it('frees nobody else', () => {
    const other = one({ leaseUntil, consumer: webShop, acknowledged: 6 });
    expect(owed(underWay, [other, silent], terms, OWN, [force])).toEqual({
      owed: 'nothing',
      lookAgainAt: DEADLINE,
    });
    expect(owed(underWay, [other, silent], terms, DEADLINE, [force])).toMatchObject({
      outcome: 'overdue',
      missing: [{ consumer: webShop, instance: other.instance }],
      forced: [billing],
      hold: false,
    });
  });

  it('leaves out only what it did not acknowledge: drains and the time of lapsed instances still count', () => {
    const draining = one({
      leaseUntil,
      consumer: billing,
      acknowledged: 7,
      drainedAt: OWN + 40_000,
    });
    expect(owed(underWay, [web, silent, draining], terms, OWN, [force])).toEqual(
      acknowledgedFrom(OWN + 45_000),
    );
    const asleep = one({ consumer: billing, leaseUntil: OWN - 6_000 });
    expect(owed(underWay, [web, silent, asleep], terms, OWN, [force])).toEqual(
      acknowledgedFrom(Math.max(PUBLISHED + 60_000, OWN - 6_000) + 3_000 + 5_000),
    );
  });

  it('makes the switch overdue then if it was declared to hold, and only it is named', () => {
    const other = one({ leaseUntil, acknowledged: 6 });
    expect(owed(underWay, [other, silent], terms, OWN, [hold])).toEqual({
      owed: 'answer',
      outcome: 'overdue',
      missing: [
        { consumer: billing, instance: silent.instance, generation: generation(6), lastSeenAt: PUBLISHED },
      ],
      openFrom: OWN,
      live: 2,
      forced: [],
      hold: true,
    });
  });

  it('never has more time than its account', () => {
    const late = (onOverdue: 'hold' | 'force') => [
      declared(billing, { deadlineAt: DEADLINE + 1, onOverdue }),
    ];
    expect(owed(underWay, [web, silent], terms, DEADLINE, late('force'))).toMatchObject({
      outcome: 'acknowledged',
      forced: [billing],
    });
    expect(owed(underWay, [web, silent], terms, DEADLINE, late('hold'))).toMatchObject({
      outcome: 'overdue',
      hold: true,
    });
  });

  it('has that of the account when it says only what its silence means', () => {
    const own = [declared(billing, { onOverdue: 'force' })];
    expect(owed(underWay, [web, silent], terms, DEADLINE - 1, own).owed).toBe('nothing');
    expect(owed(underWay, [web, silent], terms, DEADLINE, own)).toMatchObject({ outcome: 'acknowledged' });
  });

  it('has none when it does not say what its silence means', () => {
    const vague = [declared(billing, { deadlineAt: OWN })];
    expect(owed(underWay, [web, silent], terms, OWN, vague)).toEqual({
      owed: 'nothing',
      lookAgainAt: DEADLINE,
    });
    expect(owed(underWay, [web, silent], terms, DEADLINE, vague)).toMatchObject({
      outcome: 'overdue',
      hold: false,
    });
  });

  it('is still left out at its deadline after another one was said to be overdue', () => {
    const said: KeySwitch = { ...underWay, answer: { outcome: 'overdue', at: NOW } };
    expect(owed(said, [web, silent], terms, NOW, [force])).toEqual({ owed: 'nothing', lookAgainAt: OWN });
    expect(owed(said, [web, silent], terms, OWN, [force])).toMatchObject({ outcome: 'acknowledged' });
    expect(owed(said, [web, silent], terms, OWN, [hold])).toEqual({
      owed: 'nothing',
      lookAgainAt: leaseUntil + 5_001,
    });
  });

  it('does not stand for a consumer where the policy waits for one', () => {
    const nobody = owed(underWay, [], terms, OWN, [{ ...force, minimum: 1 }]);
    expect(nobody).toEqual({ owed: 'nothing', lookAgainAt: DEADLINE });
    expect(owed(underWay, [], terms, DEADLINE, [{ ...force, minimum: 1 }])).toMatchObject({
      outcome: 'overdue',
      missing: [],
      forced: [billing],
    });
  });
});

describe('what a switch waits for', () => {
  it('is everybody behind and whoever is not there, whatever the deadlines say', () => {
    const instances = [
      one({ acknowledged: 7 }),
      one(),
      one({ gone: true }),
      lapsed(),
      one({ consumer: billing }),
    ];
    const expected = [
      declared(billing, { minimum: 2, deadlineAt: NOW, onOverdue: 'force' }),
      declared(webShop, { minimum: 2 }),
    ];
    expect(missingOf(underWay, instances, terms, NOW, expected)).toEqual([
      expect.objectContaining({ consumer: webShop, instance: instances[1]?.instance }),
      expect.objectContaining({ consumer: billing, instance: instances[4]?.instance }),
      { consumer: billing, live: 1, minimum: 2, generation: 0 },
    ]);
  });
});

describe('the count of consumers', () => {
  it('says per consumer who is live, who has moved and who is silent', () => {
    const instances = [
      one({ acknowledged: 7 }),
      one({ acknowledged: 6 }),
      lapsed({ acknowledged: 7 }),
      one({ consumer: billing, gone: true }),
    ];
    expect(census(instances, generation(7), terms, NOW, [])).toEqual([
      { consumer: webShop, live: 2, acknowledged: 1, lapsed: 1 },
    ]);
  });

  it('counts nobody as moved while nothing is published', () => {
    expect(census([one()], generation(0), terms, NOW, [])).toMatchObject([{ live: 1, acknowledged: 0 }]);
  });
});

describe('every switch with up to three instances', () => {
  // All combinations of what an instance can be: about 130,000 worlds, each judged against the bare sentence.
  const kinds = [webShop, billing].flatMap((consumer) =>
    [0, 6, 7, 8].flatMap((acknowledged) => [
      one({ consumer, acknowledged }),
      lapsed({ consumer, acknowledged }),
      one({ consumer, acknowledged, gone: true }),
    ]),
  );
  const crowds: Instance[][] = [[], ...kinds.map((a) => [a])];
  kinds.forEach((a, i) => {
    kinds.slice(i).forEach((b, j) => {
      crowds.push([a, b], ...kinds.slice(i + j).map((c) => [a, b, c]));
    });
  });
  const worlds = [[], [billing], [webShop, billing]].flatMap((waived) =>
    (['wait', 'rotate'] as const).flatMap((withoutConsumers) =>
      [NOW, DEADLINE].flatMap((now) =>
        crowds.map((crowd) => ({ current: { ...underWay, waived, withoutConsumers }, crowd, now })),
      ),
    ),
  );

  it('is never answered acknowledged while a live instance that nobody waived has not acknowledged', () => {
    let answers = 0;
    for (const { current, crowd, now } of worlds) {
      const answer = owed(current, crowd, { ...terms, leaseSeconds: 900 }, now, []);
      if (answer.owed !== 'answer' || answer.outcome !== 'acknowledged') continue;
      answers += 1;
      const behind = crowd.filter(
        (instance) =>
          standingOf(instance, terms, now) === 'live' &&
          !(current.waived as readonly string[]).includes(instance.consumer) &&
          instance.acknowledged !== current.generation,
      );
      if (behind.length > 0) expect({ current, crowd, now }).toBe('not acknowledged');
    }
    expect(answers).toBeGreaterThan(1_000);
  });

  it('never waits without knowing when to look again', () => {
    for (const { current, crowd, now } of worlds) {
      const answer = owed(current, crowd, terms, now, []);
      if (answer.owed === 'nothing' && !(answer.lookAgainAt !== null && answer.lookAgainAt > now)) {
        expect({ current, crowd, now }).toBe('looked at again');
      }
    }
  });
});
