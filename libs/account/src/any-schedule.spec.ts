// Whatever the schedule, the account and the story: when is a rotation due, and when is it asked for?
import { describe, expect, it } from '@jest/globals';
import { AccountId, RotationEvent } from '@twinkey/contracts';
import fc from 'fast-check';
import { patienceMs } from './due.js';
import { asked, hear, judge, nextDue, rotationIdOf, type Observed } from './index.js';

const DAY = 86_400_000;

const account = fc
  .stringMatching(/^[a-z0-9][a-z0-9-]{1,30}$/)
  .map((name) =>
    AccountId.parse(
      `/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/${name}`,
    ),
  );
const moment = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2060, 0, 1) });
const schedule = fc
  .tuple(
    fc.integer({ min: 60, max: 5 * 366 * 86_400 }),
    fc.constantFrom('now' as const, 'after-interval' as const),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  .map(([intervalSeconds, firstRotation, part]) => ({
    intervalSeconds,
    firstRotation,
    spreadSeconds: Math.floor(intervalSeconds * part),
  }));
const unrotated: fc.Arbitrary<Observed> = fc.record({
  account,
  presence: fc.constant('here' as const),
  schedule,
  firstSeenAt: moment,
  lastCompletedAt: fc.constant(null),
  open: fc.constant(null),
  heard: fc.constant(0),
});

const PARAMETERS = { numRuns: 200 };

describe('the first rotation of any account', () => {
  it('is due within the spread, from when it was seen or an interval later, and never sooner', () => {
    fc.assert(
      fc.property(unrotated, (observed) => {
        const { intervalSeconds, firstRotation, spreadSeconds } = observed.schedule;
        const from = observed.firstSeenAt + (firstRotation === 'now' ? 0 : intervalSeconds * 1000);
        const { at, reason } = nextDue(observed);
        expect(reason).toBe('first-rotation');
        expect(at).toBeGreaterThanOrEqual(from);
        expect(at - from).toBeLessThanOrEqual(spreadSeconds * 1000);
      }),
      PARAMETERS,
    );
  });

  it('is always due at the same moment, whatever else is known meanwhile', () => {
    fc.assert(
      fc.property(unrotated, fc.nat(), (observed, heard) => {
        const { at } = nextDue(observed);
        expect(nextDue({ ...structuredClone(observed), heard, presence: 'unread' }).at).toBe(at);
      }),
      PARAMETERS,
    );
  });

  it('keeps its place in the fleet when the spread grows: nobody is overtaken', () => {
    fc.assert(
      fc.property(unrotated, account, (observed, other) => {
        const wider = { ...observed.schedule, spreadSeconds: observed.schedule.spreadSeconds * 2 };
        const before = nextDue({ ...observed, account: other }).at - nextDue(observed).at;
        const after =
          nextDue({ ...observed, account: other, schedule: wider }).at -
          nextDue({ ...observed, schedule: wider }).at;
        expect(before * after).toBeGreaterThanOrEqual(0);
      }),
      PARAMETERS,
    );
  });
});

describe('every later rotation', () => {
  it('is due one interval after the last completion to the millisecond, winter or summer', () => {
    fc.assert(
      fc.property(unrotated, moment, (observed, lastCompletedAt) => {
        expect(nextDue({ ...observed, lastCompletedAt })).toEqual({
          at: lastCompletedAt + observed.schedule.intervalSeconds * 1000,
          reason: 'interval',
        });
      }),
      PARAMETERS,
    );
  });

  it('is never due sooner because a completion is heard of, in whatever order they come', () => {
    fc.assert(
      fc.property(unrotated, fc.array(moment, { minLength: 1, maxLength: 6 }), (start, completions) => {
        let observed = start;
        let dueAt = Number.NEGATIVE_INFINITY;
        completions.forEach((at, index) => {
          observed = hear(observed, completed(observed, at, index + 1));
          expect(nextDue(observed).at).toBeGreaterThanOrEqual(dueAt);
          dueAt = nextDue(observed).at;
        });
        expect(observed.lastCompletedAt).toBe(Math.max(...completions));
      }),
      PARAMETERS,
    );
  });
});

describe('an account that is judged at any moment', () => {
  it('is asked to rotate from its due time on, and not a millisecond before', () => {
    fc.assert(
      fc.property(unrotated, fc.integer({ min: 1, max: 400 * DAY }), (observed, away) => {
        const { at } = nextDue(observed);
        expect(judge(observed, at - away)).toEqual({ do: 'wait', why: 'not-due', until: at });
        for (const now of [at, at + away]) {
          expect(judge(observed, now)).toMatchObject({
            do: 'ask',
            dueAt: at,
            rotationId: rotationIdOf(observed.account, at),
          });
        }
      }),
      PARAMETERS,
    );
  });

  it('is asked for one and the same rotation until somebody answers, and is left in peace in between', () => {
    fc.assert(
      fc.property(unrotated, fc.array(fc.integer({ min: 0, max: DAY }), { maxLength: 20 }), (start, gaps) => {
        const first = nextDue(start).at;
        let observed = start;
        let now = first;
        let mayAskFrom = first;
        for (const gap of [0, ...gaps]) {
          now += gap;
          const verdict = judge(observed, now);
          if (now < mayAskFrom) expect(verdict).toEqual({ do: 'wait', why: 'asked', until: mayAskFrom });
          if (verdict.do === 'wait') continue;
          expect(verdict.rotationId).toBe(rotationIdOf(start.account, first));
          observed = asked(observed, verdict, now);
          if (observed.open?.standing !== 'asked') throw new Error('it was just asked for');
          mayAskFrom = now + patienceMs(observed.open.times);
        }
      }),
      PARAMETERS,
    );
  });
});

describe('the patience with a rotator that says nothing', () => {
  it('never shrinks, and lies between two minutes and an hour', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (times) => {
        expect(patienceMs(times)).toBeGreaterThanOrEqual(120_000);
        expect(patienceMs(times + 1)).toBeGreaterThanOrEqual(patienceMs(times));
        expect(patienceMs(times)).toBeLessThanOrEqual(3_600_000);
      }),
      PARAMETERS,
    );
  });
});

function completed({ account: id }: Observed, at: number, sequence: number): RotationEvent {
  return RotationEvent.data.parse({
    account: id,
    rotationId: 'r-00000000beef',
    sequence,
    at: new Date(at).toISOString(),
    what: { event: 'completed', seconds: 1, keysReplaced: 2 },
  });
}
