import { afterEach, describe, expect, it } from '@jest/globals';
import { generation, PermanentFault, TransientFault } from '@twinkey/contracts';
import { settled as settle } from './fake/hand-time.js';
import type { Session } from './session.js';
import { account, BOOT, followedBy, World } from './testing/world.js';

const open: Session[] = [];
afterEach(() => {
  for (const session of open.splice(0)) session.interrupt();
});

function opened(world: World, options?: Parameters<World['session']>[0]): Session {
  const session = world.session(options);
  open.push(session);
  return session;
}

async function started(world: World, options?: Parameters<World['session']>[0]) {
  const session = opened(world, options);
  await session.start();
  await settle();
  return { session, followed: followedBy(session) };
}

describe('an instance that starts', () => {
  it('registers, then reads, then acknowledges', async () => {
    const world = new World();
    const { followed } = await started(world);
    expect(world.log).toEqual(['register', 'read', 'acknowledge 1']);
    expect(followed.generation).toBe(1);
    expect(world.acknowledgements).toMatchObject([
      { account, consumer: 'voice-bot', boot: BOOT, generation: 1, instance: 'i-0000000000000001' },
    ]);
    expect(world.acknowledgements[0]).not.toHaveProperty('drainedAt');
  });

  it('serves nothing older than the registration says, however long the vault lags', async () => {
    const world = new World();
    world.current = 4;
    world.publish(3);
    const session = opened(world);
    const start = session.start();
    await world.time.pass(3);
    expect(followedBy(session).generation).toBe(0);
    world.publish(4);
    await world.time.pass(5);
    await start;
    expect(world.heard.switched).toMatchObject([{ generation: 4, previous: 0 }]);
  });

  it('never trusts a version without our tags', async () => {
    const world = new World();
    world.version = { kind: 'foreign' };
    const start = opened(world).start();
    const failed = expect(start).rejects.toThrow(/not published by twinkey/);
    await world.time.pass(60);
    await failed;
    expect(world.heard.switched).toEqual([]);
  });

  it('waits for the first publication', async () => {
    const world = new World();
    world.current = 0;
    const session = opened(world);
    const start = session.start();
    await world.time.pass(300);
    expect(world.log).toEqual(['register']);
    world.publish(1);
    world.hear(1);
    await start;
    expect(followedBy(session).generation).toBe(1);
  });

  it('need not wait for it', async () => {
    const world = new World();
    world.current = 0;
    const { followed } = await started(world, { waitForFirstPublication: false });
    expect(followed.generation).toBe(0);
    expect(() => followed.holder.credential).toThrow(/no key yet/);
  });

  it('tries again while the notifier is not there, and in the end says why', async () => {
    const world = new World();
    world.notifierFails = new TransientFault('notifier-unreachable', 'nobody listens');
    const failed = expect(opened(world).start()).rejects.toThrow('nobody listens');
    await world.time.pass(60);
    await failed;
    expect(world.log.length).toBeGreaterThan(10);
  });

  it('fails at once when it is turned away', async () => {
    const world = new World();
    world.notifierFails = new PermanentFault('consumer-unknown', 'no such consumer');
    await expect(opened(world).start()).rejects.toThrow('no such consumer');
    expect(world.log).toEqual(['register']);
  });
});

