import { describe, expect, it } from '@jest/globals';
import { generation, TransientFault } from '@twinkey/contracts';
import type { BeforeSwitch, Offer } from './consent.js';
import { settled } from './fake/hand-time.js';
import { followedBy, World } from './testing/world.js';

/** An application that is asked, and answers when the test says so. */
async function asked(answer?: BeforeSwitch, wishes: { askAgainSeconds?: number } = {}) {
  const world = new World();
  const offers: Offer[] = [];
  let agree: () => void = () => undefined;
  const session = world.session({
    ...wishes,
    beforeSwitch: (offer) => {
      offers.push(offer);
      return answer === undefined ? new Promise<void>((resolve) => (agree = resolve)) : answer(offer);
    },
  });
  await session.start();
  await settled();
  const announce = async (number: number): Promise<void> => {
    world.publish(number);
    world.current = number;
    world.hear(number);
    await settled();
  };
  const acknowledged = () => world.acknowledgements.map((each) => each.generation);
  return {
    world,
    session,
    followed: followedBy(session),
    offers,
    agree: () => {
      agree();
    },
    announce,
    acknowledged,
  };
}

const no: BeforeSwitch = ({ refuse }) => {
  refuse('a batch is running');
};

describe('an application that is asked before a switch', () => {
  it('is not asked about its first key', async () => {
    const { offers, followed } = await asked();
    expect(offers).toEqual([]);
    expect(followed.generation).toBe(1);
  });

  it('gets the time that it takes, and the acknowledgement follows', async () => {
    const { offers, agree, followed, announce, acknowledged, world } = await asked();
    await announce(2);
    await world.time.pass(20);
    expect(offers).toMatchObject([{ name: 'speech-prod', generation: 2, previous: 1 }]);
    expect([followed.generation, acknowledged()]).toEqual([1, [1]]);
    agree();
    await settled();
    expect([followed.generation, acknowledged()]).toEqual([2, [1, 2]]);
  });

  it('gets no more time than it was promised', async () => {
    const { offers, followed, announce, world } = await asked();
    await announce(2);
    await world.time.pass(30);
    expect(followed.generation).toBe(2);
    expect(world.heard.error).toMatchObject([{ code: 'hook-late' }]);
    expect(offers[0]?.signal.aborted).toBe(true);
  });

  it('is asked about the newest generation only', async () => {
    const { offers, agree, followed, announce, world } = await asked();
    await announce(2);
    await announce(3);
    expect(offers[0]?.signal.aborted).toBe(true);
    await world.time.pass(1);
    expect(offers.map((offer) => offer.generation)).toEqual([2, 3]);
    agree();
    await settled();
    expect(followed.generation).toBe(3);
  });
});

describe('an application that refuses a switch', () => {
  it('keeps its key, acknowledges nothing, and people see who refuses and why', async () => {
    const { followed, announce, acknowledged, world } = await asked(no);
    await announce(2);
    await world.time.pass(10);
    expect([followed.generation, acknowledged()]).toEqual([1, [1]]);
    expect(world.heard.kept).toMatchObject([{ generation: 1, offered: 2, reason: 'a batch is running' }]);
    expect(world.heartbeats.at(-1)?.accounts).toMatchObject([
      { generation: 1, refusal: { generation: 2, reason: 'a batch is running' } },
    ]);
  });

  it('is told of at once, not with the next heartbeat', async () => {
    const { announce, world } = await asked(no);
    await announce(2);
    expect(world.heartbeats).toHaveLength(1);
  });

  it('reads the vault no more often than it is asked again', async () => {
    const { announce, offers, world } = await asked(no);
    await announce(2);
    const before = world.log.length;
    await world.time.pass(601);
    expect(offers).toHaveLength(11);
    expect(world.log.slice(before).filter((each) => each === 'read')).toHaveLength(10);
  });

  it('reads it four times a second at most, however impatient its settings are', async () => {
    const { announce, offers, world } = await asked(no, { askAgainSeconds: 0 });
    await announce(2);
    await world.time.pass(10);
    expect(offers.length).toBeGreaterThan(20);
    expect(offers.length).toBeLessThanOrEqual(41);
  });

  it('may use its key meanwhile without looking into the vault each time', async () => {
    const { announce, followed, world } = await asked(no);
    await announce(2);
    await world.time.pass(300);
    expect(followed.confirm()).toBeUndefined();
  });

  it('may change its mind', async () => {
    let isBusy = true;
    const { announce, followed, world, acknowledged } = await asked(({ refuse }) => {
      if (isBusy) refuse('a batch is running');
    });
    await announce(2);
    isBusy = false;
    await world.time.pass(60);
    expect([followed.generation, acknowledged()]).toEqual([2, [1, 2]]);
    await world.time.pass(10);
    expect(world.heartbeats.at(-1)?.accounts[0]).not.toHaveProperty('refusal');
  });

  it('is asked at once about a still newer one', async () => {
    const { announce, offers } = await asked(no);
    await announce(2);
    await announce(3);
    expect(offers.map((offer) => offer.generation)).toEqual([2, 3]);
  });

  it('refuses also by failing, and its message stays in the process', async () => {
    const { announce, followed, world } = await asked(() => Promise.reject(new RangeError('secret')));
    await announce(2);
    await world.time.pass(10);
    expect(followed.generation).toBe(1);
    expect(world.heartbeats.at(-1)?.accounts[0]?.refusal?.reason).toBe('beforeSwitch failed: RangeError');
    expect(world.heard.error).toMatchObject([{ message: 'secret' }]);
  });

  it('is overruled when the key that it keeps is refused by the account', async () => {
    const { announce, followed, world } = await asked(no);
    await announce(2);
    const found = followed.findNewer(generation(1));
    await world.time.pass(1);
    expect(await found).toBe(true);
    expect(followed.generation).toBe(2);
  });

  it('is overruled when the notifier falls silent: nobody waits for it any more', async () => {
    const { announce, followed, offers, world } = await asked(no);
    await announce(2);
    world.notifierFails = new TransientFault('notifier-unreachable', 'nobody listens');
    await world.time.pass(10);
    expect(followed.generation).toBe(2);
    world.publish(3);
    await world.time.pass(60);
    expect([followed.generation, offers.length]).toEqual([3, 1]);
  });

  it('gets the key that it was offered when the vault falls silent as well', async () => {
    const { announce, followed, world } = await asked();
    await announce(2);
    world.version = { kind: 'unreadable', why: 'missing' };
    world.notifierFails = new TransientFault('notifier-unreachable', 'nobody listens');
    await world.time.pass(10);
    expect(followed.generation).toBe(2);
  });

  it('never gets a key that is overtaken in the very moment of overruling', async () => {
    const { announce, followed, world } = await asked();
    await announce(2);
    followed.unconfirmed();
    world.publish(3);
    world.hear(3);
    await settled();
    expect(world.heard.switched.map((each) => each.generation)).not.toContain(2);
  });

  it('is overruled after it was frozen for longer than its lease', async () => {
    const { announce, followed, world } = await asked(no);
    await announce(2);
    world.time.freeze(120);
    await followed.confirm();
    expect(followed.generation).toBe(2);
  });

  it('can leave all the same', async () => {
    const { announce, session, world } = await asked(no);
    await announce(2);
    await session.close();
    expect(world.log).toContain('goodbye');
  });
});
