import { describe, expect, it } from '@jest/globals';
import { ConsumerName, type ConsumerUse } from '@twinkey/contracts';
import { judgeKeyless, type KnownUse } from './keyless.js';

const now = new Date('2026-03-02T12:00:00.000Z');
const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString();
const web = ConsumerName.parse('web-shop');

function use(changes: Partial<ConsumerUse> = {}): ConsumerUse {
  return {
    consumer: web,
    live: 2,
    lapsed: 0,
    silent: 0,
    used: { key: 0, token: 0, entra: 9, bare: false },
    quietSince: ago(3_000),
    lastSeenAt: ago(0),
    ...changes,
  };
}

function judge(told: readonly ConsumerUse[] | null, more: Partial<KnownUse> = {}) {
  const known = { told, toldAt: told === null ? null : new Date(ago(1)), declared: [], ...more };
  return judgeKeyless(known, { quietMs: 24 * 3_600_000, now });
}

describe('an account', () => {
  it('can do without keys when every instance of every consumer has shown none for long enough', () => {
    expect(judge([use(), use({ consumer: ConsumerName.parse('billing') })])).toMatchObject({
      verdict: 'safe',
      reasons: [],
      consumers: [{ consumer: 'billing', verdict: 'safe' }, { consumer: 'web-shop' }],
    });
  });

  it('cannot as soon as one consumer cannot, however many can', () => {
    const others = [use(), use({ consumer: ConsumerName.parse('billing'), shownAt: ago(9), silent: 1 })];
    expect(judge(others)).toMatchObject({
      verdict: 'unsafe',
      consumers: [{ verdict: 'unsafe' }, { verdict: 'safe' }],
    });
  });

  it('is not known to when nobody was ever seen on it, or nothing was told, or nothing for long', () => {
    expect(judge([])).toMatchObject({
      verdict: 'unknown',
      reasons: [expect.stringContaining('No consumer was ever seen')],
    });
    expect(judge(null).verdict).toBe('unknown');
    const late = judge([use()], { toldAt: new Date(ago(16)) });
    expect(late).toMatchObject({ verdict: 'unknown', consumers: [{ verdict: 'safe' }] });
    expect(late.reasons[0]).toContain('has told nothing since');
  });
});

describe('a consumer', () => {
  const kept = { key: 40, token: 2, entra: 9, bare: false };

  it('that showed a key long ago and none since is safe: counts never go back', () => {
    expect(judge([use({ used: kept, shownAt: ago(3_000) })]).verdict).toBe('safe');
  });

  it.each<[string, Partial<ConsumerUse>, string, RegExp]>([
    [
      'showed a key within the quiet time',
      { used: kept, shownAt: ago(60), quietSince: ago(60) },
      'unsafe',
      /showed a key/,
    ],
    ['was handed the bare key', { used: { ...kept, bare: true } }, 'unsafe', /bare key/],
    ['was started within the quiet time', { quietSince: ago(60) }, 'unknown', /only since/],
    ['has an instance that says nothing', { silent: 1 }, 'unknown', /1 of its 2 instances/],
    ['has an instance that went silent', { lapsed: 1 }, 'unknown', /1 of its instances went silent/],
    ['has no instance now', { live: 0 }, 'unknown', /may come back/],
    ['is a declared receiver', { live: 1, receiver: true, silent: 1 }, 'unknown', /never says what it uses/],
  ])('that %s is not safe', (_, changes, verdict, reason) => {
    const judged = judge([use(changes)]);
    expect(judged.verdict).toBe(verdict);
    expect(judged.consumers[0]?.reasons.join(' ')).toMatch(reason);
  });

  it('that must be there and is not, or not with enough instances, is not safe', () => {
    const declared = (minimum: number) => ({ declared: [{ consumer: 'web-shop', minimum }] });
    expect(judge([use()], declared(2)).verdict).toBe('safe');
    expect(judge([use()], declared(3)).consumers[0]?.reasons).toEqual([
      '2 of at least 3 instances are there.',
    ]);
    expect(judge([], declared(0))).toMatchObject({
      verdict: 'unknown',
      consumers: [{ consumer: 'web-shop', reasons: [expect.stringContaining('may come back')] }],
    });
  });
});
