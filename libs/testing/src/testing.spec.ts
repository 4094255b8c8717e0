import { describe, expect, it } from '@jest/globals';
import { fixedClock, givenFor, until } from './index.js';

interface Added {
  readonly added: number;
}

describe('a specification of a core', () => {
  const given = givenFor({
    initial: 0,
    evolve: (sum: number, event: Added) => sum + event.added,
    decide: (limit: number, sum: number): 'full' | Added => (sum >= limit ? 'full' : { added: 1 }),
  });

  it('decides on the state that the given events lead to', () => {
    given([{ added: 2 }, { added: 3 }])
      .when(5)
      .then('full');
    given([{ added: 2 }])
      .when(5)
      .then({ added: 1 });
  });

  it('fails when the decision is another one', () => {
    expect(() => {
      given([]).when(5).then('full');
    }).toThrow(/deep-equal/);
  });
});

describe('a fixed clock', () => {
  it('moves only when it is told to', () => {
    const clock = fixedClock('2026-02-01T00:00:00Z');
    expect(clock.now()).toEqual(clock.now());
    clock.advance({ hours: 1, seconds: 2 });
    expect(clock.now().toISOString()).toBe('2026-02-01T01:00:02.000Z');
    expect(clock.ms()).toBe(clock.now().getTime());
  });
});

describe('waiting for a condition', () => {
  it('returns what the condition gave in the end', async () => {
    let asked = 0;
    expect(await until(() => ++asked > 2 && `after ${asked}`, { every: 1 })).toBe('after 3');
  });

  it('says what was not so, and why', async () => {
    const never = until(
      () => {
        throw new Error('no answer yet');
      },
      { withinMs: 20, every: 5 },
    );
    await expect(never).rejects.toThrow(/Still not so after 20 ms.*no answer yet/s);
  });
});
