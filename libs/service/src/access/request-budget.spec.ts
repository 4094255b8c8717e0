import { describe, expect, it } from '@jest/globals';
import { accessOf } from './access-of.js';
import { RequestBudget } from './request-budget.js';

describe('a budget of requests', () => {
  it('lets through five seconds’ worth at once, then as many as the pace allows', () => {
    let now = 0;
    const budget = new RequestBudget(10, () => now);
    const takeAll = () => {
      let taken = 0;
      while (budget.take('one') === 0) taken += 1;
      return taken;
    };
    expect(takeAll()).toBe(50);
    expect(budget.take('one')).toBe(100);
    now += 1_000;
    expect(takeAll()).toBe(10);
    now += 3_600_000;
    expect(takeAll()).toBe(50);
  });

  it('counts nothing that it refused, so whoever keeps asking is let in when it is time', () => {
    let now = 0;
    const budget = new RequestBudget(1, () => now);
    for (let asked = 0; asked < 100; asked += 1) budget.take('one');
    now += 1_000;
    expect(budget.take('one')).toBe(0);
  });

  it('forgets callers that owe nothing any more', () => {
    let now = 0;
    const budget = new RequestBudget(10, () => now);
    for (let caller = 0; caller < 1_000; caller += 1) budget.take(`caller-${caller}`);
    now += 10_000;
    budget.take('another');
    expect(budget.remembered).toBe(1);
  });
});

describe('the budget of a service', () => {
  it('is that of its settings, where it asks for tokens', () => {
    const { budget } = accessOf({ apiAudience: ['api://twinkey'], requestsPerSecond: 1 }, {});
    const taken = Array.from({ length: 100 }, () => budget?.take('one'));
    expect(taken.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(taken.filter((waitMs) => waitMs !== 0)).not.toEqual([]);
    expect(accessOf({ requestsPerSecond: 1 }, {})).toEqual({});
  });
});
