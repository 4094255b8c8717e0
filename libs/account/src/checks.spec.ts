import { AccountId, RotationEvent, RotationId } from '@twinkey/contracts';
import { describe, expect, it } from '@jest/globals';
import {
  asked,
  hear,
  judge,
  nextDue,
  rotationIdOf,
  type AskReason,
  type Observed,
  type Verdict,
  type WaitReason,
} from './index.js';

const DAY = 86_400_000;
const MINUTE = 60_000;
const t0 = Date.parse('2026-03-02T08:00:00.000Z');
const account = AccountId.parse(
  '/subscriptions/1b8f3a52/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/speech-prod',
);
const byHand = RotationId.parse('r-00000000beef');

const seen: Observed = {
  account,
  presence: 'here',
  schedule: { intervalSeconds: 30 * 86_400, firstRotation: 'now', spreadSeconds: 0 },
  firstSeenAt: t0,
  lastCompletedAt: null,
  open: null,
  heard: 0,
};
const later: Observed = { ...seen, schedule: { ...seen.schedule, firstRotation: 'after-interval' } };

/** A step of a story: the scheduler asks at a time, or the rotator says something at a time. */
type Told = { ask: number } | { event: string; at: number; sequence: number; rotation?: RotationId };

function given(start: Observed, story: readonly Told[]): Observed {
  let observed = start;
  for (const told of story) {
    if ('ask' in told) {
      const verdict = judge(observed, told.ask);
      if (verdict.do !== 'ask') throw new Error(`the story asks, but the verdict is ${verdict.why}`);
      observed = asked(observed, verdict, told.ask);
    } else {
      observed = hear(observed, event(told, observed.open?.rotationId ?? byHand));
    }
  }
  return observed;
}

const DETAILS: Record<string, object> = {
  requested: { reason: 'interval', by: 'scheduler', steps: [], retire: [] },
  halted: { reason: 'operator', detail: 'asked to', remedy: 'replay' },
  replayed: { by: 'ada' },
  completed: { seconds: 4, keysReplaced: 2 },
  'step-started': { step: 'switch-to-key2' },
  refused: { command: 'rotate', code: 'rotation-completed', detail: '' },
  drift: { kind: 'vault-changed', detail: '' },
};

function event(told: Exclude<Told, { ask: number }>, rotation: RotationId): RotationEvent {
  return RotationEvent.data.parse({
    account,
    rotationId: told.rotation ?? rotation,
    sequence: told.sequence,
    at: new Date(told.at).toISOString(),
    what: { event: told.event, ...DETAILS[told.event] },
  });
}

const ask = (why: AskReason, dueAt: number): Partial<Verdict> => ({ do: 'ask', why, dueAt });
const wait = (why: WaitReason, until: number | null): Partial<Verdict> => ({ do: 'wait', why, until });

interface Case {
  readonly it: string;
  readonly given?: readonly Told[];
  readonly from?: Observed;
  readonly when: number;
  readonly then: Partial<Verdict>;
}

const requested: Told = { event: 'requested', at: t0 + MINUTE, sequence: 1 };
const completed: Told = { event: 'completed', at: t0 + 10 * MINUTE, sequence: 9 };
const halted: Told = { event: 'halted', at: t0 + 5 * MINUTE, sequence: 5 };
const refused: Told = { event: 'refused', at: t0 + 32 * MINUTE, sequence: 12 };
const nextAt = t0 + 10 * MINUTE + 30 * DAY;

