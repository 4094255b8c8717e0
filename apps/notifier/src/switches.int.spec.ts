import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ConsumerName, generation, type Message, type SwitchRequested } from '@twinkey/contracts';
import { testDatabase, until, type TestDatabase } from '@twinkey/testing';
import { sql } from 'kysely';
import { watchAccounts } from './account-watch.js';
import { acknowledge, acknowledgeTogether } from './acknowledge.js';
import { declare } from './declare.js';
import { heartbeat } from './heartbeat.js';
import { leave } from './leave.js';
import { watchLeases } from './lease-watch.js';
import { register } from './register.js';
import { requestSwitch } from './request-switch.js';
import { showConsumers, showSwitch } from './show.js';
import { holdCurrentKeys } from './sql/current-keys.js';
import { lockAccount } from './sql/lock-account.js';
import {
  accountCalled,
  createSchema,
  declared,
  letPass,
  forgetEverything,
  openReplica,
  requested,
  sent,
  type Replica,
} from './trial/replica.js';

const account = accountCalled('speech-weu');
let database: TestDatabase;
let one: Replica;
let two: Replica;
let others: Replica[] = [];

beforeAll(async () => {
  database = await testDatabase({ prepare: createSchema });
  one = await openReplica(database.url);
  two = await openReplica(database.url);
});

beforeEach(async () => {
  await forgetEverything(one.db);
  await declare(one.shell, declared('speech-weu'));
});

afterEach(async () => {
  await settled();
  for (const other of others) await other.close();
  others = [];
});

afterAll(async () => {
  await one.close();
  await two.close();
  await database.drop();
});

async function replica(options?: { looking: boolean }): Promise<Replica> {
  const opened = await openReplica(database.url, options);
  others.push(opened);
  return opened;
}

interface Member {
  readonly instance: Awaited<ReturnType<typeof register>>['instance'];
  readonly boot: string;
  readonly consumer: ConsumerName;
  readonly minimum: number;
}

async function join(at: Replica = one, consumer = 'web-shop'): Promise<Member> {
  const boot = randomUUID();
  const name = ConsumerName.parse(consumer);
  const answer = await register(at.shell, {
    consumer: name,
    name: 'pod-1',
    boot,
    accounts: ['speech-weu'],
    channel: 'service-bus',
  });
  const [key] = answer.accounts;
  return { instance: answer.instance, boot, consumer: name, minimum: key?.generation ?? -1 };
}

function acknowledgement(member: Member, value: number, id: string = randomUUID()) {
  const { instance, boot, consumer } = member;
  const at = new Date().toISOString();
  const data = { account, consumer, instance, boot, generation: generation(value), at };
  return { specversion: '1.0', id, source: 'spec', type: 'spec', time: at, data } as Parameters<
    typeof acknowledge
  >[1];
}

async function settled(): Promise<void> {
  for (const each of [one, two, ...others]) await each.settled();
}

async function outcomes() {
  await settled();
  return (await sent(one.db))
    .filter(({ entity, data }) => entity === 'switch-outcomes' && 'outcome' in data)
    .map(({ data }) => data);
}

/** What the rotator is told of instances that use a generation the notifier does not know. */
async function ahead() {
  await settled();
  return (await sent(one.db)).filter(({ id }) => id.startsWith('ga-')).map(({ data }) => data);
}

async function announcements() {
  return (await sent(one.db)).filter(({ entity }) => entity.startsWith('key-changed-'));
}

