import { describe, expect, it } from '@jest/globals';
import { parseDuration, readPolicy, type WrittenPolicy } from './index.js';

describe('a duration', () => {
  it.each([
    ['P30D', 30 * 86_400],
    ['P2W', 14 * 86_400],
    ['PT15M', 900],
    ['PT24H', 86_400],
    ['P1DT12H', 129_600],
    ['PT1H30M15S', 5_415],
    ['PT0.5S', 0.5],
    ['PT0S', 0],
    ['PT90M', 5_400],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toEqual({ ok: true, seconds });
  });

  it.each(['P1M', 'P1Y', 'P1Y2M3D', 'P1MT1H'])('%s has no fixed length and says what to write', (text) => {
    expect(parseDuration(text)).toEqual({
      ok: false,
      problem: 'months and years have no fixed length; count in days, for example P30D',
    });
  });

  it.each([
    '',
    'P',
    'PT',
    'P1DT',
    '30d',
    '30',
    'P30',
    'PT1D',
    'P1H',
    '-P1D',
    'p30d',
    'P1W2D',
    ' P30D',
    'P1.5D',
  ])('"%s" is refused', (text) => {
    expect(parseDuration(text)).toMatchObject({ ok: false });
  });

  it('of more than a century is refused', () => {
    expect(parseDuration('P36501D')).toEqual({ ok: false, problem: 'must not be longer than 100 years' });
  });
});

const written: WrittenPolicy = {
  interval: 'P30D',
  acknowledgeWithin: 'PT24H',
  onOverdue: 'hold',
  drain: 'PT30S',
  withoutConsumers: 'wait',
  firstRotation: 'now',
  spread: 'PT0S',
  lookEvery: 'PT1M',
  emergency: { acknowledgeWithin: 'PT15M', onOverdue: 'force' },
};

describe('a policy', () => {
  it('becomes the terms of an account and a schedule', () => {
    expect(readPolicy('standard', written)).toEqual({
      ok: true,
      terms: {
        name: 'standard',
        intervalSeconds: 2_592_000,
        acknowledgeWithinSeconds: 86_400,
        onOverdue: 'hold',
        drainSeconds: 30,
        withoutConsumers: 'wait',
        lookEverySeconds: 60,
        emergency: { acknowledgeWithinSeconds: 900, onOverdue: 'force' },
      },
      schedule: { intervalSeconds: 2_592_000, firstRotation: 'now', spreadSeconds: 0 },
    });
  });

  it.each<[Partial<WrittenPolicy>, string[]]>([
    [{ interval: 'P1M' }, ['interval']],
    [{ interval: 'PT0S' }, ['interval']],
    [{ interval: 'PT0.5S' }, ['interval']],
    [{ acknowledgeWithin: 'PT0S' }, ['acknowledgeWithin']],
    [{ drain: 'PT24H' }, ['drain']],
    [{ spread: 'P31D' }, ['spread']],
    [{ lookEvery: 'PT0S' }, ['lookEvery']],
    [{ emergency: { acknowledgeWithin: 'PT0S', onOverdue: 'hold' } }, ['emergency.acknowledgeWithin']],
    [
      { interval: 'monthly', acknowledgeWithin: '1h', drain: '30', spread: 'P1Y' },
      ['interval', 'acknowledgeWithin', 'drain', 'spread'],
    ],
  ])('%j names each wrong field once', (change, fields) => {
    const read = readPolicy('standard', { ...written, ...change });
    expect(read.ok ? [] : read.faults.map(({ field }) => field)).toEqual(fields);
  });

  it('says rule and remedy', () => {
    expect(readPolicy('standard', { ...written, drain: 'PT25H' })).toEqual({
      ok: false,
      faults: [
        {
          field: 'drain',
          rule: 'must be shorter than acknowledgeWithin, or every key switch is overdue',
          remedy: 'shorten drain or lengthen acknowledgeWithin',
        },
      ],
    });
  });
});