describe('an instance that hears of a newer generation', () => {
  it('reads, switches and acknowledges', async () => {
    const world = new World();
    const { followed } = await started(world);
    world.publish(2);
    world.hear(2);
    await settle();
    expect(followed.generation).toBe(2);
    expect(world.heard.switched).toMatchObject([{ generation: 1 }, { generation: 2, previous: 1 }]);
    expect(world.acknowledgements.map((each) => each.generation)).toEqual([1, 2]);
  });

  it('acknowledges only when no call with the older key is under way', async () => {
    const world = new World();
    const { followed } = await started(world);
    let end: () => void = () => undefined;
    const call = followed.holder.use(() => new Promise<void>((resolve) => (end = resolve)));
    world.publish(2);
    world.hear(2);
    await settle();
    expect(followed.generation).toBe(2);
    expect(world.acknowledgements).toHaveLength(1);
    end();
    await call;
    await settle();
    expect(world.acknowledgements.map((each) => each.generation)).toEqual([1, 2]);
  });

  it('names the time at which calls with the bare credential have ended', async () => {
    const world = new World();
    const { followed } = await started(world);
    expect(followed.holder.credential.key).toBe('key of 1');
    world.publish(2);
    world.hear(2);
    await settle();
    expect(followed.holder.credential.key).toBe('key of 2');
    expect(world.acknowledgements[1]).toMatchObject({ generation: 2, drainedAt: '2026-01-01T00:00:30.000Z' });
    await world.time.pass(10);
    expect(world.heartbeats.at(-1)?.accounts).toEqual([
      {
        account,
        generation: 2,
        drainedAt: '2026-01-01T00:00:30.000Z',
        used: { key: 0, token: 0, entra: 0, bare: true },
      },
    ]);
  });

  it('skips the acknowledgement of a generation that was overtaken', async () => {
    const world = new World();
    const { followed } = await started(world);
    let end: () => void = () => undefined;
    const call = followed.holder.use(() => new Promise<void>((resolve) => (end = resolve)));
    for (const number of [2, 3]) {
      world.publish(number);
      world.hear(number);
      await settle();
    }
    end();
    await call;
    await settle();
    expect(world.acknowledgements.map((each) => each.generation)).toEqual([1, 3]);
  });

  it('does nothing about announcements that come doubled or late', async () => {
    const world = new World();
    await started(world);
    const before = [...world.log];
    world.hear(1);
    world.hear(0);
    await settle();
    expect(world.log).toEqual(before);
  });

  it('learns of it from a heartbeat when the announcement is lost', async () => {
    const world = new World();
    const { followed } = await started(world);
    world.publish(2);
    world.current = 2;
    await world.time.pass(10);
    expect(followed.generation).toBe(2);
    expect(world.heartbeats[0]?.accounts).toEqual([{ account, generation: 1 }]);
  });

  it('acknowledges with a heartbeat at once when it has no bus', async () => {
    const world = new World();
    await started(world, { channel: false });
    world.publish(2);
    world.current = 2;
    await world.time.pass(10);
    expect(world.heartbeats.at(-1)?.accounts).toEqual([{ account, generation: 2 }]);
    expect(world.registrations).toMatchObject([{ channel: 'heartbeat' }]);
  });
});

describe('an instance that the notifier does not know any more', () => {
  it('registers again in the same life and acknowledges again', async () => {
    const world = new World();
    await started(world);
    world.knows = false;
    await world.time.pass(10);
    world.knows = true;
    await world.time.pass(10);
    expect(world.registrations.map(({ boot }) => boot)).toEqual([BOOT, BOOT]);
    expect(world.acknowledgements.map(({ instance, generation: named }) => [instance, named])).toEqual([
      ['i-0000000000000001', 1],
      ['i-0000000000000002', 1],
    ]);
  });
});

describe('an instance without a notifier', () => {
  const silence = new TransientFault('notifier-unreachable', 'nobody listens');

  it('says once that it is lapsed, and that it resumed', async () => {
    const world = new World();
    await started(world);
    world.notifierFails = silence;
    await world.time.pass(120);
    expect(world.heard.lapsed).toHaveLength(1);
    expect(world.heard.lapsed[0]?.reason).toBe('nobody listens');
    world.notifierFails = undefined;
    await world.time.pass(10);
    expect(world.heard.resumed).toHaveLength(1);
  });

  it('re-reads the vault within each reread time, and not while heartbeats are answered', async () => {
    const world = new World();
    await started(world);
    await world.time.pass(600);
    expect(world.log.filter((each) => each === 'read')).toHaveLength(1);
    world.notifierFails = silence;
    for (let minute = 0; minute < 10; minute += 1) {
      const before = world.log.length;
      await world.time.pass(60);
      expect(world.log.slice(before)).toContain('read');
    }
  });

  it('reads at once when the first heartbeat is not answered, long before its lease runs out', async () => {
    const world = new World();
    const { followed } = await started(world);
    world.publish(2);
    await world.time.pass(100); // heartbeats name generation 1: the notifier has not heard of 2
    expect(followed.generation).toBe(1);
    world.notifierFails = silence;
    await world.time.pass(10);
    expect(followed.generation).toBe(2);
    expect(world.heard.lapsed).toEqual([]);
  });

  it('switches to what it finds there, and keeps its key when the vault is gone as well', async () => {
    const world = new World();
    const { followed } = await started(world);
    world.notifierFails = silence;
    world.publish(2);
    await world.time.pass(60);
    expect(followed.generation).toBe(2);
    world.version = { kind: 'unreadable', why: 'missing' };
    await world.time.pass(3_600);
    expect(await followed.holder.use(({ key }) => Promise.resolve(key))).toBe('key of 2');
  });
});