describe('a switch request', () => {
  it('is announced once, however often it is delivered and to whom', async () => {
    const message = requested('speech-weu');
    await Promise.all([one, two, one, two].map(({ shell }) => requestSwitch(shell, message)));
    expect(await announcements()).toMatchObject([{ data: { account, generation: 1 } }]);
    expect(await outcomes()).toEqual([]);
  });

  it('is announced again when it is asked again', async () => {
    await requestSwitch(one.shell, requested('speech-weu'));
    await requestSwitch(two.shell, requested('speech-weu', { request: 2 }));
    expect((await announcements()).map(({ id }) => id.slice(-6))).toEqual(['-g1-r1', '-g1-r2']);
  });

  it('that comes after a newer one changes nothing', async () => {
    await requestSwitch(one.shell, requested('speech-weu', { generation: 2 }));
    await requestSwitch(one.shell, requested('speech-weu', { generation: 1, request: 7 }));
    expect(await announcements()).toHaveLength(1);
    expect(await showSwitch(one.shell, 'speech-weu')).toMatchObject({ generation: 2, request: 1 });
  });

  it('makes an account known that nobody has declared yet', async () => {
    await requestSwitch(one.shell, requested('vision-neu'));
    expect(await showSwitch(one.shell, 'vision-neu')).toMatchObject({ state: 'waiting', generation: 1 });
  });

  it('that uses a generation for another key is refused for good, and not remembered as handled', async () => {
    await requestSwitch(one.shell, requested('speech-weu'));
    const reused = requested('speech-weu', { request: 2, fingerprint: 'f'.repeat(32) });
    for (let times = 0; times < 2; times += 1) {
      await expect(requestSwitch(one.shell, reused)).rejects.toMatchObject({
        name: 'PermanentFault',
        code: 'generation-reused',
      });
    }
  });

  it('is answered at once when the policy rotates without consumers', async () => {
    await requestSwitch(one.shell, requested('speech-weu', { withoutConsumers: 'rotate' }));
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged', instances: 0, missing: [] }]);
  });

  it('carries its trace on to what it causes', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const message: Message<SwitchRequested> = { ...requested('speech-weu'), traceparent };
    await requestSwitch(one.shell, message);
    const member = await join();
    await acknowledge(one.shell, acknowledgement(member, 1));
    await settled();
    const traces = await one.db.selectFrom('outbox').select(['entity', 'traceparent']).execute();
    const caused = traces.filter(({ entity }) => entity !== 'registry-events');
    expect(caused).toHaveLength(2);
    expect(caused.every((row) => row.traceparent === traceparent)).toBe(true);
  });
});

