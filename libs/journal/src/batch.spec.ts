import { describe, expect, it } from '@jest/globals';
import { takeBatch } from './batch.js';
import type { Change } from './change.js';

function item(stream: string, messageId?: string, handler = 'h'): { readonly change: Change } {
  const inbox = messageId === undefined ? {} : { inbox: { handler, messageId } };
  return {
    change: { stream, expectedVersion: 1, state: {}, lookAgainAt: null, events: [], outbox: [], ...inbox },
  };
}

describe('a batch', () => {
  it('takes one change of each stream, in the order of their names', () => {
    const [b1, a1, b2] = [item('b'), item('a'), item('b')];
    const waiting = [b1, a1, b2];
    expect(takeBatch(waiting, 10)).toEqual([a1, b1]);
    expect(waiting).toEqual([b2]);
  });

  it('takes one change of each message, and nothing of a stream past one that has to wait', () => {
    const [first, again, later] = [item('a', 'm'), item('b', 'm'), item('b')];
    const waiting = [first, again, later];
    expect(takeBatch(waiting, 10)).toEqual([first]);
    expect(takeBatch(waiting, 10)).toEqual([again]);
    expect(takeBatch(waiting, 10)).toEqual([later]);
  });

  it('takes what two handlers make of one message', () => {
    const both = [item('a', 'm', 'one'), item('b', 'm', 'two')];
    expect(takeBatch([...both], 10)).toEqual(both);
  });

  it('is no larger than its limit', () => {
    const waiting = ['c', 'b', 'a'].map((stream) => item(stream));
    expect(takeBatch(waiting, 2).map(({ change }) => change.stream)).toEqual(['b', 'c']);
    expect(waiting).toHaveLength(1);
  });
});
