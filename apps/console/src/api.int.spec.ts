// The console as it runs: its real host over loopback HTTP, a real database, and the embedded Service Bus.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startServiceBus, type ServiceBusServer } from '@twinkey/azure-local';
import {
  AccountId,
  ConsumerName,
  InstanceId,
  RegistryEvent,
  RotationCommand,
  RotationId,
  accountName,
  emulatorConfig,
  generation,
  readMessage,
  topology,
  type Message,
} from '@twinkey/contracts';
import { startService, type RunningService } from '@twinkey/service';
import { connectBus, type Bus } from '@twinkey/service-bus';
import { testDatabase, until, type TestDatabase } from '@twinkey/testing';
import type { z } from 'zod';
import {
  registryEvent,
  rotationEvent,
  settings,
  speech,
  wholeRotation,
  type What,
} from '../spec/sample-events.js';
import * as answers from './api/answers.js';
import { openApiDocument } from './api/openapi.js';
import { consoleService } from './console.service.js';

// Real processes on a machine that may be busy: what is waited for takes milliseconds otherwise.
jest.setTimeout(30_000);

/** Every look at the dead letters opens a link to each of eight entities. */
const SLOW = { withinMs: 20_000 };

let broker: ServiceBusServer;
let database: TestDatabase;
let running: RunningService;
let bus: Bus;
const commands: RotationCommand[] = [];
/** What the console itself said on the topic of registry events. */
const registry: RegistryEvent[] = [];

beforeAll(async () => {
  const entities = emulatorConfig(topology({ shards: 1 })) as never;
  [broker, database] = await Promise.all([
    startServiceBus({ allowAnySas: true, topology: entities }),
    testDatabase(),
  ]);
  const connectionString = `Endpoint=sb://127.0.0.1:${broker.port};SharedAccessKeyName=spec;SharedAccessKey=spec;UseDevelopmentEmulator=true`;
  running = await startService(consoleService, {
    environment: {
      DATABASE_URL: database.url,
      SERVICEBUS_CONNECTION_STRING: connectionString,
      TWINKEY_CONSOLE_PORT: '0',
    },
    write: () => undefined,
  });
  await running.ready;
  bus = connectBus({ connectionString });
  await bus.receive({ queue: RotationCommand.entity }, {}, (message) => {
    const read = readMessage(RotationCommand, message.body);
    if (read.ok) commands.push(read.message.data);
    return Promise.resolve({ settle: 'complete' });
  });
  await bus.receive({ topic: RegistryEvent.entity, subscription: 'notifier' }, {}, (message) => {
    const read = readMessage(RegistryEvent, message.body);
    if (read.ok && read.message.source === 'twinkey/console') registry.push(read.message.data);
    return Promise.resolve({ settle: 'complete' });
  });
}, 60_000);

afterAll(async () => {
  await bus.close();
  await running.stop();
  await Promise.all([broker.close(), database.drop()]);
});

let count = 0;

/** An account of its own per test, so that none depends on another. */
function newAccount(): { account: AccountId; name: string; rotation: RotationId } {
  count += 1;
  const account = AccountId.parse(speech.replace(/speech$/, `account-${count}`));
  const rotation = RotationId.parse(`r-${count.toString(16).padStart(12, 'c')}`);
  return { account, name: accountName(account), rotation };
}

async function tell(...messages: Message<unknown>[]): Promise<void> {
  for (const message of messages) {
    const entity = message.type.includes('registry') ? 'registry-events' : 'rotation-events';
    await bus.send(entity, [
      { id: `${message.id}-${count}`, body: { ...message, id: `${message.id}-${count}` } },
    ]);
  }
}

const told = (of: ReturnType<typeof newAccount>, whats: readonly What[], from = 1) =>
  tell(...whats.map((what, index) => rotationEvent(index + from, what, of)));

