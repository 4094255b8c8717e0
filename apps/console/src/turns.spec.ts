import { describe, expect, it } from '@jest/globals';
import { Turns } from './turns.js';

describe('work on the same account', () => {
  it('is done in the order in which it was given, also after a failure', async () => {
    const turns = new Turns();
    const done: string[] = [];
    const results = await Promise.allSettled([
      turns.take('speech', async () => {
        await new Promise(setImmediate);
        done.push('first');
        throw new Error('the first fails');
      }),
      turns.take('speech', () => Promise.resolve(done.push('second'))),
      turns.take('vision', () => Promise.resolve(done.push('another account'))),
    ]);
    expect(done).toEqual(['another account', 'first', 'second']);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  });
});
