import { mkdtempSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import {
  createDefaultHttpClient,
  createEmptyPipeline,
  createPipelineRequest,
} from '@azure/core-rest-pipeline';
import { ClientSecretCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type AzureLocal, start, type Topology } from '@twinkey/azure-local';
import {
  AccountId,
  generation,
  HeartbeatRequest,
  KeyAcknowledged,
  KeyChanged,
  keyChangedTopic,
  readMessage,
  RegisterRequest,
  topology,
  emulatorConfig,
  writeMessage,
} from '@twinkey/contracts';
import { type Bus, connectBus } from '@twinkey/service-bus';
import { connect } from './connect.js';
import type { Twinkey } from './twinkey.js';

// Much is started and asked here; a machine that does other work besides needs time for it.
jest.setTimeout(30_000);

const INSTANCE = 'i-0123456789abcdef';
const TOPIC = keyChangedTopic(0);

let azure: AzureLocal;
let bus: Bus | undefined;
let account: AccountId;
let shelf: SecretClient;
let credential: ClientSecretCredential;
const open: { twinkey?: Twinkey } = {};

/** What an instance said to the notifier, which speaks the contracts over HTTP. */
let notifier: Server;
let dataPlane: Server;
let current = 0;
const registered: RegisterRequest[] = [];
const heartbeats: HeartbeatRequest[] = [];
const goodbyes: string[] = [];
const acknowledged: KeyAcknowledged[] = [];
let secretName = '';
let serial = 0;

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'consumer-')),
    fleet: [{ name: 'speech-prod' }],
    topology: emulatorConfig(topology({ shards: 1 })) as Topology,
  });
  account = AccountId.parse(
    `/subscriptions/${azure.subscriptionId}/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/speech-prod`,
  );
  const [found] = azure.applications;
  if (found === undefined) throw new Error('no application');
  const tlsOptions = { ca: azure.ca };
  credential = new ClientSecretCredential(found.tenantId, found.clientId, found.clientSecret, {
    authorityHost: azure.endpoints.origin,
    disableInstanceDiscovery: true,
    tlsOptions,
  });
  shelf = new SecretClient(azure.endpoints.vaults['local'] ?? '', credential, {
    disableChallengeResourceVerification: true,
    tlsOptions,
  });
  await shelf.listPropertiesOfSecrets().byPage({ maxPageSize: 1 }).next();
  const connection = connectBus({ connectionString: azure.endpoints.serviceBusConnectionString });
  bus = connection;
  await connection.subscriptions.ensure(TOPIC, INSTANCE);
  await connection.receive({ queue: KeyAcknowledged.entity }, {}, ({ body }) => {
    const read = readMessage(KeyAcknowledged, body);
    if (read.ok) acknowledged.push(read.message.data);
    return Promise.resolve({ settle: 'complete' });
  });
  notifier = await serve(answerInstance);
  dataPlane = await serve(judgeKey);
});

afterAll(async () => {
  await bus?.close();
  notifier.close();
  dataPlane.close();
  await azure.close();
});

beforeEach(() => {
  for (const list of [registered, heartbeats, goodbyes, acknowledged]) list.length = 0;
  serial += 1;
  secretName = `speech-prod-${serial}`;
});

afterEach(async () => {
  await open.twinkey?.close();
  delete open.twinkey;
});

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Server> {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function answerInstance(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  const accounts = [
    {
      account,
      name: 'speech-prod',
      generation: current,
      secret: { vaultUrl: shelf.vaultUrl, name: secretName },
    },
  ];
  const json = (status: number, value: object): void => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
  };
  if (request.method === 'DELETE') {
    goodbyes.push(request.url ?? '');
    response.writeHead(204).end();
  } else if (request.url === '/v1/instances') {
    const asked = RegisterRequest.parse(JSON.parse(body));
    registered.push(asked);
    if (!asked.accounts.includes('speech-prod')) {
      json(403, { code: 'account-not-allowed', detail: 'voice-bot may not use it' });
      return;
    }
    const subscriptions = asked.channel === 'service-bus' ? [{ topic: TOPIC, subscription: INSTANCE }] : [];
    json(201, {
      instance: INSTANCE,
      leaseSeconds: 1,
      heartbeatSeconds: 0.2,
      rereadSeconds: 2,
      accounts,
      subscriptions,
    });
  } else {
    heartbeats.push(HeartbeatRequest.parse(JSON.parse(body)));
    json(200, { leaseSeconds: 1, accounts });
  }
}

/** The emulated data plane's judgement over plain HTTP: this process's fetch does not know the emulator's authority. */
function judgeKey(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const key = String(request.headers['ocp-apim-subscription-key']);
  const isAccepted = azure.control.accounts.judge('speech-prod', key)?.accepted === true;
  response.writeHead(isAccepted ? 200 : 401).end();
  return Promise.resolve();
}

async function keys(act: 'listKeys' | 'regenerateKey' = 'listKeys', keyName?: 'Key1' | 'Key2') {
  const { token } = await credential.getToken('https://management.azure.com/.default');
  const answer = await azure.call(`${azure.endpoints.origin}${account}/${act}?api-version=2025-09-01`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: keyName === undefined ? {} : { keyName },
  });
  return answer.json() as { key1: string; key2: string };
}

