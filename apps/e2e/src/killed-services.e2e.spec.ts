// A service dies at the moments that are hardest to survive, and comes back: nobody notices, and nothing is done twice.
// (`npm run check:crashes` goes through every moment.)
// And after all of that, every key ever issued is looked for in everything that twinkey wrote, sent and said. It is
// found nowhere; what is planted in the same places is found in each of them, so that the search is worth something.
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountIdOf, SAMPLE_POLICIES, waitUntil, type SampleAccount, type Service } from '@twinkey/dev';
import { twinkey } from './cli.js';
import { OrderedDeaths } from './crashes/ordered-deaths.js';
import { Fleet } from './fleet.js';
import { allMessages, everyChannel, METRICS, type Surroundings } from './leak-channels.js';
import { LeakHunt } from './leak-hunt.js';
import type { Channel } from './leak-search.js';
import { WebhookEnd } from './leak-webhook.js';

const account = (name: string, keyFormat: SampleAccount['keyFormat']): SampleAccount => ({
  name,
  kind: 'SpeechServices',
  sku: 'S0',
  location: 'westeurope',
  resourceGroup: 'ai',
  keyFormat,
  policy: 'standard',
});
const accounts = [
  account('speech-weu', 'chars84'),
  account('speech-neu', 'chars84'),
  account('speech-sea', 'hex32'),
];
const names = accounts.map(({ name }) => name);
const consumers = [
  { consumer: 'voice-bot', instances: 2, accounts: names },
  { consumer: 'archive', instances: 1, accounts: names.slice(0, 2) },
];
const moments: readonly (readonly [Service, string])[] = [
  ['rotator', 'arm:regenerateKey:sent'],
  ['notifier', 'bus:settle:before'],
  ['scheduler', 'db:commit:after'],
];

let fleet: Fleet;
let hunt: LeakHunt;
let bus: ServiceBusClient;
let deaths: OrderedDeaths;
let around: Surroundings;
let webhook: WebhookEnd;
/** Messages are gone as soon as they are handled: whoever wants to see them has to look all the time. */
const passing = new Set<string>();

beforeAll(async () => {
  const startedAt = Date.now();
  deaths = new OrderedDeaths(mkdtempSync(join(tmpdir(), 'twinkey-deaths-')));
  webhook = await WebhookEnd.start();
  fleet = await Fleet.start({
    accounts,
    consumers,
    policies: SAMPLE_POLICIES,
    program: 'dist',
    env: { ...deaths.environment, ...webhook.environment, TWINKEY_LOG_LEVEL: 'debug' },
    beforeKeysChange: async (env) => {
      hunt = new LeakHunt(env);
      await rememberKeys(env);
      await hunt.rememberValue('secret of the webhook', webhook.secret);
    },
  });
  const { SERVICEBUS_CONNECTION_STRING: connection = '' } = parseEnv(
    readFileSync(join(fleet.folder, 'azure.env'), 'utf8'),
  );
  bus = new ServiceBusClient(connection);
  around = { fleet, bus, consumer: 'voice-bot', startedAt, webhook };
  await fleet.allCompleted();
  await rememberKeys(fleet.stack.environment);
});
afterAll(async () => {
  hunt.dismiss();
  await bus.close();
  await fleet.stop();
  await webhook.stop();
  rmSync(deaths.folder, { recursive: true, force: true });
});

function rememberKeys(env: Readonly<Record<string, string>>): Promise<number> {
  return hunt.remember(accounts.map((each) => accountIdOf(each, env['AZURE_SUBSCRIPTION_ID'] ?? '')));
}