describe('an instance that was frozen', () => {
  it('looks into the vault before it uses its key again, once its time is over', async () => {
    const world = new World();
    const { followed } = await started(world);
    expect(followed.confirm()).toBeUndefined();
    world.publish(2);
    world.time.freeze(120);
    await followed.confirm();
    expect(followed.generation).toBe(2);
    expect(followed.confirm()).toBeUndefined();
  });
});

describe('a reading that was under way when an instance was frozen', () => {
  it('is no look: what it finds was current before', async () => {
    const world = new World();
    const { followed } = await started(world);
    const [read, older] = [world.read.bind(world), world.version];
    let answer: (version: typeof older) => void = () => undefined;
    world.read = () => new Promise((resolve) => (answer = resolve));
    void followed.reread();
    world.publish(2);
    world.time.freeze(120);
    world.read = read;
    const looked = followed.confirm();
    answer(older);
    await looked;
    expect(followed.generation).toBe(2);
  });
});

describe('a version that somebody wrote by hand', () => {
  it('confirms no key: one that was frozen meanwhile goes on looking, a call at a time', async () => {
    const world = new World();
    const { followed } = await started(world);
    const reads = () => world.log.filter((each) => each === 'read').length;
    world.version = { kind: 'foreign' };
    world.time.freeze(120);
    const before = reads();
    await followed.confirm();
    expect(reads()).toBe(before + 1);
    expect(followed.confirm()).toBeUndefined(); // it looked a moment ago
    world.publish(2);
    world.time.freeze(2);
    await followed.confirm();
    expect(followed.generation).toBe(2);
  });
});

describe('a refused key', () => {
  it('is looked up once for all calls that were refused together', async () => {
    const world = new World();
    const { followed } = await started(world);
    world.publish(2);
    const before = world.log.filter((each) => each === 'read').length;
    const finds = [1, 2, 3].map(() => followed.findNewer(generation(1)));
    await world.time.pass(1);
    expect(await Promise.all(finds)).toEqual([true, true, true]);
    expect(world.log.filter((each) => each === 'read').length - before).toBe(1);
  });
});

describe('an instance that leaves', () => {
  it('ends its calls, then says goodbye', async () => {
    const world = new World();
    const { session, followed } = await started(world);
    let end: () => void = () => undefined;
    const call = followed.holder.use(() => new Promise<void>((resolve) => (end = resolve)));
    const closed = session.close();
    await settle();
    expect(world.log).not.toContain('goodbye');
    end();
    await call;
    await closed;
    expect(world.log).toContain('goodbye');
  });

  it('leaves without a goodbye when a call does not end', async () => {
    const world = new World();
    const { session, followed } = await started(world);
    void followed.holder.use(() => new Promise<void>(() => undefined));
    const closed = session.close();
    await world.time.pass(30);
    await closed;
    expect(world.log).not.toContain('goodbye');
  });

  it('does not wait for a bus that will not close', async () => {
    const world = new World();
    const { session } = await started(world);
    world.closes = false;
    const closed = session.close();
    await world.time.pass(5);
    await closed;
    expect(world.log).toContain('goodbye');
    expect(world.heard.error).toMatchObject([{ code: 'bus-unreachable' }]);
  });
});
