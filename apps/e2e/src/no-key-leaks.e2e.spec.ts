// Every key ever issued is looked for in everything that twinkey writes, sends and says. It is found nowhere; and
// what is planted in the same places is found in each of them, so that the search is worth something.
import { appendFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ServiceBusClient, type ServiceBusReceiver } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountIdOf, waitUntil, type RotationLine, type SampleAccount } from '@twinkey/dev';
import pg from 'pg';
import { AzureControl } from './azure-control.js';
import { twinkey } from './cli.js';
import { Fleet } from './fleet.js';
import { LeakHunt } from './leak-hunt.js';
import type { Channel } from './leak-search.js';

const account = (name: string, keyFormat: SampleAccount['keyFormat']): SampleAccount => ({
  name,
  kind: 'TextAnalytics',
  sku: 'S0',
  location: 'westeurope',
  resourceGroup: 'ai',
  keyFormat,
  policy: 'standard',
});
const accounts = [account('long-one', 'chars84'), account('long-two', 'chars84'), account('short', 'hex32')];
const names = accounts.map(({ name }) => name);
const consumers = [
  { consumer: 'reader', instances: 2, accounts: names },
  { consumer: 'writer', instances: 1, accounts: ['short'] },
];

let fleet: Fleet;
let hunt: LeakHunt;
let bus: ServiceBusClient;
const startedAt = Date.now();

beforeAll(async () => {
  fleet = await Fleet.start({
    accounts,
    consumers,
    env: { TWINKEY_LOG_LEVEL: 'debug' },
    beforeKeysChange: async (env) => {
      hunt = new LeakHunt(env);
      await rememberKeys(env);
    },
  });
  const { SERVICEBUS_CONNECTION_STRING: connection = '' } = parseEnv(
    readFileSync(join(fleet.folder, 'azure.env'), 'utf8'),
  );
  bus = new ServiceBusClient(connection);
});
afterAll(async () => {
  hunt.dismiss();
  await bus.close();
  await fleet.stop();
});

function rememberKeys(env: Readonly<Record<string, string>>): Promise<number> {
  return hunt.remember(accounts.map((each) => accountIdOf(each, env['AZURE_SUBSCRIPTION_ID'] ?? '')));
}

describe('keys after two rotations under load', () => {
  const decoy = `decoy${randomUUID().replaceAll('-', '')}`;
  let before: Readonly<Record<string, Channel>>;

  beforeAll(async () => {
    await fleet.allCompleted();
    await rememberKeys(fleet.stack.environment);
    const first = await fleet.rotations();
    for (const name of names) await fleet.client.rotate(name, 'once more');
    const isOver = (rotation: RotationLine | undefined, name: string) =>
      rotation?.id !== first[name]?.id && rotation?.state === 'completed';
    // Messages are gone as soon as they are handled: whoever wants to see them has to look all the time.
    const passing = new Set<string>();
    await waitUntil(
      'the second rotations completed',
      async () => {
        for (const text of await allMessages()) passing.add(text);
        const rotations = await fleet.rotations();
        return names.every((name) => isOver(rotations[name], name));
      },
      { withinMs: 60_000, everyMs: 0 },
    );
    const channels = await everyChannel();
    before = { ...channels, messages: { texts: [...passing] } };
  });

  it('are found nowhere: not in logs, tables, the journal of the broker, messages, answers or output', async () => {
    expect(await rememberKeys(fleet.stack.environment)).toBe(6 * accounts.length);
    const { searched, found } = await hunt.search(before);
    expect(found).toEqual([]);
    for (const [channel, bytes] of Object.entries(searched))
      expect({ channel, bytes, enough: bytes > 200 }).toMatchObject({ channel, enough: true });
    expect((await fleet.refused()).seenByAzure).toBe(0);
  });

  it('are the right values: the files of the embedded Azure hold them', async () => {
    const azure = ['accounts.jsonl', 'vault-local.jsonl'].map((file) => join(fleet.folder, 'azure', file));
    const { found } = await hunt.search({ azure: { files: azure } });
    for (const name of names)
      for (const slot of ['key1', 'key2']) expect(found).toContain(`azure: ${name}/${slot} as it is`);
  });

  it('would have been found in each of these places: what is planted there is', async () => {
    await hunt.rememberDecoy(decoy);
    await plant(decoy);
    const { found } = await hunt.search(await everyChannel());
    expect([...new Set(found)].sort()).toEqual(
      expect.arrayContaining(Object.keys(before).map((channel) => `${channel}: decoy as it is`)),
    );
    expect(found.filter((hit) => !hit.includes('decoy'))).toEqual([]);
  });

  it.each(['base64', 'base64url', 'hex', 'latin1'] as const)(
    'would have been found written as %s inside of something longer',
    async (encoding) => {
      await hunt.rememberDecoy(decoy);
      const texts = ['', 'k', 'ke'].map((prefix) => Buffer.from(`${prefix}${decoy}"}`).toString(encoding));
      for (const text of texts)
        expect((await hunt.search({ here: { texts: [text] } })).found).toHaveLength(1);
      const wrong = Buffer.from(randomUUID()).toString(encoding);
      expect((await hunt.search({ here: { texts: [wrong] } })).found).toEqual([]);
    },
  );
});

