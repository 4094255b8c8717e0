import { describe, expect, it } from '@jest/globals';
import { termsFrom } from './terms-from.js';

describe('the timing assumptions', () => {
  it('refuse a lease that a call could outlive, and say which two numbers disagree', () => {
    expect(() =>
      termsFrom({ quiescenceSeconds: 300, callDeadlineSeconds: 10, accountLeaseSeconds: 21 }),
    ).toThrow(/TWINKEY_ACCOUNT_LEASE_SECONDS \(21\).*TWINKEY_CALL_DEADLINE_SECONDS \(10\)/);
  });

  it('are milliseconds inside', () => {
    const { terms, times } = termsFrom({
      quiescenceSeconds: 300,
      callDeadlineSeconds: 10,
      accountLeaseSeconds: 30,
    });
    expect(terms.quiescenceMs).toBe(300_000);
    expect(times).toEqual({ leaseMs: 30_000, callDeadlineMs: 10_000 });
  });
});
