import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { fakeTwinkey } from './fake/index.js';
import type { AfterSwitch, Placement } from './placing.js';
import { World } from './testing/world.js';

const NAME = 'speech-weu';

/** Whoever puts keys somewhere says when that is done. */
async function placing(hook?: AfterSwitch) {
  const placements: Placement[] = [];
  const ends: (() => void)[] = [];
  const twinkey = await fakeTwinkey({
    accounts: { [NAME]: 'key one' },
    drainSeconds: 0,
    afterSwitch: (placement) => {
      placements.push(placement);
      if (hook !== undefined) return hook(placement);
      return new Promise((resolve) => ends.push(resolve));
    },
  });
  const end = async (which: number): Promise<void> => {
    ends[which]?.();
    await twinkey.pass(0);
  };
  return { twinkey, placements, end, acknowledged: () => twinkey.acknowledged(NAME)?.generation };
}

describe('a key that is put where something else uses it', () => {
  it('is acknowledged when it is in place, and not before: the first one, too', async () => {
    const { twinkey, placements, end, acknowledged } = await placing();
    await twinkey.pass(600);
    expect(acknowledged()).toBeUndefined();
    await end(0);
    expect(acknowledged()).toBe(1);
    await twinkey.switchTo(NAME, 'key two');
    await twinkey.pass(600);
    expect(acknowledged()).toBe(1);
    await end(1);
    expect(acknowledged()).toBe(2);
    expect(placements.map(({ generation, previous, key }) => [generation, previous, key()])).toEqual([
      [1, 0, 'key one'],
      [2, 1, 'key two'],
    ]);
  });

  it('is not printed with what is known about it', async () => {
    const { placements } = await placing();
    expect(inspect(placements) + JSON.stringify(placements)).not.toContain('key one');
  });

  it('is never acknowledged when a newer one came before it was in place', async () => {
    const { twinkey, placements, end, acknowledged } = await placing();
    await twinkey.switchTo(NAME, 'key two');
    expect(placements.map(({ signal }) => signal.aborted)).toEqual([true]);
    await end(0);
    expect([acknowledged(), placements.length]).toEqual([undefined, 2]);
    expect(placements[0]?.key()).toBe('key one');
    await end(1);
    expect(acknowledged()).toBe(2);
  });

  it('is tried again after a while when that is refused, and people see why meanwhile', async () => {
    let isBroken = true;
    const { twinkey, placements, acknowledged } = await placing(({ refuse }) => {
      if (isBroken) refuse('the rollout of deployment/web failed');
      return Promise.resolve();
    });
    await twinkey.pass(30);
    expect(acknowledged()).toBeUndefined();
    expect(twinkey.refusal(NAME)).toBe('the rollout of deployment/web failed');
    isBroken = false;
    await twinkey.pass(31);
    expect([acknowledged(), placements.length]).toEqual([1, 2]);
    await twinkey.pass(10);
    expect(twinkey.refusal(NAME)).toBeUndefined();
  });

  it('refuses by failing as well, and only the name of the failure leaves the process', async () => {
    const { twinkey, acknowledged } = await placing(() => Promise.reject(new RangeError('key one')));
    await twinkey.pass(10);
    expect(acknowledged()).toBeUndefined();
    expect(twinkey.refusal(NAME)).toBe('afterSwitch failed: RangeError');
  });

  it.each([true, false])('may be left in use; then there is no goodbye (goodbye: %s)', async (goodbye) => {
    const world = new World();
    const session = world.session();
    await session.start();
    await session.close({ goodbye });
    expect(world.log.includes('goodbye')).toBe(goodbye);
  });
});
