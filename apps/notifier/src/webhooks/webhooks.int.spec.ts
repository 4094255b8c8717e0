// Consumers that are told by webhook: the notifier's own tables and queries, and endpoints over real HTTP on loopback.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startServiceBus, type ServiceBusServer } from '@twinkey/azure-local';
import {
  ConsumerName,
  emulatorConfig,
  readMessage,
  RegistryEvent,
  SwitchOutcome,
  topology,
  writeMessage,
  type Message,
} from '@twinkey/contracts';
import { openDatabase } from '@twinkey/journal';
import { startService, type RunningService } from '@twinkey/service';
import { connectBus, type Bus } from '@twinkey/service-bus';
import { testDatabase, until, type TestDatabase } from '@twinkey/testing';
import { generateKeyPair, generateSharedSecret, readAllowList } from '@twinkey/webhook';
import { sql } from 'kysely';
import { declare } from '../declare.js';
import { notifier } from '../notifier.js';
import { requestSwitch } from '../request-switch.js';
import type { NotifierTables, Queries } from '../tables.js';
import { startReceiver, type Heard, type Receiver, type Reply } from '../trial/receiver.js';
import {
  accountCalled,
  createSchema,
  declared,
  forgetEverything,
  openReplica,
  requested,
  sent,
  tablesOf,
  type Replica,
} from '../trial/replica.js';
import { Dispatcher } from './dispatcher.js';
import { askForResend, askForTest } from './ask.js';
import { showDeliveries, showWebhooks } from './show.js';
import { claimAttempt } from './sql/attempts.js';
import type { Post } from './attempt.js';

const consumer = ConsumerName.parse('support-desk');
const pair = generateKeyPair();
const shared = generateSharedSecret();
let folder: string;
let receiver: Receiver;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinkey-webhooks-'));
  await writeFile(join(folder, 'default'), `${pair.secret}\n`);
  await writeFile(join(folder, 'support-desk'), shared);
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  receiver = await startReceiver([pair.publicKey, shared]);
});

afterEach(async () => {
  await receiver.close();
});

let version = 1;
function consumerDeclared(url: string, channel: object = {}, called = consumer): Message<RegistryEvent> {
  version += 1;
  return writeMessage(RegistryEvent, {
    id: `cd-${called}-v${version}`,
    source: 'twinkey/scheduler',
    time: new Date(),
    data: {
      version,
      at: new Date().toISOString(),
      what: {
        event: 'consumer-declared',
        source: 'file',
        declaration: {
          consumer: called,
          owner: 'support@contoso.example',
          accounts: [accountCalled('speech-weu')],
          minimumInstances: 0,
          channel: { kind: 'webhook', url, signature: 'ed25519', ...channel } as never,
        },
      },
    },
  });
}

function consumerWithdrawn(): Message<RegistryEvent> {
  version += 1;
  return writeMessage(RegistryEvent, {
    id: `cw-support-desk-v${version}`,
    source: 'twinkey/scheduler',
    time: new Date(),
    data: {
      version,
      at: new Date().toISOString(),
      what: { event: 'consumer-withdrawn', source: 'file', consumer, reason: 'gone from the file' },
    },
  });
}

const acknowledges = ({ event }: Heard): Reply => ({
  status: 200,
  body: JSON.stringify({ acknowledged: event.data['generation'] }),
});

/** What waits in the line is due. */
async function letPass(db: Queries): Promise<void> {
  await sql`update webhook_delivery set next_at = clock_timestamp() where next_at is not null`.execute(db);
  await sql`update webhook_endpoint set rest_until = null`.execute(db);
}

/** Everything that the notifier's tables hold, as one text. */
async function allThatIsStored(db: Queries): Promise<string> {
  const texts = [];
  for (const name of await tablesOf(db)) {
    const { rows } = await sql<{
      text: string;
    }>`select row_to_json(t)::text as text from ${sql.id(name)} t`.execute(db);
    texts.push(...rows.map(({ text }) => `${name} ${text}`));
  }
  return texts.join('\n');
}