describe.each(moments)('when the %s is killed at %s in the middle of a rotation', (service, moment) => {
  it('and started again, every rotation completes, each key is replaced once and no call is refused', async () => {
    const before = await fleet.rotations();
    const order = deaths.order(service, moment);
    for (const name of names) await fleet.client.rotate(name, `${service} dies`);
    const isNew = (name: string, id: string | undefined) => id !== undefined && id !== before[name]?.id;
    await waitUntil(
      'all of them completed',
      async () => {
        for (const text of await allMessages(around)) passing.add(text);
        const rotations = await fleet.rotations();
        return names.every(
          (name) => isNew(name, rotations[name]?.id) && rotations[name]?.state === 'completed',
        );
      },
      { withinMs: 120_000, everyMs: 200 },
    );
    expect(deaths.diedAt(service, order)).toBe(moment);
    await fleet.stack.ready([service]);
    const after = await fleet.rotations();
    expect(names.map((name) => after[name]?.keysReplaced)).toEqual(names.map(() => 2));
    const { calls, seenByCallers, seenByAzure } = await fleet.refused();
    expect(calls).toBeGreaterThan(100);
    expect({ seenByCallers, seenByAzure }).toEqual({ seenByCallers: 0, seenByAzure: 0 });
    expect(await fleet.findings()).toEqual([]);
    await rememberKeys(fleet.stack.environment);
  });
});

describe('a consumer that is told by webhook', () => {
  it('is declared at the console, and the notifier can reach it', async () => {
    await webhook.declare(fleet.stack.url('console'), names[0] ?? '');
    await waitUntil('something was sent to it', () => isReached('/keys'), { withinMs: 30_000, everyMs: 500 });
  });
});

/** A request to this path has come; one is asked for as often as that is looked at. */
async function isReached(path: string): Promise<boolean> {
  await webhook.test(fleet.stack.url('notifier'));
  return webhook.requests.some((request) => request.startsWith(`POST ${path}`));
}

describe('the commands that the README shows', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const commands = [...readme.matchAll(/^npx twinkey (.+)$/gm)].map(([, words = '']) => words);

  it.each(commands)('twinkey %s', async (words) => {
    expect(await twinkey(fleet.stack.url('console'), ...words.split(' '))).toMatchObject({ code: 0 });
  });
});

describe('after all of that', () => {
  it('every key that existed at the beginning is dead', async () => {
    expect(await fleet.witness.check()).toEqual({ keys: 2 * accounts.length, stillAccepted: [] });
  });
});

describe('the keys of all these rotations', () => {
  const decoy = `decoy${randomUUID().replaceAll('-', '')}`;
  let channels: Readonly<Record<string, Channel>>;

  beforeAll(async () => {
    channels = { ...(await everyChannel(around)), messages: { texts: [...passing] } };
  });

  it('are found nowhere: not in logs, tables, the journal of the broker, messages, answers, output, webhooks or metrics', async () => {
    // Two at the beginning, two of the first rotation, two for each death, and those of the commands just run.
    const generations = 2 + moments.length;
    expect(await rememberKeys(fleet.stack.environment)).toBeGreaterThanOrEqual(
      2 * generations * accounts.length,
    );
    // Not only a test: the consumer that is told by webhook was told of keys by then.
    expect(webhook.requests.filter((request) => request.includes('"generation"'))).not.toEqual([]);
    const { searched, found } = await hunt.search(channels);
    expect(found).toEqual([]);
    for (const [channel, bytes] of Object.entries(searched))
      expect({ channel, bytes, enough: bytes > 200 }).toMatchObject({ channel, enough: true });
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
    const { found } = await hunt.search(await everyChannel(around));
    expect([...new Set(found)].sort()).toEqual(
      expect.arrayContaining(
        Object.keys(channels)
          .filter((channel) => channel !== METRICS)
          .map((channel) => `${channel}: decoy as it is`),
      ),
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

/** A person who pastes a key where a reason or an address belongs, a sender that puts it into a message, a line in a log. */
async function plant(decoy: string): Promise<void> {
  const [name = ''] = names;
  await webhook.declare(fleet.stack.url('console'), name, `/${decoy}`);
  const before = (await fleet.rotation(name))?.id;
  await fleet.client.rotate(name, decoy);
  const sender = bus.createSender('switch-outcomes');
  await sender.sendMessages({ messageId: 'planted', body: { planted: decoy } });
  await sender.close();
  appendFileSync(join(fleet.folder, 'logs', 'rotator.log'), `${decoy}\n`);
  await fleet.until(
    'the planted rotation completed',
    (rotations) => rotations[name]?.id !== before && rotations[name]?.state === 'completed',
  );
  await waitUntil('a webhook went there', () => isReached(`/${decoy}`), { withinMs: 30_000, everyMs: 500 });
}
