// The notifier as it runs: its host over loopback HTTP, a real database, the embedded Service Bus, and a consumer
// that speaks to it as an instance does.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startServiceBus, type ServiceBusServer } from '@twinkey/azure-local';
import {
  emulatorConfig,
  KeyAcknowledged,
  KeyChanged,
  readMessage,
  RegisterAnswer,
  SwitchOutcome,
  topology,
  writeMessage,
  type ConsumerName,
  type Message,
} from '@twinkey/contracts';
import { startService, type RunningService } from '@twinkey/service';
import { connectBus, type Bus } from '@twinkey/service-bus';
import { testDatabase, until, type TestDatabase } from '@twinkey/testing';
import { notifier } from './notifier.js';
import { accountCalled, declared, declaredConsumer, requested, withdrawnConsumer } from './trial/replica.js';

const account = accountCalled('speech-weu');
const outcomes: SwitchOutcome[] = [];
let server: ServiceBusServer;
let database: TestDatabase;
let running: RunningService;
let bus: Bus;
let environment: Record<string, string>;

async function startNotifier(): Promise<void> {
  running = await startService(notifier, { environment, write: () => undefined });
  await running.ready;
}

beforeAll(async () => {
  [server, database] = await Promise.all([
    startServiceBus({ allowAnySas: true, topology: emulatorConfig(topology({ shards: 2 })) as never }),
    testDatabase(),
  ]);
  const connectionString = `Endpoint=sb://127.0.0.1:${server.port};SharedAccessKeyName=root;SharedAccessKey=spec;UseDevelopmentEmulator=true`;
  environment = {
    DATABASE_URL: database.url,
    SERVICEBUS_CONNECTION_STRING: connectionString,
    TWINKEY_NOTIFIER_PORT: '0',
    TWINKEY_KEY_CHANGED_SHARDS: '2',
    TWINKEY_HEARTBEAT_SECONDS: '1',
    TWINKEY_LEASE_SECONDS: '30',
  };
  await startNotifier();
  bus = connectBus({ connectionString });
  await bus.receive({ queue: SwitchOutcome.entity }, {}, (message) => {
    const read = readMessage(SwitchOutcome, message.body);
    if (read.ok) outcomes.push(read.message.data);
    return Promise.resolve({ settle: 'complete' });
  });
  await say('registry-events', declared('speech-weu'));
  await until(async () => (await ask('GET', '/v1/accounts/speech-weu/switch')).status === 200);
}, 60_000);

afterAll(async () => {
  await bus.close();
  await running.stop();
  await Promise.all([server.close(), database.drop()]);
});

async function say(entity: string, message: Message<unknown>): Promise<void> {
  await bus.send(entity, [{ id: message.id, body: message }]);
}

