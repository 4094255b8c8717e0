import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { openDatabase, type Database } from './database.js';
import { announceAppended, onOutboxAppended } from './outbox.js';

describe('whoever wants to hear of what is appended to the outbox', () => {
  let database: Database;
  let other: Database;

  beforeEach(async () => {
    // Nobody is asked: a pool connects with its first query.
    const settings = { url: 'postgres://127.0.0.1:1/none', schema: 'rotator', applicationName: 'spec' };
    [database, other] = await Promise.all([openDatabase(settings), openDatabase(settings)]);
  });
  afterEach(() => Promise.all([database.close(), other.close()]));

  it('hears of each commit, beside others who listen', () => {
    const [one, another] = [jest.fn(), jest.fn()];
    onOutboxAppended(database, one);
    onOutboxAppended(database, another);
    announceAppended(database);
    announceAppended(database);
    expect([one, another].map(({ mock }) => mock.calls.length)).toEqual([2, 2]);
  });

  it('hears nothing any more once it stopped, and stops nobody else', () => {
    const [one, another] = [jest.fn(), jest.fn()];
    const stop = onOutboxAppended(database, one);
    onOutboxAppended(database, another);
    stop();
    announceAppended(database);
    expect([one, another].map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
  });

  it('hears nothing of another database', () => {
    const one = jest.fn();
    onOutboxAppended(database, one);
    announceAppended(other);
    expect(one.mock.calls).toEqual([]);
  });
});
