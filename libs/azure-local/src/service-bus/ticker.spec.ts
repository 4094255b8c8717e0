import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Ticker } from './ticker.js';

describe('the ticker', () => {
  let due = Infinity;
  let turns: number[] = [];
  let ticker: Ticker;

  beforeEach(() => {
    jest.useFakeTimers({ now: 0 });
    due = Infinity;
    turns = [];
    const of = {
      now: () => Date.now(),
      turn: () => {
        turns.push(Date.now());
        due = Infinity;
      },
      expireGrants: () => undefined,
      broker: {
        get nextDue() {
          return due;
        },
      },
    };
    ticker = new Ticker(of, false);
    ticker.start();
  });

  afterEach(() => {
    ticker.stop();
    jest.useRealTimers();
  });

  it('wakes the broker when something is due, although it came up after the ticker had gone to sleep', () => {
    jest.advanceTimersByTime(300);
    due = 400;
    ticker.review();
    jest.advanceTimersByTime(99);
    expect(turns).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(turns).toEqual([400]);
  });

  it('lets the broker sleep while nothing is due, and is silent once stopped', () => {
    jest.advanceTimersByTime(10_000);
    expect(turns).toEqual([]);
    ticker.stop();
    due = 10_001;
    ticker.review();
    jest.advanceTimersByTime(5000);
    expect(turns).toEqual([]);
  });
});
