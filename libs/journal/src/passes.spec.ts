import { describe, expect, it } from '@jest/globals';
import { afterSending, courseAfter, databaseAway, isSuccess, turnTaken } from './passes.js';

const everything = { except: [], only: null };
const oneAlone = { except: [], only: 'a' };
const usual = { stopping: false, woken: false, retryIn: null, idleMs: 1_000 };

describe('a pass that sent what it claimed', () => {
  it('is followed by another one when its batch was full', () => {
    expect(afterSending({ scope: everything, claimed: 100, sent: 100, batch: 100 })).toBe('more');
  });

  it('is followed by another one when a failure before let it try a part only', () => {
    expect(afterSending({ scope: everything, claimed: 9, sent: 4, batch: 100 })).toBe('more');
  });

  it('is followed by another one when it tried a failing key alone, even if that had nothing to send', () => {
    expect(afterSending({ scope: oneAlone, claimed: 1, sent: 1, batch: 100 })).toBe('more');
    expect(afterSending({ scope: oneAlone, claimed: 0, sent: 0, batch: 100 })).toBe('more');
  });

  it('was the last one for now when everything that waited is sent', () => {
    expect(afterSending({ scope: everything, claimed: 99, sent: 99, batch: 100 })).toBe('done');
    expect(afterSending({ scope: { except: ['a'], only: null }, claimed: 0, sent: 0, batch: 100 })).toBe(
      'done',
    );
  });
});

describe('the broker is known to accept again', () => {
  it('by a message that it took', () => {
    expect(isSuccess({ scope: everything, sent: 1 })).toBe(true);
  });

  it('for a failing key that another relay has sent meanwhile', () => {
    expect(isSuccess({ scope: oneAlone, sent: 0 })).toBe(true);
  });

  it('not by an empty outbox', () => {
    expect(isSuccess({ scope: everything, sent: 0 })).toBe(false);
  });
});

describe('a relay that sent everything', () => {
  it('waits until it is woken, or looks by itself after a while', () => {
    expect(courseAfter('done', usual)).toEqual({ waitMs: 1_000, wakes: true });
  });

  it('waits no longer than until a failing key may be tried again', () => {
    expect(courseAfter('done', { ...usual, retryIn: 80 })).toEqual({ waitMs: 80, wakes: true });
    expect(courseAfter('done', { ...usual, retryIn: 0 })).toEqual({ waitMs: 0, wakes: true });
    expect(courseAfter('done', { ...usual, retryIn: 9_000 })).toEqual({ waitMs: 1_000, wakes: true });
  });

  it('looks again at once when something was appended while it was at it', () => {
    expect(courseAfter('done', { ...usual, woken: true })).toBe('pass');
  });
});

describe('a relay that left something behind', () => {
  it('goes on at once, even if it is to stop', () => {
    expect(courseAfter('more', usual)).toBe('pass');
    expect(courseAfter('more', { ...usual, stopping: true })).toBe('pass');
  });
});

describe('a relay that is to stop', () => {
  const stopping = { ...usual, stopping: true, woken: true };

  it('ends when everything is sent', () => {
    expect(courseAfter('done', stopping)).toBe('end');
  });

  it('ends when something failed: the next relay sends the rest', () => {
    expect(courseAfter({ pauseMs: 100 }, stopping)).toBe('end');
  });
});

describe('a pause after a failure', () => {
  it('is kept to the end, whatever is appended and whichever key may be tried meanwhile', () => {
    const meanwhile = { ...usual, woken: true, retryIn: 5 };
    expect(courseAfter({ pauseMs: 7_000 }, meanwhile)).toEqual({ waitMs: 7_000, wakes: false });
  });

  it('is short while another relay sends, and longer while the database is away', () => {
    expect(courseAfter(turnTaken, usual)).toEqual({ waitMs: 25, wakes: false });
    expect(courseAfter(databaseAway, usual)).toEqual({ waitMs: 500, wakes: false });
  });
});