const CASES: readonly Case[] = [
  { it: 'asks at once for the first rotation', when: t0, then: ask('first-rotation', t0) },
  {
    it: 'lets the interval pass first when the policy says so',
    from: later,
    when: t0 + 30 * DAY - 1,
    then: wait('not-due', t0 + 30 * DAY),
  },
  {
    it: 'asks when it has passed',
    from: later,
    when: t0 + 30 * DAY,
    then: ask('first-rotation', t0 + 30 * DAY),
  },
  {
    it: 'asks for an overdue one however late it comes to it',
    from: later,
    when: t0 + 300 * DAY,
    then: ask('first-rotation', t0 + 30 * DAY),
  },
  { it: 'asks once', given: [{ ask: t0 }], when: t0 + 1, then: wait('asked', t0 + 2 * MINUTE) },
  {
    it: 'asks again, for the same rotation, when the rotator does not answer',
    given: [{ ask: t0 }],
    when: t0 + 2 * MINUTE,
    then: { do: 'ask', why: 'unanswered', dueAt: t0, rotationId: rotationIdOf(account, t0) },
  },
  {
    it: 'asks less and less often, hourly at the least',
    given: [0, 2, 6, 14, 30, 62, 122].map((minutes) => ({ ask: t0 + minutes * MINUTE })),
    when: t0 + 123 * MINUTE,
    then: wait('asked', t0 + 182 * MINUTE),
  },
  {
    it: 'leaves the rotator alone once it answered',
    given: [{ ask: t0 }, requested],
    when: t0 + 20 * MINUTE,
    then: wait('rotating', t0 + 31 * MINUTE),
  },
  {
    it: 'asks how a rotation stands that nothing was heard of for half an hour, under its own id',
    given: [{ ask: t0 }, requested],
    when: t0 + 31 * MINUTE,
    then: { ...ask('no-progress', t0 + MINUTE), rotationId: rotationIdOf(account, t0) },
  },
  {
    it: 'asks so every half hour, and does not take the question for news',
    given: [{ ask: t0 }, requested, { ask: t0 + 31 * MINUTE }],
    when: t0 + 32 * MINUTE,
    then: wait('rotating', t0 + 61 * MINUTE),
  },
  {
    it: 'learns late that a rotation is over, if its end was never heard',
    given: [{ ask: t0 }, requested, { ask: t0 + 31 * MINUTE }, refused],
    when: t0 + 33 * MINUTE,
    then: wait('not-due', t0 + 32 * MINUTE + 30 * DAY),
  },
  {
    it: 'leaves a halted rotation to a person',
    given: [{ ask: t0 }, requested, halted],
    when: t0 + DAY,
    then: wait('halted', t0 + 5 * MINUTE + 30 * DAY),
  },
  {
    it: 'knows of a replay',
    given: [{ ask: t0 }, requested, halted, { event: 'replayed', at: t0 + DAY, sequence: 6 }],
    when: t0 + DAY + MINUTE,
    then: wait('rotating', t0 + DAY + 30 * MINUTE),
  },
  {
    it: 'waits one interval from the completion',
    given: [{ ask: t0 }, requested, completed],
    when: t0 + DAY,
    then: wait('not-due', nextAt),
  },
  {
    it: 'asks when that interval is over',
    given: [{ ask: t0 }, requested, completed],
    when: nextAt,
    then: ask('interval-over', nextAt),
  },
  {
    it: 'is not put back by events that arrive late',
    given: [{ ask: t0 }, completed, requested, halted],
    when: t0 + DAY,
    then: wait('not-due', nextAt),
  },
  {
    it: 'is not moved by an event heard twice',
    given: [{ ask: t0 }, requested, completed, completed, requested],
    when: t0 + DAY,
    then: wait('not-due', nextAt),
  },
  {
    it: 'starts the interval anew when a person had the account rotated',
    from: { ...later, lastCompletedAt: t0 },
    given: [
      { event: 'requested', at: t0 + 9 * DAY, sequence: 11, rotation: byHand },
      { event: 'completed', at: t0 + 10 * DAY, sequence: 19, rotation: byHand },
    ],
    when: t0 + 30 * DAY,
    then: wait('not-due', t0 + 40 * DAY),
  },
  {
    it: 'counts a completion even when a later rotation overtook it',
    given: [
      { ask: t0 },
      requested,
      { event: 'requested', at: t0 + DAY, sequence: 12, rotation: byHand },
      completed,
      { event: 'completed', at: t0 + 2 * DAY, sequence: 19, rotation: byHand },
    ],
    when: t0 + 3 * DAY,
    then: wait('not-due', t0 + 32 * DAY),
  },
  {
    it: 'does not care for other events',
    given: [
      { ask: t0 },
      { event: 'step-started', at: t0, sequence: 50 },
      { event: 'drift', at: t0, sequence: 51 },
    ],
    when: t0 + 1,
    then: wait('asked', t0 + 2 * MINUTE),
  },
  {
    it: 'asks under a new id when an outcome was not heard for a whole interval',
    given: [{ ask: t0 }, requested],
    when: t0 + MINUTE + 30 * DAY,
    then: ask('outcome-missed', t0 + MINUTE + 30 * DAY),
  },
  {
    it: 'hears a rotator whose sequence started anew answer what it was asked',
    from: { ...seen, heard: 100 },
    given: [{ ask: t0 }, requested, { ...completed, sequence: 3 }],
    when: t0 + DAY,
    then: wait('not-due', nextAt),
  },
  {
    it: 'asks for nothing while Azure does not know the account',
    from: { ...seen, presence: 'gone' },
    when: t0,
    then: wait('gone', null),
  },
  {
    it: 'asks for nothing before Azure said where the account is',
    from: { ...seen, presence: 'unread' },
    when: t0,
    then: wait('unread', null),
  },
  {
    it: 'asks for nothing where keys are switched off',
    from: { ...seen, presence: 'keys-disabled' },
    when: t0,
    then: wait('keys-disabled', null),
  },
];

