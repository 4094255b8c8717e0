import { describe, expect, it } from '@jest/globals';
import { duration, relative, seconds } from './moments.js';
import { parseDuration } from './settings.js';
import { table } from './table.js';

describe('times', () => {
  it.each([
    [0, '0s'],
    [59, '59s'],
    [61, '1m1s'],
    [3_600, '1h'],
    [3_605, '1h'],
    [100_000, '1d3h'],
  ])('%d seconds read as %s', (value, text) => {
    expect(duration(value)).toBe(text);
  });

  it('are told from now', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(relative('2026-01-13T00:00:00Z', now)).toBe('in 12d');
    expect(relative('2025-12-31T21:00:00Z', now)).toBe('3h ago');
    expect(relative(null, now)).toBe('-');
  });

  it('of steps keep their fractions', () => {
    expect([seconds(1.23), seconds(75)]).toEqual(['1.2s', '1m15s']);
  });

  it.each([
    ['90', 90_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2h', 7_200_000],
  ])('are read from %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', 'soon', '5y', '0', '-1s'])('are not read from "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow('is no duration');
  });
});

describe('a table', () => {
  it('lines its columns up, however they are coloured', () => {
    const red = '\u001b[31mhalted\u001b[39m';
    expect(
      table(
        ['NAME', 'STATE', 'STEP'],
        [
          ['speech', red, '-'],
          ['a', 'healthy', 'x'],
        ],
      ),
    ).toEqual(['NAME     STATE     STEP', `speech   ${red}    -`, 'a        healthy   x']);
  });
});