describe('instances that acknowledge', () => {
  it('give one outcome although two replicas hear the last two at the same moment', async () => {
    const members = await Promise.all(Array.from({ length: 12 }, (_, n) => join(n % 2 ? one : two)));
    await requestSwitch(one.shell, requested('speech-weu'));
    await Promise.all(
      members.map((member, n) => acknowledge((n % 2 ? two : one).shell, acknowledgement(member, 1))),
    );
    expect(await outcomes()).toMatchObject([
      { outcome: 'acknowledged', generation: 1, request: 1, instances: 12, missing: [] },
    ]);
  });

  it('are heard once when their message comes twice, and not fewer times when it comes early', async () => {
    const member = await join();
    const early = acknowledgement(member, 1);
    await acknowledge(one.shell, early);
    await acknowledge(two.shell, early);
    expect(await outcomes()).toEqual([]);
    expect(await ahead()).toMatchObject([{ generation: 1, published: 0, instance: member.instance }]);
    await requestSwitch(one.shell, requested('speech-weu'));
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged', instances: 1 }]);
  });

  it('of an older generation, of another boot, or of a stranger open nothing', async () => {
    const member = await join();
    await requestSwitch(one.shell, requested('speech-weu', { generation: 2 }));
    await acknowledge(one.shell, acknowledgement(member, 1));
    await acknowledge(one.shell, acknowledgement({ ...member, boot: randomUUID() }, 2));
    await acknowledge(one.shell, acknowledgement({ ...member, consumer: ConsumerName.parse('intruder') }, 2));
    expect(await outcomes()).toEqual([]);
    expect((await showSwitch(one.shell, 'speech-weu')).instances).toMatchObject([
      { acknowledged: 1, missing: true },
    ]);
  });

  it('may do so with their heartbeat, and learn the current generation from it', async () => {
    const member = await join();
    await requestSwitch(one.shell, requested('speech-weu'));
    const { accounts } = await heartbeat(two.shell, member.instance, { boot: member.boot, accounts: [] });
    expect(accounts).toMatchObject([{ account, name: 'speech-weu', generation: 1 }]);
    await heartbeat(two.shell, member.instance, {
      boot: member.boot,
      accounts: [{ account, generation: generation(1) }],
    });
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged' }]);
  });

  it('are answered by the same commit when nobody else looks at the account', async () => {
    const member = await join();
    await requestSwitch(one.shell, requested('speech-weu'));
    const blind = await replica({ looking: false });
    await acknowledge(blind.shell, acknowledgement(member, 1));
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged' }]);
  });

  it('leave nothing behind that would be looked at again', async () => {
    const member = await join();
    await requestSwitch(one.shell, requested('speech-weu'));
    await acknowledgeTogether(one.shell, account, [acknowledgement(member, 1)], { more: true });
    await watchAccounts(one.shell);
    const left = await one.db.selectFrom('nudge').selectAll().execute();
    expect(left).toEqual([]);
  });

  it('wait for nobody who has the account, and are looked at when it is free', async () => {
    const member = await join();
    await requestSwitch(one.shell, requested('speech-weu'));
    const blind = await replica({ looking: false });
    await two.db.transaction().execute(async (trx) => {
      await lockAccount(trx, account, { skipLocked: false });
      await acknowledge(blind.shell, acknowledgement(member, 1));
    });
    expect(await outcomes()).toEqual([]);
    await watchAccounts(one.shell);
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged' }]);
  });

  it('are not forgotten when the replica that heard them dies before it looks', async () => {
    const member = await join();
    await requestSwitch(one.shell, requested('speech-weu'));
    const dying = await replica({ looking: false });
    // It would have looked after those that it had received besides.
    await acknowledgeTogether(dying.shell, account, [acknowledgement(member, 1)], { more: true });
    expect(await outcomes()).toEqual([]);
    const restarted = await replica();
    await watchAccounts(restarted.shell);
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged' }]);
  });

  it('take nothing back when a late one registers after the answer', async () => {
    const member = await join();
    await requestSwitch(one.shell, requested('speech-weu'));
    await acknowledge(one.shell, acknowledgement(member, 1));
    const late = await join(two);
    expect(late.minimum).toBe(1);
    await letPass(one.db, 4_000);
    await watchAccounts(one.shell);
    expect(await outcomes()).toHaveLength(1);
  });
});

describe('a process that registers while a newer generation is asked for', () => {
  it('learns of it, or is waited for', async () => {
    await requestSwitch(one.shell, requested('speech-weu'));
    const members: Member[] = [await join()];
    for (let next = 2; next <= 16; next += 1) {
      const [member] = await Promise.all([
        join(two),
        requestSwitch(one.shell, requested('speech-weu', { generation: next })),
        ...members.map((earlier) => acknowledge(two.shell, acknowledgement(earlier, next))),
      ]);
      const answered = (await outcomes()).some((outcome) => outcome['generation'] === next);
      if (answered) expect(member.minimum).toBe(next);
      members.push(member);
      await acknowledge(one.shell, acknowledgement(member, next));
      expect(await outcomes()).toHaveLength(next - 1);
    }
  });

  it('is waited for by the request, which cannot pass it', async () => {
    let asked = false;
    const request = await one.db.transaction().execute(async (registering) => {
      await holdCurrentKeys(registering, [account]);
      const waiting = requestSwitch(two.shell, requested('speech-weu')).then(() => {
        asked = true;
      });
      await until(async () => {
        const { rows } = await sql`select 1 from pg_stat_activity where wait_event_type = 'Lock'
          and datname = current_database()`.execute(one.db);
        return rows.length > 0;
      });
      expect(asked).toBe(false);
      return { waiting };
    });
    await request.waiting;
    expect(asked).toBe(true);
  });
});

