import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { AccountId } from '@twinkey/contracts';
import { until } from '@twinkey/testing';
import { Lookout } from './lookout.js';

const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => log };
const a = 'a' as AccountId;
const b = 'b' as AccountId;
const c = 'c' as AccountId;

/** A lookout whose looks end when told. */
function watched(atOnce: number) {
  const begun: AccountId[] = [];
  const endings: ((fault?: Error) => void)[] = [];
  const lookout = new Lookout(
    (account) => {
      begun.push(account);
      return new Promise((resolve, reject) => {
        endings.push((fault) => {
          if (fault) reject(fault);
          else resolve();
        });
      });
    },
    atOnce,
    log,
  );
  const end = async (fault?: Error) => {
    endings.shift()?.(fault);
    await new Promise(setImmediate);
  };
  return { lookout, begun, end };
}

describe('a lookout that hears of one account many times', () => {
  it('looks once while it looks, and once more afterwards', async () => {
    const { lookout, begun, end } = watched(4);
    for (let times = 0; times < 100; times += 1) lookout.soon(a);
    expect(begun).toEqual([a]);
    await end();
    await until(() => begun.length === 2);
    await end();
    await lookout.idle();
    expect(begun).toEqual([a, a]);
  });

  it('lets another account pass one that is being looked at', () => {
    const { lookout, begun } = watched(2);
    lookout.soon(a);
    lookout.soon(a);
    lookout.soon(b);
    expect(begun).toEqual([a, b]);
  });
});

describe('a lookout with more accounts than places', () => {
  it('takes the next one when a place is free, also after a failure', async () => {
    const { lookout, begun, end } = watched(2);
    [a, b, c].forEach(lookout.soon);
    expect(begun).toEqual([a, b]);
    await end(new Error('the database went away'));
    expect(begun).toEqual([a, b, c]);
  });
});

describe('a lookout whose looks take long', () => {
  it('rests as long before the next look at the same account', async () => {
    const { lookout, begun, end } = watched(2);
    lookout.soon(a);
    lookout.soon(a);
    await delay(40);
    const ended = performance.now();
    await end();
    expect(begun).toEqual([a]);
    lookout.soon(b);
    expect(begun).toEqual([a, b]);
    await until(() => begun.length === 3);
    expect(performance.now() - ended).toBeGreaterThan(30);
  });
});

describe('a lookout that closes', () => {
  it('waits for what it began and begins no more', async () => {
    const { lookout, begun, end } = watched(1);
    [a, b].forEach(lookout.soon);
    const closed = lookout.close();
    await end();
    await closed;
    lookout.soon(c);
    expect(begun).toEqual([a]);
  });
});