/** A person who pastes a key where a reason belongs, a sender that puts it into a message, a line in a log. */
async function plant(decoy: string): Promise<void> {
  const [name = ''] = names;
  await fleet.client.rotate(name, decoy);
  const sender = bus.createSender('switch-outcomes');
  await sender.sendMessages({ messageId: 'planted', body: { planted: decoy } });
  await sender.close();
  appendFileSync(join(fleet.folder, 'logs', 'rotator.log'), `${decoy}\n`);
  await fleet.until('the planted rotation completed', (rotations) => rotations[name]?.state === 'completed');
}

async function everyChannel(): Promise<Readonly<Record<string, Channel>>> {
  const { folder } = fleet;
  return {
    logs: { files: filesBelow(join(folder, 'logs')) },
    tables: { texts: await allRows() },
    // What was deleted and overwritten, too; files that are older than the stack are PostgreSQL's own.
    'files of the database': { files: filesBelow(join(folder, 'postgres')).filter(isOfNow) },
    'journal of the broker': { files: filesBelow(join(folder, 'azure', 'service-bus')) },
    messages: { texts: await allMessages() },
    'answers over HTTP': { texts: await allAnswers() },
    'output of the CLI': { texts: await allOutput() },
  };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const isOfNow = (file: string) => statSync(file).mtimeMs >= startedAt;

/** Every row of every table of every schema of ours, as text. */
async function allRows(): Promise<string[]> {
  const client = new pg.Client({ connectionString: fleet.stack.environment['DATABASE_URL'] });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
       where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
    );
    const rows: string[] = [];
    for (const { name } of tables.rows) {
      const dump = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
      rows.push(...dump.rows.map(({ row }) => row));
    }
    return rows;
  } finally {
    await client.end();
  }
}

/** Whatever lies in a queue or subscription now, dead letters included. */
async function allMessages(): Promise<string[]> {
  const places = (await entities()).flatMap((entity) =>
    ([{}, { subQueueType: 'deadLetter' }] as const).map((options) => {
      const [name = '', subscription] = entity.split('/Subscriptions/');
      return subscription === undefined
        ? bus.createReceiver(name, options)
        : bus.createReceiver(name, subscription, options);
    }),
  );
  return (await Promise.all(places.map(peekAll))).flat();
}

async function peekAll(receiver: ServiceBusReceiver): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const messages = await receiver.peekMessages(100);
    if (messages.length === 0) {
      await receiver.close();
      return texts;
    }
    for (const { body, applicationProperties, subject, messageId } of messages)
      texts.push(JSON.stringify({ body: body as unknown, applicationProperties, subject, messageId }));
  }
}

/** Queues, and subscriptions as `topic/Subscriptions/name`: those of consumer instances come and go. */
async function entities(): Promise<readonly string[]> {
  const { stack } = fleet;
  const control = new AzureControl(stack.azureOrigin, stack.environment['NODE_EXTRA_CA_CERTS'] ?? '');
  const { text } = await control.call('GET', '/_local/service-bus');
  return Object.keys((JSON.parse(text) as { entities: object }).entities);
}

async function allAnswers(): Promise<string[]> {
  const { stack } = fleet;
  const rotations = (await fleet.client.rotations()).map(({ id }) => id);
  const [console_, notifier, scheduler] = [
    stack.url('console'),
    stack.url('notifier'),
    stack.url('scheduler'),
  ];
  const urls = [
    ...['status', 'accounts', 'rotations', 'events?limit=1000', 'commands', 'dead-letters'].map(
      (path) => `${console_}/v1/${path}`,
    ),
    ...names.map((name) => `${console_}/v1/accounts/${name}`),
    ...rotations.flatMap((id) => [`${console_}/v1/rotations/${id}`, `${console_}/v1/rotations/${id}/events`]),
    `${notifier}/v1/consumers`,
    ...names.map((name) => `${notifier}/v1/accounts/${name}/switch`),
    `${scheduler}/v1/accounts`,
    ...[console_, notifier, scheduler, stack.url('rotator')].map((url) => `${url}/health/ready`),
  ];
  return Promise.all([...urls.map(async (url) => textOf(await fetch(url))), registration(notifier)]);
}

/** What a new instance hears. It reports nothing and says goodbye at once, so that nobody waits for it. */
async function registration(notifier: string): Promise<string> {
  const boot = randomUUID();
  const headers = { 'content-type': 'application/json' };
  const body = { consumer: 'reader', name: 'spy', boot, accounts: names, channel: 'heartbeat' };
  const text = await textOf(
    await fetch(`${notifier}/v1/instances`, { method: 'POST', headers, body: JSON.stringify(body) }),
  );
  const { instance } = JSON.parse(text) as { instance: string };
  const goodbye = await fetch(`${notifier}/v1/instances/${instance}`, { method: 'DELETE' });
  return text + (await textOf(goodbye));
}

async function textOf(answer: Response): Promise<string> {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}: ${text}`);
  return text;
}

async function allOutput(): Promise<string[]> {
  const url = fleet.stack.url('console');
  const newest = Object.values(await fleet.rotations()).map((rotation) => rotation?.id ?? '');
  const commands = [
    ['status'],
    ['accounts', 'list', '-o', 'json'],
    ...names.map((name) => ['accounts', 'show', name]),
    ['rotations', 'list', '-o', 'json'],
    ...newest.map((id) => ['rotations', 'show', id]),
    ['dlq', 'list', '-o', 'json'],
  ];
  const runs = await Promise.all(commands.map((command) => twinkey(url, ...command)));
  expect(runs.map(({ code }) => code)).toEqual(commands.map(() => 0));
  return runs.flatMap(({ stdout, stderr }) => [stdout, stderr]);
}