async function publish(slot: 'key1' | 'key2', number: number): Promise<void> {
  await shelf.setSecret(secretName, (await keys())[slot], {
    tags: { 'twinkey-account': account, 'twinkey-generation': String(number), 'twinkey-slot': slot },
  });
}

async function announce(number: number): Promise<void> {
  const message = writeMessage(KeyChanged, {
    id: `changed-${secretName}-${number}`,
    source: 'twinkey/notifier',
    time: new Date(),
    data: {
      account,
      generation: generation(number),
      secret: { vaultUrl: shelf.vaultUrl, name: secretName },
      publishedAt: new Date().toISOString(),
    },
  });
  await bus?.send(TOPIC, [{ id: message.id, body: message }]);
}

async function until(holds: () => boolean): Promise<void> {
  for (const giveUpAt = Date.now() + 8_000; !holds();) {
    if (Date.now() > giveUpAt) throw new Error(`waited in vain for ${holds.toString()}`);
    await wait(10);
  }
}

async function connected(more: Partial<Parameters<typeof connect>[0]> = {}): Promise<Twinkey> {
  const env = { TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK: 'true' };
  open.twinkey = await connect(
    {
      consumer: 'voice-bot',
      accounts: ['speech-prod'],
      notifierUrl: urlOf(notifier),
      serviceBus: { connectionString: azure.endpoints.serviceBusConnectionString },
      credential,
      clientOptions: { tlsOptions: { ca: azure.ca } },
      startWithinSeconds: 5,
      ...more,
    },
    env,
  );
  return open.twinkey;
}

describe('an application that connects', () => {
  it('gets the published key, is announced the next one, and acknowledges both', async () => {
    current = 1;
    await publish('key1', 1);
    const twinkey = await connected();
    const { credential: held } = twinkey.account('speech-prod');
    const { key1, key2 } = await keys();
    expect(held.key).toBe(key1);
    await until(() => acknowledged.length === 1);

    await publish('key2', 2);
    await announce(2);
    await until(() => acknowledged.length === 2);
    expect(held.key).toBe(key2);
    expect(twinkey.account(account).generation).toBe(2);
    expect(acknowledged).toMatchObject([
      { account, consumer: 'voice-bot', instance: INSTANCE, generation: 1, boot: registered[0]?.boot },
      { generation: 2, drainedAt: expect.any(String) },
    ]);
  });

  it('says goodbye when it leaves', async () => {
    current = 1;
    await publish('key1', 1);
    const twinkey = await connected();
    await twinkey.close();
    expect(goodbyes).toEqual([`/v1/instances/${INSTANCE}`]);
  });

  it('is told why when it is turned away', async () => {
    await expect(connected({ accounts: ['somebody-elses'] })).rejects.toMatchObject({
      name: 'PermanentFault',
      code: 'account-not-allowed',
      message: expect.stringContaining('voice-bot may not use it'),
    });
    expect(registered).toHaveLength(1);
  });

  it('may give up waiting for a first publication, and says goodbye then', async () => {
    current = 0;
    const giveUp = new AbortController();
    const connecting = connected({ signal: giveUp.signal });
    await until(() => heartbeats.length > 0);
    giveUp.abort();
    await expect(connecting).rejects.toMatchObject({ name: 'Interrupted' });
    expect(goodbyes).toHaveLength(1);
  });

  it('works without Service Bus: heartbeats tell it, and tell of it', async () => {
    current = 1;
    await publish('key1', 1);
    const twinkey = await connected({ serviceBus: false });
    await publish('key2', 2);
    current = 2;
    await until(() => heartbeats.at(-1)?.accounts[0]?.generation === 2);
    expect(twinkey.account('speech-prod').generation).toBe(2);
    expect(acknowledged).toEqual([]);
  });
});

describe('calls while the key that they use dies unannounced', () => {
  it.each(['fetch', 'policy'] as const)('go through %s without their caller noticing', async (way) => {
    current = 1;
    await publish('key1', 1);
    const twinkey = await connected();
    const refused: boolean[] = [];
    twinkey.on('refused', ({ healed }) => refused.push(healed));
    const { fetch: call, policy } = twinkey.account('speech-prod');
    const pipeline = createEmptyPipeline();
    pipeline.addPolicy(policy, { afterPhase: 'Sign' });
    const url = urlOf(dataPlane);
    const send = {
      fetch: () => call(url),
      policy: () =>
        pipeline.sendRequest(
          createDefaultHttpClient(),
          createPipelineRequest({ url, allowInsecureConnection: true }),
        ),
    }[way];
    expect((await send()).status).toBe(200);

    await publish('key2', 2);
    await keys('regenerateKey', 'Key1');
    expect((await send()).status).toBe(200);
    expect(refused).toEqual([true]);
  });
});

describe('an instance whose notifier is gone', () => {
  it('finds the next key by itself and hears nothing of its heartbeats', async () => {
    current = 1;
    await publish('key1', 1);
    const away = await serve(answerInstance);
    const twinkey = await connected({ notifierUrl: urlOf(away), serviceBus: false });
    const lapsed: string[] = [];
    twinkey.on('lapsed', ({ reason }) => lapsed.push(reason));
    away.close();
    away.closeAllConnections();
    await until(() => lapsed.length === 1);
    await publish('key2', 2);
    await until(() => twinkey.account('speech-prod').generation === 2);
    expect(lapsed).toHaveLength(1);
  });
});