async function get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>> {
  const response = await fetch(running.url + path);
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${JSON.stringify(body)}`);
  const known = schema.parse(body);
  expect(body).toEqual(known); // a field that the document does not have would be missing here
  return known;
}

async function ask(path: string, body: object = {}, key?: string) {
  const response = await fetch(running.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const halted: What = {
  event: 'halted',
  step: 'switch-to-key1',
  reason: 'consumer-silent',
  detail: 'batch has not acknowledged',
  remedy: 'Start batch, or waive it.',
};
const upToWaiting = wholeRotation.slice(0, 3);

const known = (rotation: string, state: string) =>
  until(async () => {
    const response = await fetch(`${running.url}/v1/rotations/${rotation}`);
    return response.ok && ((await response.json()) as { state: string }).state === state;
  });

describe('an account that services tell of', () => {
  it('is listed and shown, with what consumers use and how far they are', async () => {
    const of = newAccount();
    await tell(
      registryEvent(1, {
        event: 'account-declared',
        settings: { ...settings, account: of.account },
        nextDueAt: '2099-01-01T00:00:00Z',
      }),
      registryEvent(2, {
        event: 'consumers-changed',
        account: of.account,
        generation: generation(8),
        consumers: [{ consumer: ConsumerName.parse('chat-api'), live: 3, acknowledged: 2, lapsed: 1 }],
      }),
    );
    await told(of, wholeRotation);
    await known(of.rotation, 'completed');

    const { accounts } = await get('/v1/accounts', answers.AccountList);
    expect(accounts.find(({ name }) => name === of.name)).toMatchObject({
      state: 'healthy',
      published: { slot: 'key2', generation: 8 },
      consumers: [{ consumer: 'chat-api', live: 3, acknowledged: 2, lapsed: 1 }],
    });
    const detail = await get(`/v1/accounts/${of.name}`, answers.AccountDetail);
    expect(detail.settings?.policy.name).toBe('standard-30d');
    expect(detail.rotations.map(({ id }) => id)).toEqual([of.rotation]);
    const byGroup = await get(`/v1/accounts/${encodeURIComponent(`ai/${of.name}`)}`, answers.AccountDetail);
    expect(byGroup.account).toBe(of.account);
    expect((await get('/v1/status', answers.StatusView)).accounts.total).toBeGreaterThanOrEqual(1);
  });

  it('shows its rotation under the beginning of the id, with a timeline', async () => {
    const of = newAccount();
    await told(of, wholeRotation);
    await known(of.rotation, 'completed');
    const rotation = await get(`/v1/rotations/${of.rotation}`, answers.RotationDetail);
    expect(rotation.events.map(({ event }) => event)).toEqual(wholeRotation.map(({ event }) => event));
    const ambiguous = await fetch(`${running.url}/v1/rotations/r-c`);
    expect(await ambiguous.json()).toMatchObject({ status: 409, code: 'rotation-ambiguous' });
    const list = await get(`/v1/rotations?account=${of.name}&state=completed`, answers.RotationList);
    expect(list.rotations.map(({ id }) => id)).toEqual([of.rotation]);
  });
});

describe('the metrics of a console', () => {
  it('count the open rotations and say when services were heard of', async () => {
    const of = newAccount();
    await told(of, upToWaiting);
    await known(of.rotation, 'waiting');
    const startedAt = '2031-04-01T00:00:00.000Z';
    await tell(registryEvent(1, { event: 'service-alive', service: 'rotator', startedAt }));
    const lines = await until(async () => {
      const text = await (await fetch(`${running.metricsUrl}/metrics`)).text();
      return text.includes('twinkey_service_last_seen_timestamp_seconds{peer="rotator"}') && text.split('\n');
    }, SLOW);
    expect(lines).toContain('twinkey_rotations_open{state="waiting"} 1');
    expect(lines).toContain('twinkey_rotations_open{state="halted"} 0');
    expect(lines).toContain('twinkey_outbox_waiting_messages 0');
  });
});

describe('asking for a rotation', () => {
  it('sends one command, audits it, and shows the rotation as asked', async () => {
    const of = newAccount();
    await tell(
      registryEvent(1, { event: 'account-declared', settings: { ...settings, account: of.account } }),
    );
    await until(async () => (await fetch(`${running.url}/v1/accounts/${of.name}`)).ok);

    const { status, body } = await ask(`/v1/accounts/${of.name}/rotations`, { by: 'ana', reason: 'leaked' });
    expect(status).toBe(202);
    const asked = answers.Asked.parse(body);
    await until(() => commands.some(({ rotationId }) => rotationId === asked.rotation));
    expect(commands.filter(({ account }) => account === of.account)).toEqual([
      { command: 'rotate', rotationId: asked.rotation, account: of.account, by: 'ana', reason: 'leaked' },
    ]);
    const rotation = await get(`/v1/rotations/${asked.rotation}`, answers.RotationDetail);
    expect(rotation).toMatchObject({ state: 'asked', by: 'ana', reason: 'leaked', account: of.name });
    const audit = await get(`/v1/commands?account=${of.name}`, answers.CommandList);
    expect(audit.commands).toMatchObject([{ command: 'rotate', by: 'ana', rotation: asked.rotation }]);
  });

  it('asks once, however often it is repeated under one idempotency key', async () => {
    const of = newAccount();
    await told(of, wholeRotation);
    await known(of.rotation, 'completed');
    const path = `/v1/accounts/${of.name}/rotations`;
    const same = await Promise.all([1, 2, 3].map(() => ask(path, {}, `key-${of.name}`)));
    const later = await ask(path, {}, `key-${of.name}`);
    expect(new Set([...same, later].map(({ body }) => body['rotation'])).size).toBe(1);
    expect(await ask(path, {}, `another-${of.name}`)).toMatchObject({ status: 202 });
    await until(() => commands.filter(({ account }) => account === of.account).length >= 2);
    expect(commands.filter(({ account }) => account === of.account)).toHaveLength(2);

    expect(
      await ask(`/v1/rotations/${String(later.body['rotation'])}/halt`, {}, `key-${of.name}`),
    ).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    });
    for (const other of [{ by: 'ana' }, { reason: 'leaked' }, { scope: 'emergency', slot: 'key1' }]) {
      expect(await ask(path, other, `key-${of.name}`)).toMatchObject({
        status: 422,
        body: { code: 'idempotency-key-reused' },
      });
    }
  });

  it('of a leaked key is let through although a rotation is open, and names the slot', async () => {
    const of = newAccount();
    await told(of, upToWaiting);
    await known(of.rotation, 'waiting');
    const path = `/v1/accounts/${of.name}/rotations`;
    const { status, body } = await ask(path, { scope: 'emergency', slot: 'key1' });
    expect(status).toBe(202);
    await until(() => commands.some(({ account }) => account === of.account));
    expect(commands.find(({ account }) => account === of.account)).toMatchObject({
      command: 'rotate',
      scope: 'emergency',
      slot: 'key1',
    });
    expect(await get(`/v1/rotations/${String(body['rotation'])}`, answers.RotationDetail)).toMatchObject({
      state: 'asked',
      scope: 'emergency',
      slot: 'key1',
    });
    for (const half of [{ scope: 'emergency' }, { scope: 'half', slot: 'key1' }])
      expect(await ask(path, half)).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });

  it('is declined while a rotation is open, and for an account that nobody knows', async () => {
    const of = newAccount();
    await told(of, upToWaiting);
    await known(of.rotation, 'waiting');
    expect(await ask(`/v1/accounts/${of.name}/rotations`)).toMatchObject({
      status: 409,
      body: { code: 'rotation-open' },
    });
    expect(await ask('/v1/accounts/nowhere/rotations')).toMatchObject({
      status: 404,
      body: { code: 'account-unknown' },
    });
  });

  it('shows the refusal of the rotator', async () => {
    const of = newAccount();
    await told(of, [{ event: 'refused', command: 'rotate', code: 'rotation-open', detail: 'One is open.' }]);
    await known(of.rotation, 'refused');
    expect(await ask(`/v1/rotations/${of.rotation}/replay`)).toMatchObject({
      status: 409,
      body: { code: 'rotation-refused' },
    });
  });
});

describe('a halted rotation', () => {
  it('can be replayed and its silent consumer waived', async () => {
    const of = newAccount();
    await told(of, [...upToWaiting, halted]);
    await known(of.rotation, 'halted');
    expect(await ask(`/v1/rotations/${of.rotation}/halt`)).toMatchObject({
      status: 409,
      body: { code: 'rotation-halted' },
    });
    const waive = { by: 'ana', consumer: 'batch', reason: 'decommissioned' };
    expect(await ask(`/v1/rotations/${of.rotation}/waive`, waive)).toMatchObject({ status: 202 });
    expect(await ask(`/v1/rotations/${of.rotation}/replay`, { by: 'ana' })).toMatchObject({ status: 202 });
    await until(() => commands.filter(({ account }) => account === of.account).length === 2);
    expect(commands.filter(({ account }) => account === of.account).map(({ command }) => command)).toEqual([
      'waive',
      'replay',
    ]);
  });

  it('says where a replay would go on, as the rotator foresaw it last, and explains itself', async () => {
    const of = newAccount();
    const goesOn = { step: 'switch-to-key1', next: 'It asks again.', safe: true, because: 'so' } as const;
    await told(of, [
      ...upToWaiting,
      { ...halted, goesOn },
      { event: 'foreseen', goesOn: { ...goesOn, next: 'It goes on at once.' } },
    ]);
    await known(of.rotation, 'halted');
    await until(async () => {
      const shown = await get(`/v1/rotations/${of.rotation}`, answers.RotationDetail);
      return shown.halt?.goesOn?.next === 'It goes on at once.';
    });
    const said = await get(`/v1/rotations/${of.rotation}/explanation`, answers.ExplanationView);
    expect(said).toMatchObject({ rotation: of.rotation, state: 'halted' });
    expect(said.youCan).toContainEqual({
      command: `twinkey replay ${of.rotation}`,
      effect: 'It goes on at once.',
    });
  });

  it('is not waived for a consumer that the account does not have, nor without a reason', async () => {
    const of = newAccount();
    await tell(
      registryEvent(1, {
        event: 'consumers-changed',
        account: of.account,
        generation: generation(1),
        consumers: [{ consumer: ConsumerName.parse('chat-api'), live: 1, acknowledged: 0, lapsed: 0 }],
      }),
    );
    await told(of, [...upToWaiting, halted]);
    await known(of.rotation, 'halted');
    await until(
      async () => (await get(`/v1/accounts/${of.name}`, answers.AccountDetail)).consumers.length > 0,
    );
    const path = `/v1/rotations/${of.rotation}/waive`;
    expect(await ask(path, { consumer: 'chat-apj', reason: 'gone' })).toMatchObject({
      status: 404,
      body: { code: 'consumer-unknown', detail: expect.stringContaining('chat-api') },
    });
    expect(await ask(path, { consumer: 'chat-api' })).toMatchObject({
      status: 400,
      body: { code: 'invalid-request', detail: expect.stringContaining('reason') },
    });
  });
});

describe('a rotation that waits for consumers', () => {
  it('explains who is not there, who refuses and why, and who was to be told', async () => {
    const of = newAccount();
    const [desk, batch] = [ConsumerName.parse('desk'), ConsumerName.parse('batch')];
    const since = '2026-01-01T12:30:00.000Z';
    const counts = { live: 1, acknowledged: 1, lapsed: 0 };
    const refusal = {
      instance: InstanceId.parse('i-00000000000000aa'),
      generation: generation(8),
      reason: 'a run',
    };
    await tell(
      registryEvent(1, {
        event: 'consumers-changed',
        account: of.account,
        generation: generation(8),
        consumers: [
          { consumer: desk, ...counts, minimum: 2, escalated: { to: 'on-call', since } },
          { consumer: batch, ...counts, acknowledged: 0 },
        ],
      }),
      registryEvent(2, {
        event: 'use-told',
        account: of.account,
        consumers: [{ consumer: batch, live: 1, lapsed: 0, silent: 0, refusals: [refusal] }],
      }),
    );
    await told(of, upToWaiting);
    await known(of.rotation, 'waiting');
    const path = `/v1/rotations/${of.rotation}/explanation`;
    await until(async () => (await get(path, answers.ExplanationView)).waitsFor.includes('a run'));
    const { waitsFor } = await get(path, answers.ExplanationView);
    expect(waitsFor).toContain('desk has 1 of at least 2 instances.');
    expect(waitsFor).toContain('batch (i-00000000000000aa) refuses generation 8: a run.');
    expect(waitsFor).toContain(`on-call was to be told of desk at ${since}.`);
  });
});

describe('declared consumers', () => {
  /** A declaration of its own per test. */
  const newConsumer = () => ConsumerName.parse(`consumer-${(count += 1)}`);
  const put = (name: string, body: object, method = 'PUT', key?: string) =>
    fetch(`${running.url}/v1/consumers/${name}`, {
      method,
      headers: {
        ...(method === 'PUT' ? { 'content-type': 'application/json' } : {}),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(method === 'PUT' ? { body: JSON.stringify(body) } : {}),
    }).then(async (response) => ({
      status: response.status,
      body: (await response.json()) as Record<string, unknown>,
    }));
  const known = async () => {
    const of = newAccount();
    await tell(
      registryEvent(1, { event: 'account-declared', settings: { ...settings, account: of.account } }),
    );
    await until(async () => (await fetch(`${running.url}/v1/accounts/${of.name}`)).ok);
    return of;
  };
  const said = (consumer: string) =>
    registry.filter(({ what }) =>
      what.event === 'consumer-declared'
        ? what.declaration.consumer === consumer
        : what.event === 'consumer-withdrawn' && what.consumer === consumer,
    );

  it('are said to the notifier, audited, shown, and taken back', async () => {
    const of = await known();
    const name = newConsumer();
    const asked = {
      by: 'ana',
      owner: 'desk team',
      accounts: [of.name],
      minimumInstances: 2,
      escalate: { afterSeconds: 60, to: 'on-call' },
    };
    expect(await put(name, asked)).toMatchObject({
      status: 200,
      body: {
        consumer: name,
        declared: { source: 'api', by: 'ana', accounts: [of.name], minimumInstances: 2 },
      },
    });
    await until(() => said(name).length > 0);
    expect(said(name)).toMatchObject([
      {
        what: {
          event: 'consumer-declared',
          source: 'api',
          by: 'ana',
          declaration: { accounts: [of.account], channel: { kind: 'instances' } },
        },
      },
    ]);
    expect((await get('/v1/consumers', answers.ConsumerList)).consumers).toContainEqual(
      expect.objectContaining({ consumer: name }),
    );
    await get(`/v1/consumers/${name}`, answers.ConsumerSummary);
    const { commands: audit } = await get('/v1/commands', answers.CommandList);
    expect(audit).toContainEqual(
      expect.objectContaining({ command: 'declare-consumer', consumer: name, by: 'ana' }),
    );

    expect(await put(`${name}?by=ana&reason=gone`, {}, 'DELETE')).toMatchObject({ status: 200 });
    await until(() => said(name).length > 1);
    expect(said(name)[1]).toMatchObject({ what: { event: 'consumer-withdrawn', reason: 'gone' } });
    expect(said(name)[1]?.version).toBeGreaterThan(said(name)[0]?.version ?? 0);
    expect((await fetch(`${running.url}/v1/consumers/${name}`)).status).toBe(404);
    expect(await put(name, {}, 'DELETE')).toMatchObject({ status: 404, body: { code: 'consumer-unknown' } });
  });

  it('are declared and taken back once under an idempotency key, however often that is asked', async () => {
    const name = newConsumer();
    const keys = { declare: `declare-${name}`, withdraw: `withdraw-${name}` };
    const declare = () => put(name, { owner: 'desk team' }, 'PUT', keys.declare);
    const withdraw = () => put(`${name}?reason=gone`, {}, 'DELETE', keys.withdraw);
    const [first, ...again] = await Promise.all([declare(), declare(), declare()]);
    expect(first).toMatchObject({ status: 200, body: { consumer: name, declared: { owner: 'desk team' } } });
    for (const one of again) expect(one).toEqual(first);
    const gone = await withdraw();
    expect(gone).toEqual({ status: 200, body: { consumer: name } });
    expect(await withdraw()).toEqual(gone);
    expect(await declare()).toEqual(first);
    expect((await fetch(`${running.url}/v1/consumers/${name}`)).status).toBe(404);
    const { commands: audit } = await get('/v1/commands', answers.CommandList);
    expect(audit.filter(({ consumer }) => consumer === name).map(({ command }) => command)).toEqual([
      'withdraw-consumer',
      'declare-consumer',
    ]);

    const others = [
      put(name, { owner: 'another team' }, 'PUT', keys.declare),
      put(newConsumer(), { owner: 'desk team' }, 'PUT', keys.declare),
      put(name, {}, 'DELETE', keys.withdraw),
    ];
    for (const other of await Promise.all(others)) {
      expect(other).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
    }
    expect(await put(name, { owner: 'x' }, 'PUT', 'x'.repeat(201))).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining('Idempotency-Key') },
    });
  });

  it('that the file declares are not changed over the API', async () => {
    const name = newConsumer();
    await tell(
      registryEvent(1, {
        event: 'consumer-declared',
        source: 'file',
        declaration: {
          consumer: name,
          owner: 'a team',
          accounts: [],
          minimumInstances: 1,
          channel: { kind: 'instances' },
        },
        problems: ['"speach" is no account under care'],
      }),
    );
    await until(async () => (await fetch(`${running.url}/v1/consumers/${name}`)).ok);
    expect(await get(`/v1/consumers/${name}`, answers.ConsumerSummary)).toMatchObject({
      declared: { source: 'file', problems: ['"speach" is no account under care'] },
    });
    for (const method of ['PUT', 'DELETE'])
      expect(await put(name, { owner: 'me' }, method)).toMatchObject({
        status: 409,
        body: { code: 'declared-in-file' },
      });
  });

  it('are refused by field and rule, with an account that nobody knows, or with the subscription of another', async () => {
    const channel = { kind: 'subscription', name: `keys-${newConsumer()}` };
    expect(await put(newConsumer(), { owner: '', minimumInstances: -1 })).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(/owner: .*minimumInstances: /) },
    });
    expect(await put(newConsumer(), { owner: 'x', accounts: ['nowhere'] })).toMatchObject({
      status: 404,
      body: { code: 'account-unknown' },
    });
    expect(await put(newConsumer(), { owner: 'x', channel })).toMatchObject({ status: 200 });
    expect(await put(newConsumer(), { owner: 'x', channel })).toMatchObject({
      status: 409,
      body: { code: 'subscription-taken' },
    });
  });

  it('are said again to a notifier that lives, for it may have lost them', async () => {
    const name = newConsumer();
    await put(name, { owner: 'x' });
    await until(() => said(name).length === 1);
    const later = new Date(Date.now() + 600_000).toISOString();
    const alive = { event: 'service-alive', service: 'notifier', startedAt: later } as const;
    const message = registryEvent(1, alive);
    await tell({ ...message, id: `alive-${name}`, data: { ...message.data, at: later } });
    await until(() => said(name).length > 1);
    expect(said(name)[1]?.what).toEqual(said(name)[0]?.what);
    expect(said(name)[1]?.version).toBeGreaterThan(said(name)[0]?.version ?? 0);
  });

  it('must be quiet before their account is said to need no keys', async () => {
    const of = await known();
    const path = `/v1/accounts/${of.name}/keyless`;
    expect(await get(path, answers.KeylessView)).toMatchObject({ verdict: 'unknown', toldAt: null });
    const quiet = new Date(Date.now() - 7_200_000).toISOString();
    const toldNow = registryEvent(3, {
      event: 'use-told',
      account: of.account,
      consumers: [
        {
          consumer: newConsumer(),
          live: 1,
          lapsed: 0,
          silent: 0,
          used: { key: 7, token: 0, entra: 1, bare: false },
          shownAt: quiet,
          quietSince: quiet,
          lastSeenAt: quiet,
        },
      ],
    });
    await tell({ ...toldNow, data: { ...toldNow.data, at: new Date().toISOString() } });
    await until(async () => (await get(path, answers.KeylessView)).toldAt !== null);
    expect(await get(path, answers.KeylessView)).toMatchObject({ verdict: 'unsafe', quietSeconds: 86_400 });
    expect(await get(`${path}?quietSeconds=3600`, answers.KeylessView)).toMatchObject({
      verdict: 'safe',
      consumers: [{ verdict: 'safe', used: { key: 7, entra: 1 } }],
    });
  });
});

describe('replaying what is not halted', () => {
  it('is answered at once', async () => {
    const [open, done] = [newAccount(), newAccount()];
    await told(open, upToWaiting);
    await told(done, wholeRotation);
    await known(open.rotation, 'waiting');
    await known(done.rotation, 'completed');
    expect(await ask(`/v1/rotations/${open.rotation}/replay`)).toMatchObject({
      status: 409,
      body: { code: 'rotation-running' },
    });
    expect(await ask(`/v1/rotations/${done.rotation}/replay`)).toMatchObject({
      status: 409,
      body: { code: 'rotation-completed' },
    });
    expect(await ask('/v1/rotations/r-ffffffffffff/replay')).toMatchObject({
      status: 404,
      body: { code: 'rotation-unknown' },
    });
  });
});

/** Reads a stream until it has said so many events. */
async function stream(path: string, many: number, headers: Record<string, string> = {}) {
  const leave = new AbortController();
  const response = await fetch(running.url + path, { headers, signal: leave.signal });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const ids: string[] = [];
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    ids.splice(0, ids.length, ...[...text.matchAll(/^id: (\d+)$/gm)].map(([, id = '']) => id));
    if (ids.length >= many) break;
  }
  leave.abort();
  return { ids, events: [...text.matchAll(/^event: (.+)$/gm)].map(([, event = '']) => event) };
}

describe('a stream of events', () => {
  it('says what happens as it happens, and resumes where it broke off', async () => {
    const of = newAccount();
    await told(of, upToWaiting);
    await known(of.rotation, 'waiting');
    const path = `/v1/rotations/${of.rotation}/events?watch`;
    const first = await stream(path, 3);
    expect(first.events).toEqual(['requested', 'step-started', 'waiting']);

    const rest = stream(path, 2, { 'last-event-id': first.ids[1] ?? '' });
    await told(of, [halted], 4);
    expect((await rest).events).toEqual(['waiting', 'halted']);
  });

  it('can be had as pages', async () => {
    const of = newAccount();
    await told(of, upToWaiting);
    await known(of.rotation, 'waiting');
    const path = `/v1/rotations/${of.rotation}/events`;
    const page = await get(`${path}?limit=2`, answers.EventList);
    expect(page.events).toHaveLength(2);
    const next = await get(`${path}?after=${page.after}`, answers.EventList);
    expect(next.events.map(({ event }) => event)).toEqual(['waiting']);
    const all = await get('/v1/events?limit=1000', answers.EventList);
    expect(all.events.map(({ position }) => position)).toEqual(all.events.map((_, index) => index + 1));
  });
});

describe('a message that nobody could read', () => {
  it('is listed among the dead letters and can be replayed', async () => {
    await bus.send('rotation-events', [{ id: 'nonsense', body: { nonsense: true } }]);
    const dead = await until(async () => {
      const { deadLetters } = await get('/v1/dead-letters', answers.DeadLetterList);
      return deadLetters.find(({ id }) => id === 'nonsense');
    }, SLOW);
    expect(dead).toMatchObject({ entity: 'rotation-events/console', type: null });
    expect(dead.reason).not.toBeNull();

    const path = '/v1/dead-letters/replay';
    const which = { by: 'ana', entity: dead.entity, sequenceNumbers: [dead.sequenceNumber] };
    const first = await ask(path, which, 'replay-once');
    expect(first).toMatchObject({ status: 200, body: { messages: [{ outcome: 'replayed' }] } });
    expect(await ask(path, which, 'replay-once')).toEqual(first);
    expect(await ask(path, { ...which, by: 'ben' }, 'replay-once')).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    });
    expect(await ask(path, { entity: 'nowhere', all: true })).toMatchObject({
      status: 404,
      body: { code: 'entity-unknown' },
    });
    const { commands: audit } = await get('/v1/commands', answers.CommandList);
    expect(audit.find(({ command }) => command === 'replay-dead-letters')).toMatchObject({ by: 'ana' });
  });
});

describe('a request that breaks a rule', () => {
  it('is answered with a problem that names the field', async () => {
    const response = await fetch(`${running.url}/v1/rotations?state=broken`);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(answers.Problem.parse(await response.json())).toMatchObject({
      status: 400,
      code: 'invalid-request',
      detail: expect.stringContaining('state'),
    });
  });
});

describe('the OpenAPI document', () => {
  it('is served', async () => {
    const served: unknown = await (await fetch(`${running.url}/openapi.json`)).json();
    expect(served).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
  });
});
