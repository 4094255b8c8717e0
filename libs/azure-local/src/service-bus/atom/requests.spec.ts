import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { brokerAlone, messageWith } from '../../testing/broker-alone.js';
import { atomHandler } from './atom.js';

let server: Server;
let alone: ReturnType<typeof brokerAlone>;
let now = 0;

beforeEach(async () => {
  now = Date.UTC(2030, 0, 1);
  alone = brokerAlone();
  server = createServer(
    atomHandler({
      broker: alone.broker,
      namespace: 'spec',
      verify: () => Promise.resolve({ expiresAt: Infinity }),
      now: () => now,
      whenDurable: (then) => {
        then();
      },
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.close();
  await once(server, 'close');
});

interface Asked {
  readonly body?: string;
  readonly update?: boolean;
  readonly host?: string;
}

async function ask(method: string, path: string, o: Asked = {}): Promise<{ status: number; text: string }> {
  const { port } = server.address() as AddressInfo;
  const request = httpRequest({
    ...{ port, method, path, host: '127.0.0.1', agent: false },
    headers: {
      authorization: 'any',
      ...(o.update === true && { 'if-match': '*' }),
      ...(o.host !== undefined && { host: o.host }),
    },
  });
  request.end(o.body);
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
  return { status: response.statusCode ?? 0, text };
}

const entry = (inner: string) =>
  `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">${inner}</content></entry>`;
const queue = (inner = '') => entry(`<QueueDescription>${inner}</QueueDescription>`);
const topic = (inner = '') => entry(`<TopicDescription>${inner}</TopicDescription>`);
const subscription = (inner = '') => entry(`<SubscriptionDescription>${inner}</SubscriptionDescription>`);

describe('a request that makes no sense', () => {
  it.each([
    ['/%E0%A4%A', {}, 'malformed'],
    ['/q', { host: 'a b' }, 'malformed'],
    ['/$Resources/queues?$skip=-1', {}, "'-1' of $skip"],
    ['/$Resources/queues?$top=many', {}, "'many' of $top"],
  ])('to %s %j is refused', async (path, o, reason) => {
    const { status, text } = await ask('GET', path, o);
    expect([status, text]).toEqual([400, expect.stringContaining(reason)]);
  });
});

describe('an entity', () => {
  it('is a queue or a topic by its description, whatever the prefix', async () => {
    const prefixed = (kind: string) =>
      `<ns0:entry xmlns:ns0="http://www.w3.org/2005/Atom" xmlns:ns1="urn:x"><ns0:content><ns1:${kind}><ns1:UserMetadata>&lt;TopicDescription</ns1:UserMetadata></ns1:${kind}></ns0:content></ns0:entry>`;
    expect(await ask('PUT', '/t', { body: prefixed('TopicDescription') })).toMatchObject({ status: 201 });
    expect(await ask('PUT', '/q', { body: prefixed('QueueDescription') })).toMatchObject({ status: 201 });
    expect([alone.broker.find('t')?.kind, alone.broker.find('q')?.kind]).toEqual(['topic', 'queue']);
    const { status, text } = await ask('PUT', '/q', { body: topic(), update: true });
    expect([status, text]).toEqual([400, expect.stringContaining('cannot become a topic')]);
  });

  it('loses by an update what the update does not name, and keeps the rest', async () => {
    await ask('PUT', '/target', { body: queue() });
    const settings =
      '<LockDuration>PT30S</LockDuration><ForwardTo>target</ForwardTo><ForwardDeadLetteredMessagesTo>target</ForwardDeadLetteredMessagesTo><UserMetadata>note</UserMetadata>';
    await ask('PUT', '/q', { body: queue(settings) });
    await ask('PUT', '/t', { body: topic('<UserMetadata>note</UserMetadata>') });
    await ask('PUT', '/t/Subscriptions/s', { body: subscription(settings) });
    now += 5000;
    for (const [path, body] of [
      ['/q', queue('<ForwardTo/>')],
      ['/t/Subscriptions/s', subscription()],
      ['/t', topic()],
    ] as const) {
      const { status, text } = await ask('PUT', path, { body, update: true });
      expect(status).toBe(200);
      for (const tag of ['ForwardTo', 'ForwardDeadLetteredMessagesTo', 'UserMetadata'])
        expect(text).not.toContain(`<${tag}>`);
      if (path !== '/t') expect(text).toContain('<LockDuration>PT30S<');
      expect(text).toContain('<CreatedAt>2030-01-01T00:00:00.000Z<');
      expect(text).toContain('<UpdatedAt>2030-01-01T00:00:05.000Z<');
    }
  });

  it.each([
    ['/q', queue('<RequiresSession>true</RequiresSession>')],
    ['/q', queue('<RequiresDuplicateDetection>true</RequiresDuplicateDetection>')],
    ['/q', queue('<EnablePartitioning>true</EnablePartitioning>')],
    ['/t', topic('<RequiresDuplicateDetection>true</RequiresDuplicateDetection>')],
    ['/t', topic('<EnablePartitioning>true</EnablePartitioning>')],
  ])('%s keeps what is settled at its creation: %s', async (path, body) => {
    await ask('PUT', path, { body: path === '/q' ? queue() : topic() });
    expect(await ask('PUT', path, { body, update: true })).toMatchObject({ status: 400 });
  });

  it('has dead letters that are no entity', async () => {
    await ask('PUT', '/q', { body: queue() });
    for (const path of ['/q/$DeadLetterQueue', '/q/$Transfer/$DeadLetterQueue'])
      for (const method of ['GET', 'PUT', 'DELETE'])
        expect(await ask(method, path, method === 'PUT' ? { body: queue() } : {})).toMatchObject({
          status: 404,
        });
  });

  it('counts its size and what forwarding left', async () => {
    await ask('PUT', '/q', { body: queue('<ForwardTo>nowhere</ForwardTo>') });
    alone.broker.createQueue('q', { forwardTo: 'nowhere' }, now);
    const message = messageWith('m', { bytes: 1000 });
    alone.send('q', message, now);
    alone.at('q/$transfer/$deadletterqueue').put(message, { now });
    const { text } = await ask('GET', '/q');
    for (const [name, value] of [
      ['d2p1:ActiveMessageCount', 0],
      ['d2p1:TransferMessageCount', 1],
      ['d2p1:TransferDeadLetterMessageCount', 1],
      ['SizeInBytes', 2 * message.size],
      ['MessageCount', 2],
    ] as const)
      expect(text).toContain(`<${name}>${value}</${name}>`);
  });

  it('has keys of its own, which are given back and can be replaced', async () => {
    const rules = (key: string) =>
      `<AuthorizationRules><AuthorizationRule i:type="SharedAccessAuthorizationRule"><ClaimType>SharedAccessKey</ClaimType><ClaimValue>None</ClaimValue><Rights><AccessRights>Send</AccessRights></Rights><KeyName>sender</KeyName><PrimaryKey>${key}</PrimaryKey></AuthorizationRule></AuthorizationRules>`;
    await ask('PUT', '/q', { body: queue(rules('one')) });
    const { text } = await ask('GET', '/q');
    expect(text).toMatch(/<AccessRights>Send<.*<KeyName>sender<.*<PrimaryKey>one<.*<SecondaryKey>[^<]{40,}</);
    expect(alone.broker.keysOf('q/$DeadLetterQueue')).toMatchObject([
      { keyName: 'sender', key: 'one', rights: ['Send'], entity: 'q' },
      { keyName: 'sender', rights: ['Send'], entity: 'q' },
    ]);
    await ask('PUT', '/q', { body: queue(rules('two')), update: true });
    expect(alone.broker.keysOf('q')[0]).toMatchObject({ key: 'two' });
    await ask('PUT', '/q', { body: queue(), update: true });
    expect(alone.broker.keysOf('q')).toHaveLength(2);
    await ask('PUT', '/q', { body: queue('<AuthorizationRules/>'), update: true });
    expect(alone.broker.keysOf('q')).toEqual([]);
    const wrong = await ask('PUT', '/z', { body: queue(rules('x').replace('>Send<', '>Fly<')) });
    expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining("'Fly'")]);
  });
});

describe('a rule', () => {
  it('gives numbers back as what they came as', async () => {
    await ask('PUT', '/t', { body: topic() });
    await ask('PUT', '/t/Subscriptions/s', { body: subscription() });
    const pair = (key: string, type: string, value: string) =>
      `<KeyValueOfstringanyType><Key>${key}</Key><Value p4:type="l28:${type}">${value}</Value></KeyValueOfstringanyType>`;
    const body = entry(
      `<RuleDescription><Filter i:type="CorrelationFilter"><Properties>${pair('l', 'long', '5')}${pair('b', 'double', '5000000000')}${pair('i', 'int', '7')}</Properties></Filter></RuleDescription>`,
    );
    expect(await ask('PUT', '/t/Subscriptions/s/Rules/r', { body })).toMatchObject({ status: 201 });
    const { text } = await ask('GET', '/t/Subscriptions/s/Rules/r');
    expect([...text.matchAll(/d6p1:(\w+)" xmlns[^>]*>(\d+)</g)].map(([, ...found]) => found)).toEqual([
      ['long', '5'],
      ['double', '5000000000'],
      ['int', '7'],
    ]);
  });

  it('has a name of at most 50 characters', async () => {
    await ask('PUT', '/t', { body: topic() });
    await ask('PUT', '/t/Subscriptions/s', { body: subscription() });
    const body = entry('<RuleDescription><Filter i:type="TrueFilter"/></RuleDescription>');
    const put = (name: string) => ask('PUT', `/t/Subscriptions/s/Rules/${name}`, { body });
    expect(await put('r'.repeat(50))).toMatchObject({ status: 201 });
    expect(await put('r'.repeat(51))).toMatchObject({ status: 400 });
  });
});

describe('the namespace', () => {
  it('was created once', async () => {
    const first = await ask('GET', '/$namespaceinfo');
    now += 10_000;
    expect(await ask('GET', '/$namespaceinfo')).toEqual(first);
  });
});
