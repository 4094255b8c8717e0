// Everywhere that twinkey writes, sends or says something: where a key would be if it leaked.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ServiceBusClient, ServiceBusReceiver } from '@azure/service-bus';
import { SERVICES } from '@twinkey/dev';
import pg from 'pg';
import { AzureControl } from './azure-control.js';
import { twinkey } from './cli.js';
import type { Fleet } from './fleet.js';
import type { Channel } from './leak-search.js';
import type { WebhookEnd } from './leak-webhook.js';

export interface Surroundings {
  readonly fleet: Fleet;
  readonly bus: ServiceBusClient;
  /** Who may register for the fleet's accounts. */
  readonly consumer: string;
  readonly startedAt: number;
  /** A declared consumer that is told by webhook. */
  readonly webhook: WebhookEnd;
}

/** Its labels are words of ours and names of accounts: nobody's text gets there, so nothing can be planted in it. */
export const METRICS = 'metrics';

export async function everyChannel(around: Surroundings): Promise<Readonly<Record<string, Channel>>> {
  const { folder } = around.fleet;
  const isOfNow = (file: string) => statSync(file).mtimeMs >= around.startedAt;
  return {
    logs: { files: filesBelow(join(folder, 'logs')) },
    tables: { texts: await allRows(around) },
    // What was deleted and overwritten, too; files that are older than the stack are PostgreSQL's own.
    'files of the database': { files: filesBelow(join(folder, 'postgres')).filter(isOfNow) },
    'journal of the broker': { files: filesBelow(join(folder, 'azure', 'service-bus')) },
    messages: { texts: await allMessages(around) },
    'answers over HTTP': { texts: await allAnswers(around) },
    'output of the CLI': { texts: await allOutput(around) },
    webhooks: { texts: around.webhook.requests },
    [METRICS]: { texts: await allMetrics(around) },
  };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Every row of every table of every schema of ours, as text. */
async function allRows({ fleet }: Surroundings): Promise<string[]> {
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
export async function allMessages({ fleet, bus }: Surroundings): Promise<string[]> {
  const places = (await entities(fleet)).flatMap((entity) =>
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
async function entities({ stack }: Fleet): Promise<readonly string[]> {
  const control = new AzureControl(stack.azureOrigin, stack.environment['NODE_EXTRA_CA_CERTS'] ?? '');
  const { text } = await control.call('GET', '/_local/service-bus');
  return Object.keys((JSON.parse(text) as { entities: object }).entities);
}

async function allAnswers({ fleet, consumer }: Surroundings): Promise<string[]> {
  const { stack, accounts } = fleet;
  const names = accounts.map(({ name }) => name);
  const rotations = (await fleet.client.rotations()).map(({ id }) => id);
  const [console_, notifier, scheduler] = [
    stack.url('console'),
    stack.url('notifier'),
    stack.url('scheduler'),
  ];
  const urls = [
    ...['status', 'accounts', 'rotations', 'events?limit=1000', 'commands', 'dead-letters', 'consumers'].map(
      (path) => `${console_}/v1/${path}`,
    ),
    `${console_}/v1/consumers/${consumer}`,
    ...names.flatMap((name) => ['', '/keyless'].map((path) => `${console_}/v1/accounts/${name}${path}`)),
    ...rotations.flatMap((id) => [`${console_}/v1/rotations/${id}`, `${console_}/v1/rotations/${id}/events`]),
    `${notifier}/v1/consumers`,
    `${notifier}/v1/webhooks`,
    ...names.map((name) => `${notifier}/v1/accounts/${name}/switch`),
    `${scheduler}/v1/accounts`,
    ...[console_, notifier, scheduler, stack.url('rotator')].map((url) => `${url}/health/ready`),
  ];
  return Promise.all([
    ...urls.map(async (url) => textOf(await fetch(url))),
    registration(notifier, consumer, names),
  ]);
}

/** What a new instance hears. It reports nothing and says goodbye at once, so that nobody waits for it. */
async function registration(notifier: string, consumer: string, names: readonly string[]): Promise<string> {
  const boot = randomUUID();
  const headers = { 'content-type': 'application/json' };
  const body = { consumer, name: 'spy', boot, accounts: names, channel: 'heartbeat' };
  const text = await textOf(
    await fetch(`${notifier}/v1/instances`, { method: 'POST', headers, body: JSON.stringify(body) }),
  );
  const { instance } = JSON.parse(text) as { instance: string };
  const goodbye = await fetch(`${notifier}/v1/instances/${instance}`, { method: 'DELETE' });
  return text + (await textOf(goodbye));
}

/** Of every service, on the port that it says it listens on. */
function allMetrics({ fleet }: Surroundings): Promise<string[]> {
  return Promise.all(
    SERVICES.map(async (service) => {
      const lines = readFileSync(join(fleet.folder, 'logs', `${service}.log`), 'utf8').split('\n');
      const listening = lines.findLast((line) => line.includes('"msg":"Listening"')) ?? '{}';
      const { metricsUrl = '' } = JSON.parse(listening) as { metricsUrl?: string };
      return textOf(await fetch(`${metricsUrl}/metrics`));
    }),
  );
}

async function textOf(answer: Response): Promise<string> {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}: ${text}`);
  return text;
}

async function allOutput({ fleet }: Surroundings): Promise<string[]> {
  const url = fleet.stack.url('console');
  const newest = Object.values(await fleet.rotations()).map((rotation) => rotation?.id ?? '');
  const commands = [
    ['status'],
    ['accounts', 'list', '-o', 'json'],
    ...fleet.accounts.map(({ name }) => ['accounts', 'show', name]),
    ['rotations', 'list', '-o', 'json'],
    ...newest.map((id) => ['rotations', 'show', id]),
    ['dlq', 'list', '-o', 'json'],
  ];
  const runs = await Promise.all(commands.map((command) => twinkey(url, ...command)));
  const failed = runs.find(({ code }) => code !== 0);
  if (failed !== undefined) throw new Error(failed.stderr);
  return runs.flatMap(({ stdout, stderr }) => [stdout, stderr]);
}
