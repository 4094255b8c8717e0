import { describe, expect, it } from '@jest/globals';
import { FailingKeys } from './failing-keys.js';
import type { StoredOutboxMessage } from './outbox.js';

const appendedAt = new Date(0);
const everything = { except: [], only: null };

function messages(...keys: string[]): readonly StoredOutboxMessage[] {
  return keys.map((orderKey, seq) => ({ id: `${seq}`, seq, orderKey, entity: 'q', body: {}, appendedAt }));
}

/** Fails until one key is left, and returns the claims that it took. */
function fail(failing: FailingKeys, claimed: readonly StoredOutboxMessage[]): number[] {
  const sizes: number[] = [];
  for (;;) {
    const tried = failing.narrow(claimed);
    sizes.push(tried.length);
    failing.failed(tried, 0);
    if (tried.length === 1) return sizes;
  }
}

describe('a batch of several keys that fails', () => {
  it('is tried again with half as many keys until one is left', () => {
    expect(fail(new FailingKeys(), messages('a', 'b', 'c', 'd', 'e'))).toEqual([5, 2, 1]);
  });

  it('holds back none of them: nobody knows yet which one it was', () => {
    const failing = new FailingKeys();
    failing.failed(messages('a', 'b'), 0);
    expect(failing.scope(0)).toEqual(everything);
    expect(failing.nextRetryIn(0)).toBeNull();
  });

  it('keeps all messages of a key together', () => {
    const failing = new FailingKeys();
    const claimed = messages('a', 'b', 'a', 'c', 'b');
    failing.failed(claimed, 0);
    expect(failing.narrow(claimed).map(({ orderKey }) => orderKey)).toEqual(['a', 'a']);
  });
});

describe('a key that fails alone', () => {
  it('holds back itself only, and is tried alone when its time has come', () => {
    const failing = new FailingKeys();
    failing.failed(messages('a'), 0);
    expect(failing.scope(100)).toEqual({ except: ['a'], only: null });
    expect(failing.scope(0)).toEqual({ except: ['a'], only: null });
    expect(failing.scope(100)).toEqual({ except: [], only: 'a' });
    failing.succeeded({ except: [], only: 'a' });
    expect(failing.scope(100)).toEqual(everything);
  });

  it('waits longer each time, but never more than ten seconds', () => {
    const failing = new FailingKeys();
    const waits = Array.from({ length: 12 }, () => {
      failing.failed(messages('a'), 0);
      return failing.nextRetryIn(0) ?? 0;
    });
    expect(waits[0]).toBeLessThanOrEqual(100);
    expect(waits[4]).toBeGreaterThanOrEqual(800);
    expect(Math.max(...waits)).toBeLessThanOrEqual(10_000);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(5_000);
  });
});

describe('a failing key’s time', () => {
  const failed = (): FailingKeys => {
    const failing = new FailingKeys();
    failing.failed(messages('a'), 1_000);
    failing.scope(1_000); // the others go first, once
    return failing;
  };

  it('comes after 50 to 100 ms, and not a moment sooner', () => {
    const failing = failed();
    const wait = failing.nextRetryIn(1_000) ?? Number.NaN;
    expect(wait).toBeGreaterThanOrEqual(50);
    expect(wait).toBeLessThanOrEqual(100);
    expect(failing.scope(1_000 + wait - 0.01)).toEqual({ except: ['a'], only: null });
    expect(failing.scope(1_000 + wait)).toEqual({ except: [], only: 'a' });
  });

  it('has come when it is past, and never lies there', () => {
    expect(failed().nextRetryIn(9_000)).toBe(0);
  });

  it('is none when no key fails', () => {
    expect(new FailingKeys().nextRetryIn(0)).toBeNull();
  });

  it('is the earliest of all that fail', () => {
    const failing = failed();
    failing.failed(messages('b'), 5_000);
    expect(failing.nextRetryIn(1_000)).toBeLessThanOrEqual(100);
  });

  it('is not forgotten because others succeed', () => {
    const failing = failed();
    failing.succeeded(everything);
    expect(failing.scope(1_000)).toEqual({ except: ['a'], only: null });
  });
});

describe('a success', () => {
  it('doubles the number of keys that are tried together', () => {
    const failing = new FailingKeys();
    const claimed = messages('a', 'b', 'c', 'd');
    fail(failing, claimed);
    failing.succeeded(everything);
    expect(failing.narrow(claimed)).toHaveLength(2);
    failing.succeeded(everything);
    expect(failing.narrow(claimed)).toHaveLength(4);
  });

  it('shortens the pause again that grew with each key that failed', () => {
    const failing = new FailingKeys();
    const pauses = ['a', 'b', 'c', 'd', 'e'].map((key) => failing.failed(messages(key), 0));
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(800);
    failing.succeeded(everything);
    expect(failing.failed(messages('f'), 0)).toBeLessThanOrEqual(100);
  });
});

describe('a pause', () => {
  it('is no longer for a key that fails again and again', () => {
    const failing = new FailingKeys();
    for (let n = 0; n < 8; n++) expect(failing.failed(messages('a'), 0)).toBeLessThanOrEqual(100);
  });

  it('is at least as long as the broker asks for', () => {
    expect(new FailingKeys().failed(messages('a', 'b'), 0, 7_000)).toBe(7_000);
  });
});