describe('an instance that falls silent', () => {
  it('holds the switch while its lease may live, then only costs time', async () => {
    const silent = await join();
    const publishedAt = new Date();
    await requestSwitch(one.shell, requested('speech-weu', { publishedAt: publishedAt.toISOString() }));
    await letPass(one.db, 34);
    await watchLeases(one.shell);
    expect(await outcomes()).toEqual([]);

    await letPass(one.db, 2);
    await watchLeases(one.shell);
    const [outcome] = await outcomes();
    expect(outcome).toMatchObject({ outcome: 'acknowledged', instances: 0 });
    const wait = Date.parse(outcome?.['openFrom'] as string) - publishedAt.getTime();
    expect(wait).toBe(60_000 + 2_000 + 5_000); // re-read, drain, skew
    expect((await showSwitch(one.shell, 'speech-weu')).instances).toMatchObject([
      { instance: silent.instance, standing: 'lapsed', missing: false },
    ]);
  });

  it('is noticed once by two replicas that look at the same moment', async () => {
    const silent = await join();
    await letPass(one.db, 36);
    await Promise.all([watchLeases(one.shell), watchLeases(two.shell), watchLeases(one.shell)]);
    const lapses = await one.db
      .selectFrom('journal')
      .select('type')
      .where('stream', '=', silent.instance)
      .where('type', '=', 'instance-lapsed')
      .execute();
    expect(lapses).toHaveLength(1);
  });

  it('is live again with its next heartbeat, and is waited for again', async () => {
    const member = await join();
    await letPass(one.db, 36);
    await watchLeases(one.shell);
    await heartbeat(one.shell, member.instance, { boot: member.boot, accounts: [] });
    await requestSwitch(one.shell, requested('speech-weu'));
    expect(await outcomes()).toEqual([]);
    expect((await showSwitch(one.shell, 'speech-weu')).instances).toMatchObject([
      { standing: 'live', missing: true },
    ]);
    await letPass(one.db, 36);
    await watchLeases(one.shell);
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged' }]);
  });

  it('is forgotten after a day, with its subscription', async () => {
    const member = await join();
    expect([...one.subscriptions].join()).toContain(member.instance);
    await letPass(one.db, 36);
    await watchLeases(one.shell);
    await letPass(one.db, 24 * 3_600);
    await watchLeases(one.shell);
    expect([...one.subscriptions].join()).not.toContain(member.instance);
    expect((await showSwitch(one.shell, 'speech-weu')).instances).toEqual([]);
  });
});

describe('an instance that says goodbye', () => {
  it('is not waited for any more, and loses its subscription', async () => {
    const [staying, leaving] = [await join(), await join()];
    await requestSwitch(one.shell, requested('speech-weu'));
    await acknowledge(one.shell, acknowledgement(staying, 1));
    expect(await outcomes()).toEqual([]);
    expect([...one.subscriptions].join()).toContain(leaving.instance);
    await leave(one.shell, leaving.instance);
    await leave(two.shell, leaving.instance);
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged', instances: 1 }]);
    expect([...one.subscriptions].join()).not.toContain(leaving.instance);
    await expect(
      heartbeat(one.shell, leaving.instance, { boot: leaving.boot, accounts: [] }),
    ).rejects.toMatchObject({ status: 410, code: 'unknown-instance' });
  });
});