describe('A key switch that a webhook is asked about', () => {
  let server: ServiceBusServer;
  let database: TestDatabase;
  let running: RunningService;
  let bus: Bus;
  const outcomes: SwitchOutcome[] = [];
  const logged: string[] = [];

  beforeAll(async () => {
    [server, database] = await Promise.all([
      startServiceBus({ allowAnySas: true, topology: emulatorConfig(topology({ shards: 1 })) as never }),
      testDatabase(),
    ]);
    const connectionString = `Endpoint=sb://127.0.0.1:${server.port};SharedAccessKeyName=root;SharedAccessKey=spec;UseDevelopmentEmulator=true`;
    const environment = {
      DATABASE_URL: database.url,
      SERVICEBUS_CONNECTION_STRING: connectionString,
      TWINKEY_NOTIFIER_PORT: '0',
      TWINKEY_KEY_CHANGED_SHARDS: '1',
      TWINKEY_WEBHOOK_ALLOW: 'http://127.0.0.1:*',
      TWINKEY_WEBHOOK_SECRETS_DIR: folder,
      TWINKEY_LOG_LEVEL: 'debug',
    };
    running = await startService(notifier, { environment, write: (line) => logged.push(line) });
    await running.ready;
    bus = connectBus({ connectionString });
    await bus.receive({ queue: SwitchOutcome.entity }, {}, (message) => {
      const read = readMessage(SwitchOutcome, message.body);
      if (read.ok) outcomes.push(read.message.data);
      return Promise.resolve({ settle: 'complete' });
    });
  }, 60_000);

  afterAll(async () => {
    await bus.close();
    await running.stop();
    await Promise.all([server.close(), database.drop()]);
  });

  const say = (entity: string, message: Message<unknown>) =>
    bus.send(entity, [{ id: message.id, body: message }]);
  const ask = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${running.url}/v1/webhooks${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('waits while attempts fail, and is acknowledged by the answer to a later one', async () => {
    const db = await openDatabase<NotifierTables>({
      url: database.url,
      schema: 'notifier',
      applicationName: 'spec',
    });
    receiver.answer = () => ({ status: 500, body: 'a stack trace of the receiver' });
    await say('registry-events', declared('speech-weu'));
    await say('registry-events', consumerDeclared(receiver.url));
    await until(async () => (await ask('GET', '/support-desk/deliveries')).status === 200);
    await say('switch-requests', requested('speech-weu', { generation: 1 }));

    await until(() => receiver.heard.length === 1);
    await until(async () => {
      const { body } = await ask('GET', '/support-desk/deliveries');
      return JSON.stringify(body).includes('"outcome":"retry"');
    });
    expect(outcomes).toEqual([]);
    receiver.answer = acknowledges;
    await letPass(db.kysely);
    await until(() => outcomes.length === 1);

    expect(outcomes[0]).toMatchObject({ outcome: 'acknowledged', generation: 1, instances: 1, missing: [] });
    const [first, second] = receiver.heard;
    expect(receiver.heard).toHaveLength(2);
    expect([first?.verified, second?.verified]).toEqual([true, true]);
    expect(second).toMatchObject({ id: first?.id, body: first?.body });
    expect(second?.event).toMatchObject({
      type: 'com.twinkey.key.changed.v1',
      id: first?.id,
      source: 'twinkey/notifier',
      subject: 'speech-weu',
      data: { account: accountCalled('speech-weu'), generation: 1, publishedAt: expect.any(String) },
    });
    // A reference and a number: nothing else may ever be in it.
    expect(Object.keys(second?.event.data ?? {}).sort()).toEqual([
      'account',
      'generation',
      'publishedAt',
      'secret',
    ]);
    expect(second?.event.data['secret']).toEqual({ vaultUrl: 'https://vault.example', name: 'speech-weu' });

    await until(async () => {
      const { body } = await ask('GET', '/support-desk/deliveries');
      return JSON.stringify(body).includes('"state":"acknowledged"');
    });
    const { body } = await ask('GET', '/support-desk/deliveries');
    expect(body).toMatchObject({
      deliveries: [
        {
          account: 'speech-weu',
          generation: 1,
          attempts: 2,
          log: [
            { attempt: 1, outcome: 'retry', why: 'status', status: 500 },
            { attempt: 2, outcome: 'acknowledged', status: 200 },
          ],
        },
      ],
    });

    // Neither the secret that signs, nor what a receiver writes, nor the token in its URL gets anywhere else.
    const stored = await allThatIsStored(db.kysely);
    const said = JSON.stringify(await ask('GET', ''));
    await db.close();
    const requests = receiver.heard.map(({ headers, body: text }) => headers + text).join();
    for (const text of [stored, said, requests, logged.join('')]) {
      expect(text).not.toContain(pair.secret.slice('whsk_'.length, 40));
      expect(text).not.toContain(pair.secret.slice(-40));
      expect(text).not.toContain('stack trace');
    }
    expect(stored).toContain('webhook_attempt {'); // it did look
    for (const text of [said, logged.join('')]) expect(text).not.toContain('of-the-receiver');
    expect(said).toContain(pair.publicKey);
  }, 60_000);

  it('may be tried by hand', async () => {
    await say('registry-events', consumerDeclared(receiver.url));
    const listed = async () => ((await ask('GET', '')).body['webhooks'] as { url: string }[])[0]?.url;
    await until(async () => (await listed()) === receiver.url.replace(/\?.*/, ''));
    const test = (key: string) =>
      ask('POST', '/support-desk/test', { by: 'nobody-special' }, { 'idempotency-key': key });
    const { status, body } = await test('try-it');
    expect(status).toBe(202);
    await until(() => receiver.heard.length === 1);
    expect(await test('try-it')).toEqual({ status, body });
    expect(await test('x'.repeat(201))).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(receiver.heard[0]).toMatchObject({
      verified: true,
      event: { type: 'com.twinkey.webhook.test', data: { consumer } },
    });
    const path = `/support-desk/deliveries?delivery=${String(body['delivery'])}`;
    await until(async () => JSON.stringify((await ask('GET', path)).body).includes('"delivered"'));
    expect((await ask('GET', path)).body).toMatchObject({
      deliveries: [{ kind: 'test', askedBy: 'nobody-special', state: 'delivered', attempts: 1 }],
    });
    const again = await test('try-it-again');
    expect(again.body['delivery']).not.toBe(body['delivery']);
    await until(() => receiver.heard.length === 2);
  });

  it.each([
    ['GET', '/nobody/deliveries', 404, 'webhook-unknown'],
    ['POST', '/nobody/test', 404, 'webhook-unknown'],
    ['POST', '/support-desk/deliveries/4711/resend', 404, 'delivery-unknown'],
    ['GET', '/support-desk/deliveries?limit=0', 400, 'invalid-request'],
  ])('refuses %s %s', async (method, path, status, code) => {
    const answer = await ask(method, path, method === 'POST' ? {} : undefined);
    expect(answer).toMatchObject({ status, body: { code } });
  });
});

describe('Replicas that share the line', () => {
  let database: TestDatabase;
  let one: Replica;
  let other: Replica;
  let post: Post;

  beforeAll(async () => {
    database = await testDatabase({ prepare: createSchema });
    [one, other] = [await openReplica(database.url), await openReplica(database.url)];
  });

  afterAll(async () => {
    await Promise.all([one.close(), other.close()]);
    await database.drop();
  });

  beforeEach(async () => {
    await forgetEverything(one.db);
    post = {
      allow: readAllowList('http://127.0.0.1:*'),
      secretsFolder: folder,
      limitMs: 5_000,
      chance: () => 0.5,
    };
    await declare(one.shell, declared('speech-weu'));
  });

  afterEach(async () => {
    await Promise.all([one.settled(), other.settled()]);
  });

  const dispatcher = (replica = one) => new Dispatcher(replica.shell, post);
  const publish = async (generation: number, request = 1) => {
    await requestSwitch(one.shell, requested('speech-weu', { generation, request }));
    await one.settled();
  };
  const log = async () => showDeliveries(one.shell, consumer, { limit: 50 });
  const listed = async () => (await showWebhooks(one.shell, post))[0];
  const answers = async () =>
    (await sent(one.db)).flatMap(({ data }) => (data['outcome'] === undefined ? [] : [data['outcome']]));

  it('make one attempt at a time, whoever makes it', async () => {
    const accounts = ['speech-weu', 'language-weu', 'vision-weu'];
    const message = consumerDeclared(receiver.url);
    const { what } = message.data;
    if (what.event !== 'consumer-declared') throw new Error('A declaration declares.');
    what.declaration.accounts = accounts.map(accountCalled);
    for (const name of accounts) await declare(one.shell, declared(name));
    await declare(one.shell, message);
    for (const name of accounts) await requestSwitch(one.shell, requested(name));
    await one.settled();
    let first = true;
    receiver.answer = async (heard) => {
      // While the first one is not answered, the other replica does all that it finds to do.
      if (first) {
        first = false;
        await dispatcher(other).idle();
      }
      return acknowledges(heard);
    };
    await dispatcher(one).idle();
    expect(receiver.heard).toHaveLength(3);
    expect(receiver.atOnce()).toBe(1);
    await one.settled();
    await other.settled();
    expect(await answers()).toEqual(['acknowledged', 'acknowledged', 'acknowledged']);
  });

  it('leave an endpoint to one of many who ask for it at the same moment', async () => {
    await declare(one.shell, consumerDeclared(receiver.url));
    await publish(1);
    await new Dispatcher(one.shell, { ...post, secretsFolder: undefined }).idle();
    await letPass(one.db);
    const asking = [one, other, one, other, one, other].map(({ db }) => claimAttempt(db, 60_000));
    expect((await Promise.all(asking)).filter((claimed) => claimed !== null)).toHaveLength(1);
  });

  it('take up what one of them left under way when it died', async () => {
    await declare(one.shell, consumerDeclared(receiver.url));
    await publish(1);
    // It lines up, takes the endpoint, and is gone.
    const dying = new Dispatcher(one.shell, { ...post, secretsFolder: undefined });
    await dying.idle();
    await letPass(one.db);
    expect(await claimAttempt(one.db, 60_000)).toMatchObject({ consumer, attempts: 2 });

    receiver.answer = acknowledges;
    await letPass(one.db);
    await dispatcher(other).idle();
    expect(receiver.heard).toHaveLength(0); // its time is not over
    await sql`update webhook_endpoint set busy_until = clock_timestamp()`.execute(one.db);
    await dispatcher(other).idle();
    expect(receiver.heard).toHaveLength(1);
    expect(await log()).toMatchObject([
      {
        state: 'acknowledged',
        log: [
          { attempt: 1, outcome: 'retry', why: 'secret-missing' },
          { attempt: 2, outcome: 'lost' },
          { attempt: 3, outcome: 'acknowledged' },
        ],
      },
    ]);
  });

  it('leave an attempt to others when the process ends', async () => {
    await declare(one.shell, consumerDeclared(receiver.url));
    await publish(1);
    const ending = dispatcher(one);
    receiver.answer = async () => {
      await ending.close();
      return { status: 200 };
    };
    await ending.pass();
    await until(async () => (await log())[0]?.log[0]?.outcome === 'retry');
    expect(await log()).toMatchObject([{ state: 'waiting', log: [{ why: 'interrupted' }] }]);
    receiver.answer = acknowledges;
    await dispatcher(other).idle();
    expect(await log()).toMatchObject([{ state: 'acknowledged', attempts: 2 }]);
  });

  it('tell a receiver that is declared after the publication', async () => {
    await publish(3);
    await declare(one.shell, consumerDeclared(receiver.url));
    receiver.answer = acknowledges;
    await dispatcher().idle();
    await one.settled();
    expect(receiver.heard.map(({ event }) => event.data['generation'])).toEqual([3]);
    expect(await answers()).toEqual(['acknowledged']);
  });

  it('take any other 2xx answer for delivered, and ask again only with a new question', async () => {
    await declare(one.shell, consumerDeclared(receiver.url));
    await publish(1);
    for (const body of ['', '{"acknowledged":"1"}', '{"acknowledged":0}', '{"acknowledged":1772440200}']) {
      receiver.answer = () => ({ status: 200, body });
      await publish(1, receiver.heard.length + 1);
      await dispatcher().idle();
    }
    await letPass(one.db);
    await dispatcher().idle();
    expect(receiver.heard.map(({ id }) => id.replace(/^.*-/, ''))).toEqual(['r1', 'r2', 'r3', 'r4']);
    expect(new Set((await log()).map(({ state }) => state))).toEqual(new Set(['delivered']));
    expect(await answers()).toEqual([]);
  });

  it('put aside what a newer generation overtook', async () => {
    await declare(one.shell, consumerDeclared(receiver.url));
    receiver.answer = () => ({ status: 503 });
    await publish(1);
    await dispatcher().idle();
    receiver.answer = acknowledges;
    await publish(2);
    await letPass(one.db);
    await dispatcher().idle();
    expect((await log()).map(({ generation, state }) => [generation, state])).toEqual([
      [2, 'acknowledged'],
      [1, 'superseded'],
    ]);
  });

  it('leave a receiver alone for as long as it asks', async () => {
    await declare(one.shell, consumerDeclared(receiver.url));
    receiver.answer = () => ({ status: 429, headers: { 'retry-after': '900' } });
    await publish(1);
    await dispatcher().idle();
    expect(await listed()).toMatchObject({ state: 'resting', waiting: 1 });
    await publish(2); // another message has to wait as well
    await dispatcher().idle();
    expect(receiver.heard).toHaveLength(1);
    const waiting = (await log()).find(({ state }) => state === 'superseded');
    expect(waiting).toMatchObject({ generation: 1 });
  });

  it('do once what is asked of an endpoint under one idempotency key, whichever of them is asked', async () => {
    await declare(one.shell, consumerDeclared(receiver.url));
    const asker = { by: 'ana', key: 'once' };
    const asked = await Promise.all([one, other, one].map(({ shell }) => askForTest(shell, consumer, asker)));
    const delivery = asked[0]?.delivery ?? 0;
    expect(asked).toEqual([{ delivery }, { delivery }, { delivery }]);
    await dispatcher().idle();
    expect(receiver.heard).toHaveLength(1);

    const again = { by: 'ana', key: 'once more' };
    const resend = (replica: Replica) => askForResend(replica.shell, consumer, delivery, again);
    expect(await resend(one)).toEqual({ delivery });
    await dispatcher().idle();
    expect(await resend(other)).toEqual({ delivery });
    expect(await askForTest(other.shell, consumer, asker)).toEqual({ delivery });
    await dispatcher().idle();
    expect(receiver.heard).toHaveLength(2);

    const others = await Promise.allSettled([
      askForTest(one.shell, consumer, { ...asker, by: 'ben' }),
      askForTest(one.shell, consumer, again),
      askForResend(one.shell, consumer, delivery, asker),
      askForResend(one.shell, consumer, delivery + 1, again),
    ]);
    for (const another of others) {
      expect(another).toMatchObject({ reason: { status: 422, code: 'idempotency-key-reused' } });
    }
  });

  it('send nothing more to one that is gone, until a person tries it or its URL changes', async () => {
    await declare(one.shell, consumerDeclared(receiver.url));
    receiver.answer = () => ({ status: 410 });
    await publish(1);
    await dispatcher().idle();
    await letPass(one.db);
    await dispatcher().idle();
    expect(receiver.heard).toHaveLength(1);
    expect(await listed()).toMatchObject({ state: 'gone', waiting: 1 });

    const { delivery } = await askForTest(one.shell, consumer, { by: 'spec' });
    await dispatcher().idle();
    expect(receiver.heard).toHaveLength(2);
    expect(await showDeliveries(one.shell, consumer, { limit: 1, delivery })).toMatchObject([
      { kind: 'test', state: 'given-up', log: [{ outcome: 'stop', why: 'gone', status: 410 }] },
    ]);
    receiver.answer = acknowledges;
    await declare(one.shell, consumerDeclared(`${receiver.url}&moved`));
    await letPass(one.db);
    await dispatcher().idle();
    expect((await log()).at(-1)).toMatchObject({ kind: 'key-changed', state: 'acknowledged' });
  });

  it('send a message once more when a person asks', async () => {
    await declare(one.shell, consumerDeclared(receiver.url));
    await publish(1);
    await dispatcher().idle();
    const [delivered] = await log();
    expect(delivered).toMatchObject({ state: 'delivered' });
    receiver.answer = acknowledges;
    await askForResend(one.shell, consumer, delivered?.delivery ?? 0, { by: 'spec' });
    await dispatcher().idle();
    expect(receiver.heard.map(({ id }) => id)).toEqual([delivered?.event, delivered?.event]);
    expect(await log()).toMatchObject([{ state: 'acknowledged', askedBy: 'spec', attempts: 2 }]);
    await one.settled();
    expect(await answers()).toEqual(['acknowledged']);
    // Also when nobody waits for it any more, and then once.
    receiver.answer = () => ({ status: 500 });
    await askForResend(one.shell, consumer, delivered?.delivery ?? 0, { by: 'spec' });
    await dispatcher().idle();
    await letPass(one.db);
    await dispatcher().idle();
    expect(receiver.heard).toHaveLength(3);
    expect(await log()).toMatchObject([{ state: 'acknowledged', attempts: 3 }]);
  });

  it('forget the line of a consumer that is withdrawn', async () => {
    await declare(one.shell, consumerDeclared(receiver.url));
    receiver.answer = () => ({ status: 500 });
    await publish(1);
    await dispatcher().idle();
    await declare(one.shell, consumerWithdrawn());
    await letPass(one.db);
    await dispatcher().idle();
    expect(receiver.heard).toHaveLength(1);
    const { rows } = await sql`select state from webhook_delivery`.execute(one.db);
    expect(rows).toEqual([{ state: 'withdrawn' }]);
  });

  it('tell a receiver that is declared again what it may have acknowledged before', async () => {
    await declare(one.shell, consumerDeclared(receiver.url));
    await publish(1);
    receiver.answer = acknowledges;
    await dispatcher().idle();
    await declare(one.shell, consumerWithdrawn());
    await declare(one.shell, consumerDeclared(receiver.url));
    await dispatcher().idle();
    await dispatcher().idle();
    expect(receiver.heard).toHaveLength(2);
    expect(await log()).toMatchObject([{ state: 'acknowledged', attempts: 2 }]);
  });

  it('sign with the old and the new secret while one is replaced', async () => {
    await declare(one.shell, consumerDeclared(receiver.url, { signature: 'hmac', secret: 'support-desk' }));
    await publish(1);
    await dispatcher().idle();
    await writeFile(join(folder, 'support-desk'), generateSharedSecret());
    await writeFile(join(folder, 'support-desk.previous'), shared);
    await askForTest(one.shell, consumer, { by: 'spec' });
    await dispatcher().idle();
    await rm(join(folder, 'support-desk.previous'));
    await askForTest(one.shell, consumer, { by: 'spec' });
    await dispatcher().idle();
    expect(receiver.heard.map(({ verified, signatures }) => [verified, signatures])).toEqual([
      [true, 1],
      [true, 2],
      [false, 1],
    ]);
  });

  it.each([
    ['no such file', { signature: 'hmac', secret: 'of-nobody' }, /no file "of-nobody"/],
    ['a secret of the other kind', { signature: 'ed25519', secret: 'support-desk' }, /for hmac/],
  ])('send nothing that is not signed: %s', async (_, channel, problem) => {
    await declare(one.shell, consumerDeclared(receiver.url, channel));
    await publish(1);
    await dispatcher().idle();
    expect(receiver.heard).toHaveLength(0);
    expect(await listed()).toMatchObject({ state: 'unsigned', problem: expect.stringMatching(problem) });
    expect(await log()).toMatchObject([{ state: 'waiting', log: [{ why: 'secret-missing' }] }]);
  });

  it('send nothing to where the allow-list does not lead', async () => {
    post = { ...post, allow: readAllowList('public') };
    await declare(one.shell, consumerDeclared(receiver.url));
    await publish(1);
    await dispatcher().idle();
    expect(receiver.heard).toHaveLength(0);
    expect(await log()).toMatchObject([{ state: 'waiting', log: [{ why: 'destination-refused' }] }]);
  });
});
