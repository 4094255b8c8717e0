import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TransientFault } from '@twinkey/contracts';
import { ServiceHealth } from './health.js';

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
});
afterEach(() => {
  jest.useRealTimers();
});

const fault = new TransientFault('database-unreachable', 'PostgreSQL does not answer.');

describe('the readiness of a service', () => {
  it('waits for the start, then follows the probes, and ends with the stop', async () => {
    const health = new ServiceHealth();
    let up = true;
    health.watch('database', () => (up ? Promise.resolve() : Promise.reject(fault)));
    expect(await health.readiness()).toEqual({ status: 'starting', checks: { database: { status: 'up' } } });
    health.started();
    expect(await health.readiness()).toMatchObject({ status: 'ready' });
    up = false;
    jest.advanceTimersByTime(1_000);
    expect(await health.readiness()).toEqual({
      status: 'unready',
      checks: {
        database: { status: 'down', code: 'database-unreachable', reason: 'PostgreSQL does not answer.' },
      },
    });
    health.stopping();
    health.started();
    expect(await health.readiness()).toMatchObject({ status: 'stopping' });
  });

  it('does not ask a neighbour more often than once a second, however many ask', async () => {
    const health = new ServiceHealth();
    const probe = jest.fn(() => Promise.resolve());
    health.watch('database', probe);
    await Promise.all([health.readiness(), health.readiness()]);
    await health.readiness();
    expect(probe).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(1_000);
    await health.readiness();
    expect(probe).toHaveBeenCalledTimes(2);
  });

  it('does not wait for a neighbour that hangs, and asks it only once', async () => {
    const health = new ServiceHealth();
    const probe = jest.fn(() => new Promise<void>(() => undefined));
    health.watch('bus', probe);
    for (let round = 0; round < 2; round += 1) {
      const readiness = health.readiness();
      await jest.advanceTimersByTimeAsync(900);
      expect(await readiness).toMatchObject({ checks: { bus: { status: 'down', code: 'no-answer' } } });
    }
    expect(probe).toHaveBeenCalledTimes(1);
  });
});