describe('a switch whose deadline passes', () => {
  it('is overdue once, names who is missing, and is acknowledged when they come after all', async () => {
    const member = await join();
    const deadlineAt = new Date(Date.now() - 1).toISOString();
    await requestSwitch(one.shell, requested('speech-weu', { deadlineAt }));
    await Promise.all([watchAccounts(one.shell), watchAccounts(two.shell)]);
    expect(await outcomes()).toMatchObject([
      { outcome: 'overdue', missing: [{ consumer: 'web-shop', instance: member.instance, generation: 0 }] },
    ]);
    await acknowledge(one.shell, acknowledgement(member, 1));
    expect((await outcomes()).map((outcome) => outcome['outcome'])).toEqual(['overdue', 'acknowledged']);
  });

  it('is noticed by whoever makes a round when it comes', async () => {
    await join();
    const deadlineAt = new Date(Date.now() + 150).toISOString();
    await requestSwitch(one.shell, requested('speech-weu', { deadlineAt }));
    await until(async () => {
      await watchAccounts(two.shell);
      return (await outcomes()).length > 0;
    });
    expect(await outcomes()).toMatchObject([{ outcome: 'overdue' }]);
  });
});

describe('a waived consumer', () => {
  it('is not waited for', async () => {
    await join();
    await requestSwitch(one.shell, requested('speech-weu'));
    await requestSwitch(one.shell, requested('speech-weu', { request: 2, waived: ['web-shop'] }));
    expect(await outcomes()).toMatchObject([{ request: 2, outcome: 'acknowledged', waived: ['web-shop'] }]);
  });
});

describe('what people are told', () => {
  const reports = async () =>
    (await sent(one.db)).filter(({ entity }) => entity === 'registry-events').map(({ data }) => data);

  it('is one report for many changes, with a version that grows', async () => {
    const members = [await join(), await join(), await join()];
    await settled();
    expect(await reports()).toEqual([]);
    await letPass(one.db, 2);
    await watchAccounts(one.shell);
    await requestSwitch(one.shell, requested('speech-weu'));
    for (const member of members) await acknowledge(two.shell, acknowledgement(member, 1));
    await settled();
    await letPass(one.db, 2);
    await Promise.all([watchAccounts(one.shell), watchAccounts(two.shell)]);
    expect(await reports()).toMatchObject([
      {
        version: 1,
        what: { generation: 0, consumers: [{ consumer: 'web-shop', live: 3, acknowledged: 0 }] },
      },
      {
        version: 2,
        what: { generation: 1, consumers: [{ consumer: 'web-shop', live: 3, acknowledged: 3 }] },
      },
    ]);
  });

  it('includes a silence that was noticed by a replica which died right after', async () => {
    await join();
    await settled();
    await letPass(one.db, 2);
    await watchAccounts(one.shell);
    await letPass(one.db, 36);
    await watchLeases((await replica({ looking: false })).shell);
    await watchAccounts(one.shell);
    await letPass(one.db, 2);
    await watchAccounts(one.shell);
    expect(await reports()).toMatchObject([
      { what: { consumers: [{ live: 1, lapsed: 0 }] } },
      { what: { consumers: [{ live: 0, lapsed: 1 }] } },
    ]);
  });

  it('lists every consumer with its accounts', async () => {
    await join();
    await join(one, 'billing');
    await letPass(one.db, 36);
    await join(two, 'billing');
    expect(await showConsumers(one.shell)).toMatchObject([
      { consumer: 'billing', live: 1, lapsed: 1, accounts: ['speech-weu'] },
      { consumer: 'web-shop', live: 0, lapsed: 1, accounts: ['speech-weu'] },
    ]);
  });
});

describe('an account that the scheduler withdraws or declares again', () => {
  it('keeps to the latest version', async () => {
    await declare(one.shell, declared('vision-neu', { version: 3 }));
    const withdrawal = declared('vision-neu', { version: 2 });
    await declare(one.shell, {
      ...withdrawal,
      id: 'late',
      data: {
        ...withdrawal.data,
        what: { event: 'account-withdrawn', account: accountCalled('vision-neu'), reason: 'gone' },
      },
    });
    expect(await showSwitch(one.shell, 'vision-neu')).toMatchObject({ state: 'nothing-published' });
  });
});