describe('an account under care', () => {
  it.each(CASES)('$it', ({ from = seen, given: story = [], when, then }) => {
    expect(judge(given(from, story), when)).toMatchObject(then);
  });

  it('is believed to be under way for two hours when its interval is minutes', () => {
    const hasty: Observed = { ...seen, schedule: { ...seen.schedule, intervalSeconds: 60 } };
    const underWay = given(hasty, [{ ask: t0 }, requested]);
    expect(judge(underWay, t0 + 120 * MINUTE)).toMatchObject({ do: 'ask', why: 'no-progress' });
    expect(judge(underWay, t0 + 121 * MINUTE)).toMatchObject({ do: 'ask', why: 'outcome-missed' });
  });

  it('owes the same rotation whenever it is asked, and another one after it', () => {
    const first = judge(seen, t0);
    expect(judge(seen, t0 + 5 * DAY)).toEqual(first);
    const second = judge(given(seen, [{ ask: t0 }, requested, completed]), nextAt);
    expect(second.do === 'ask' && first.do === 'ask' && second.rotationId !== first.rotationId).toBe(true);
  });
});

describe('a rotation of one key', () => {
  const half = (what: string, sequence: number) =>
    event({ event: what, at: t0 + DAY, sequence }, RotationId.parse('r-0000000000ff'));
  const completed = given(later, [
    { event: 'requested', at: t0, sequence: 1 },
    { event: 'completed', at: t0 + MINUTE, sequence: 2 },
  ]);

  it('leaves the next due time where it was, since the other key is as old as before', () => {
    const requested = half('requested', 3);
    const over = half('completed', 4);
    const heard = [requested, over].reduce(
      (observed, { what, ...rest }) =>
        hear(observed, { ...rest, what: { ...what, scope: 'half' } as typeof what }),
      completed,
    );
    expect(nextDue(heard)).toEqual(nextDue(completed));
    expect(heard.open).toBeNull();
  });
});

describe('a new interval', () => {
  it('counts from the last completion, at once', () => {
    const rotated = given(seen, [{ ask: t0 }, requested, completed]);
    const weekly = { ...rotated, schedule: { ...rotated.schedule, intervalSeconds: 7 * 86_400 } };
    expect(nextDue(weekly)).toEqual({ at: t0 + 10 * MINUTE + 7 * DAY, reason: 'interval' });
  });
});

describe('a fleet that is seen all at once', () => {
  const fleet = Array.from({ length: 1000 }, (_, index) =>
    AccountId.parse(
      `/subscriptions/1b8f3a52/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/account-${index}`,
    ),
  );
  const spread = { ...seen, schedule: { ...seen.schedule, spreadSeconds: 3600 } };
  const dues = fleet.map((id) => nextDue({ ...spread, account: id }).at - t0);

  it('is due evenly over the spread', () => {
    for (let quarter = 0; quarter < 4; quarter += 1) {
      const inQuarter = dues.filter((due) => Math.floor(due / (15 * MINUTE)) === quarter).length;
      expect(Math.abs(inQuarter - 250)).toBeLessThan(60);
    }
  });

  it('falls the same way every time', () => {
    expect(fleet.map((id) => nextDue({ ...spread, account: id }).at - t0)).toEqual(dues);
  });

  it('is due at once without a spread', () => {
    expect(nextDue({ ...seen, account }).at).toBe(t0);
  });
});
