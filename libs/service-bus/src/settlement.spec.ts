import { describe, expect, it } from '@jest/globals';
import { Interrupted, PermanentFault, TransientFault } from '@twinkey/contracts';
import { settlementOf } from './settlement.js';

describe('a handler that returned', () => {
  it('completes the message', () => {
    expect(settlementOf({ returned: true }, 1)).toEqual({ settle: 'complete' });
  });
});

describe('a handler that failed for a while', () => {
  const outage = new TransientFault('database-unreachable', 'PostgreSQL does not answer.');

  it('gets the message again, later each time', () => {
    const delays = [1, 2, 3, 4, 5, 6, 9].map((count) => settlementOf({ threw: outage }, count));
    expect(delays).toEqual(
      [1, 2, 4, 8, 15, 30, 30].map((seconds) => ({ settle: 'redeliver', delayMs: seconds * 1_000 })),
    );
  });

  it('gets it when the fault says, as long as the lock can be kept until then', () => {
    const after = (retryAfterMs: number) =>
      settlementOf({ threw: new TransientFault('throttled', 'Slow down.', { retryAfterMs }) }, 1);
    expect(after(250)).toEqual({ settle: 'redeliver', delayMs: 250 });
    expect(after(600_000)).toEqual({ settle: 'redeliver', delayMs: 30_000 });
  });

  it('loses the message to the dead letters at the last delivery, with its own words', () => {
    expect(settlementOf({ threw: outage }, 10)).toEqual({
      settle: 'dead-letter',
      reason: 'DeliveriesExhausted',
      description: 'database-unreachable: PostgreSQL does not answer.',
    });
  });
});

describe('a handler with a defect', () => {
  it('gets the message again within the budget', () => {
    expect(settlementOf({ threw: new TypeError('x is undefined') }, 1).settle).toBe('redeliver');
  });

  it('ends with its own message in the description', () => {
    expect(settlementOf({ threw: new TypeError('x is undefined') }, 10)).toMatchObject({
      settle: 'dead-letter',
      description: 'TypeError: x is undefined',
    });
  });

  it('may throw what is no error', () => {
    expect(settlementOf({ threw: 'no' }, 10)).toMatchObject({ settle: 'dead-letter' });
  });
});

describe('a handler that can never succeed', () => {
  it('has the message dead-lettered at once, with what a person can do', () => {
    const fault = new PermanentFault('account-not-found', 'There is no such account.', {
      remedy: 'Remove it.',
    });
    expect(settlementOf({ threw: fault }, 1)).toEqual({
      settle: 'dead-letter',
      reason: 'account-not-found',
      description: 'There is no such account. Remove it.',
    });
  });

  it('cuts what the broker would not take', () => {
    const settlement = settlementOf({ threw: new PermanentFault('x', 'y'.repeat(9_000)) }, 1);
    expect(settlement).toMatchObject({ description: 'y'.repeat(1_000) });
  });
});

describe('a handler that was interrupted', () => {
  it('gives the message back at once, even at the last delivery', () => {
    expect(settlementOf({ threw: new Interrupted('lease-lost', 'Someone else goes on.') }, 10)).toEqual({
      settle: 'release',
    });
  });
});