async function ask(method: string, path: string, body?: unknown) {
  const response = await fetch(running.url + path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  const answer = (text === '' ? null : JSON.parse(text)) as Record<string, unknown> | null;
  return { status: response.status, type: response.headers.get('content-type'), answer };
}

/** The lines that a scraper gets from the port of health and metrics. */
async function scraped(): Promise<string[]> {
  const response = await fetch(`${running.metricsUrl}/metrics`);
  expect(response.status).toBe(200);
  return (await response.text()).split('\n');
}

async function join(consumer: string, changes: object = {}) {
  const boot = randomUUID();
  const asked = { consumer, name: 'pod-1', boot, accounts: ['speech-weu'], ...changes };
  const { status, answer } = await ask('POST', '/v1/instances', asked);
  expect(status).toBe(201);
  return { ...RegisterAnswer.parse(answer), boot, consumer: consumer as ConsumerName, asked };
}

/** What an instance hears on its own subscriptions. */
async function listen(member: RegisterAnswer): Promise<KeyChanged[]> {
  const heard: KeyChanged[] = [];
  for (const subscription of member.subscriptions) {
    await bus.receive(subscription, {}, (message) => {
      const read = readMessage(KeyChanged, message.body);
      if (read.ok) heard.push(read.message.data);
      return Promise.resolve({ settle: 'complete' });
    });
  }
  return heard;
}

function acknowledgement(member: Awaited<ReturnType<typeof join>>, generation: number) {
  const { instance, boot, consumer } = member;
  const at = new Date();
  return writeMessage(KeyAcknowledged, {
    id: randomUUID(),
    source: 'twinkey/consumer',
    time: at,
    data: { account, consumer, instance, boot, generation: generation as never, at: at.toISOString() },
  });
}

describe('two instances of one consumer', () => {
  it('both hear of a new key on subscriptions of their own, and both have to acknowledge it', async () => {
    const [first, second] = [await join('web-shop'), await join('web-shop')];
    expect(first.accounts).toMatchObject([{ account, name: 'speech-weu', generation: 0 }]);
    expect(first.subscriptions).toHaveLength(1);
    const heard = [await listen(first), await listen(second)];

    await say('switch-requests', requested('speech-weu'));
    await until(() => heard.every((each) => each.length === 1));
    expect(heard[1]).toMatchObject([{ account, generation: 1, secret: { name: 'speech-weu' } }]);

    await say('acknowledgements', acknowledgement(first, 1));
    await until(async () => {
      const { answer } = await ask('GET', '/v1/accounts/speech-weu/switch');
      const instances = answer?.['instances'] as { missing: boolean }[];
      return instances.filter(({ missing }) => missing).length === 1;
    });
    expect(outcomes).toEqual([]);

    const { status, answer } = await ask('POST', `/v1/instances/${second.instance}/heartbeat`, {
      boot: second.boot,
      accounts: [{ account, generation: 1 }],
    });
    expect({ status, answer }).toMatchObject({ status: 200, answer: { accounts: [{ generation: 1 }] } });
    await until(() => outcomes.length === 1);
    expect(outcomes).toMatchObject([{ outcome: 'acknowledged', generation: 1, instances: 2 }]);

    for (const { instance } of [first, second]) {
      expect((await ask('DELETE', `/v1/instances/${instance}`)).status).toBe(204);
    }
  });
});

describe('a notifier that is restarted in the middle of a switch', () => {
  it('goes on where it was', async () => {
    const member = await join('billing', { channel: 'heartbeat' });
    expect(member.subscriptions).toEqual([]);
    await say('switch-requests', requested('speech-weu', { generation: 2 }));
    await until(
      async () => (await ask('GET', '/v1/accounts/speech-weu/switch')).answer?.['generation'] === 2,
    );
    const lines = await scraped();
    expect(lines).toEqual(
      expect.arrayContaining([
        'twinkey_instances{state="live"} 1',
        'twinkey_pending_acknowledgements{account="speech-weu"} 1',
        'twinkey_switches_total{outcome="requested"} 2',
        'twinkey_switches_total{outcome="acknowledged"} 1',
        'twinkey_heartbeats_total 1',
        'twinkey_http_request_seconds_count{method="POST",route="/v1/instances/:instance/heartbeat",status="200"} 1',
      ]),
    );
    expect(lines.join('\n')).toMatch(
      /^twinkey_switch_deadline_timestamp_seconds\{account="speech-weu"\} \d{10}/m,
    );
    await running.stop();
    await say('acknowledgements', acknowledgement(member, 2));
    await startNotifier();
    await until(() => outcomes.some(({ generation }) => generation === 2));
    expect(outcomes.filter(({ generation }) => generation === 2)).toMatchObject([
      { outcome: 'acknowledged', instances: 1 },
    ]);
    await ask('DELETE', `/v1/instances/${member.instance}`);
  });
});

describe('what is refused', () => {
  it('says which account is not known, and how many are', async () => {
    const { status, type, answer } = await ask('POST', '/v1/instances', {
      consumer: 'web-shop',
      name: 'pod',
      boot: randomUUID(),
      accounts: ['speech-wue'],
    });
    expect(status).toBe(404);
    expect(type).toContain('application/problem+json');
    expect(answer).toMatchObject({ code: 'unknown-account' });
    expect(answer?.['detail']).toMatch(/"speech-wue".*1 account is/);
    expect((await ask('GET', '/v1/accounts/speech-wue/switch')).status).toBe(404);
  });

  it('names each field of a body that cannot be read', async () => {
    const { status, answer } = await ask('POST', '/v1/instances', { consumer: 'Web Shop', accounts: [] });
    expect(status).toBe(400);
    expect(answer?.['detail']).toMatch(/consumer: .*accounts: /s);
    expect((await ask('POST', '/v1/instances/1/heartbeat', { boot: '', accounts: [] })).status).toBe(400);
  });

  it('tells an unknown instance to register, and a process that it is another one', async () => {
    const nobody = await ask('POST', '/v1/instances/i-0000000000000000/heartbeat', {
      boot: randomUUID(),
      accounts: [],
    });
    expect(nobody).toMatchObject({ status: 410, answer: { code: 'unknown-instance' } });
    const member = await join('web-shop', { channel: 'heartbeat' });
    const other = await ask('POST', `/v1/instances/${member.instance}/heartbeat`, {
      boot: randomUUID(),
      accounts: [],
    });
    expect(other).toMatchObject({ status: 409, answer: { code: 'stale-boot' } });
    const again = await ask('POST', '/v1/instances', member.asked);
    expect(again).toMatchObject({ status: 201, answer: { instance: member.instance } });
  });
});

describe('a declared receiver', () => {
  it('acknowledges over HTTP, and nobody else does there', async () => {
    const tell = (body: object) => ask('POST', '/v1/consumers/partner/acknowledgements', body);
    const acknowledged = { account: 'speech-weu', generation: 2 };
    expect(await tell(acknowledged)).toMatchObject({ status: 409, answer: { code: 'not-a-receiver' } });
    const channel = { kind: 'subscription' as const, name: 'partner-keys' };
    await say('registry-events', declaredConsumer('partner', { channel }));
    await until(async () => (await tell(acknowledged)).status === 200);
    expect((await tell(acknowledged)).answer).toMatchObject({ account, acknowledged: 2 });
    expect((await tell({ account: 'speech-weu' })).status).toBe(400);
    await say('registry-events', withdrawnConsumer('partner'));
  });
});

describe('what people see', () => {
  it('is who uses which account', async () => {
    const { answer } = await ask('GET', '/v1/consumers');
    expect(answer?.['consumers']).toContainEqual(
      expect.objectContaining({ consumer: 'web-shop', live: 1, lapsed: 0, accounts: ['speech-weu'] }),
    );
    const { status } = await ask('GET', `/v1/accounts/${encodeURIComponent(account)}/switch`);
    expect(status).toBe(200);
  });
});
