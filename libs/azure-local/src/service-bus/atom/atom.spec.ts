import { ServiceBusAdministrationClient, ServiceBusClient } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startServiceBus, type ServiceBusServer } from '../server.js';
import { parseXml, XmlError } from './xml.js';

let server: ServiceBusServer;
let admin: ServiceBusAdministrationClient;

beforeEach(async () => {
  server = await startServiceBus({ sas: [{ keyName: 'root', key: 'a2V5' }] });
  admin = administration('a2V5');
});

afterEach(async () => {
  await server.close();
});

/** The client insists on https; here it is plain. */
function administration(key: string): ServiceBusAdministrationClient {
  const client = new ServiceBusAdministrationClient(
    `Endpoint=sb://127.0.0.1:${server.port};SharedAccessKeyName=root;SharedAccessKey=${key};UseDevelopmentEmulator=true`,
  );
  const { pipeline } = client as unknown as {
    pipeline: {
      addPolicy(policy: { name: string; sendRequest(request: Request, next: Next): Promise<unknown> }): void;
    };
  };
  pipeline.addPolicy({
    name: 'plain',
    sendRequest: (request, next) => {
      request.url = request.url.replace(/^https:/, 'http:');
      request.allowInsecureConnection = true;
      return next(request);
    },
  });
  return client;
}

interface Request {
  url: string;
  allowInsecureConnection: boolean;
}
type Next = (request: Request) => Promise<unknown>;

async function names<T>(list: AsyncIterable<T>, name: (of: T) => string): Promise<string[]> {
  const found: string[] = [];
  for await (const each of list) found.push(name(each));
  return found;
}

describe('the management API', () => {
  it('creates, reads, changes and deletes a queue', async () => {
    const options = {
      lockDuration: 'PT30S',
      maxDeliveryCount: 4,
      requiresSession: true,
      defaultMessageTimeToLive: 'P7D',
      deadLetteringOnMessageExpiration: true,
      autoDeleteOnIdle: 'PT1H30M',
      userMetadata: '<mine> & "yours"',
    };
    expect(await admin.createQueue('area/orders', options)).toMatchObject({
      name: 'area/orders',
      ...options,
    });
    await expect(admin.createQueue('AREA/Orders')).rejects.toMatchObject({
      code: 'MessageEntityAlreadyExistsError',
    });
    const queue = await admin.getQueue('area/orders');
    expect(queue).toMatchObject(options);
    expect(await admin.updateQueue({ ...queue, maxDeliveryCount: 9 })).toMatchObject({ maxDeliveryCount: 9 });
    expect(await admin.getQueue('area/orders')).toMatchObject({ ...options, maxDeliveryCount: 9 });
    expect(await admin.queueExists('area/orders')).toBe(true);
    await admin.deleteQueue('area/orders');
    expect(await admin.queueExists('area/orders')).toBe(false);
    await expect(admin.getQueue('area/orders')).rejects.toMatchObject({ code: 'MessageEntityNotFoundError' });
    await expect(admin.deleteQueue('area/orders')).rejects.toMatchObject({
      code: 'MessageEntityNotFoundError',
    });
  });

  it('creates a topic with subscriptions and rules of every kind', async () => {
    await admin.createTopic('news', {
      requiresDuplicateDetection: true,
      duplicateDetectionHistoryTimeWindow: 'PT1M',
    });
    expect(await admin.getTopic('news')).toMatchObject({ duplicateDetectionHistoryTimeWindow: 'PT1M' });
    const filter = { subject: 'sport', applicationProperties: { n: 1, text: 'a', yes: true } };
    await admin.createSubscription('news', 'sport', { defaultRuleOptions: { name: 'only', filter } });
    expect(await admin.getRule('news', 'sport', 'only')).toMatchObject({ filter });
    await admin.createRule(
      'news',
      'sport',
      'red',
      { sqlExpression: 'color = @c AND size < 3', sqlParameters: { '@c': 'red' } },
      { sqlExpression: 'SET seen = TRUE' },
    );
    expect(await admin.getRule('news', 'sport', 'red')).toMatchObject({
      filter: { sqlExpression: 'color = @c AND size < 3', sqlParameters: { '@c': 'red' } },
      action: { sqlExpression: 'SET seen = TRUE' },
    });
    await expect(admin.createRule('news', 'sport', 'bad', { sqlExpression: 'a =' })).rejects.toThrow(
      'a value',
    );
    await admin.deleteRule('news', 'sport', 'only');
    expect(await names(admin.listRules('news', 'sport'), ({ name }) => name)).toEqual(['red']);
    await admin.createSubscription('news', 'all');
    expect((await admin.getRule('news', 'all', '$Default')).filter).toMatchObject({ sqlExpression: '1=1' });
    expect(await names(admin.listSubscriptions('news'), (s) => s.subscriptionName)).toEqual(['all', 'sport']);
    expect(await admin.getTopicRuntimeProperties('news')).toMatchObject({ subscriptionCount: 2 });
    expect(await admin.subscriptionExists('news', 'none')).toBe(false);
    await admin.deleteTopic('news');
    expect(await admin.topicExists('news')).toBe(false);
    expect(server.stats().entities).toEqual({});
  });

  it('lists in pages', async () => {
    for (let n = 100; n < 220; n++) await admin.createQueue(`q${n}`);
    expect(await names(admin.listQueues(), ({ name }) => name)).toHaveLength(120);
    const pages = [];
    for await (const page of admin.listQueues().byPage({ maxPageSize: 50 })) pages.push(page.length);
    expect(pages).toEqual([50, 50, 20]);
  });

  it('tells what the namespace is', async () => {
    expect(await admin.getNamespaceProperties()).toMatchObject({
      name: 'sbemulatorns',
      messagingSku: 'Standard',
    });
  });

  it('lets nobody in without the key', async () => {
    await expect(administration('b3RoZXI=').createQueue('q')).rejects.toMatchObject({ statusCode: 401 });
  });

  it('refuses what makes no sense, and says why', async () => {
    await expect(admin.createQueue('q', { lockDuration: 'PT6M' })).rejects.toThrow('at most five minutes');
    await expect(admin.createQueue('q', { lockDuration: 'soon' })).rejects.toThrow("'soon' of LockDuration");
    await expect(admin.createQueue('q', { forwardTo: 'nowhere' })).rejects.toThrow("'nowhere' to forward to");
    await expect(admin.createQueue('q!')).rejects.toThrow();
  });
});

describe('XML', () => {
  it('is read with attributes, entities and CDATA', () => {
    expect(
      parseXml(
        '<?xml version="1.0"?><!-- c --><a:x i:type="t&amp;u"><y>1 &lt; &#50;&#x33;</y><z/><![CDATA[<]]></a:x>',
      ),
    ).toEqual({
      name: 'x',
      attributes: { type: 't&u' },
      text: '<',
      children: [
        { name: 'y', attributes: {}, text: '1 < 23', children: [] },
        { name: 'z', attributes: {}, text: '', children: [] },
      ],
    });
  });

  it.each(['', '<a>', '<a></b>', '</a>', '<a', '<a>'.repeat(100), '<a b=c/>'])(
    'is refused when it is %s',
    (text) => {
      expect(() => parseXml(text)).toThrow(XmlError);
    },
  );
});

describe("the keys of an entity's own rules", () => {
  it('open that entity as far as they allow, and no other one', async () => {
    const rule = (keyName: string, accessRights: ('Send' | 'Listen' | 'Manage')[]) => ({
      claimType: 'SharedAccessKey',
      accessRights,
      keyName,
      primaryKey: 'b25l',
      secondaryKey: 'dHdv',
    });
    await admin.createQueue('orders', { authorizationRules: [rule('shop', ['Send'])] });
    await admin.createQueue('bills');
    const shop = new ServiceBusClient(
      `Endpoint=sb://127.0.0.1:${server.port};SharedAccessKeyName=shop;SharedAccessKey=dHdv;UseDevelopmentEmulator=true`,
      { retryOptions: { maxRetries: 0 } },
    );
    try {
      await shop.createSender('orders').sendMessages({ body: 'one' });
      await expect(shop.createReceiver('orders').receiveMessages(1)).rejects.toMatchObject({
        code: 'UnauthorizedAccess',
      });
      await expect(shop.createSender('bills').sendMessages({ body: 'two' })).rejects.toMatchObject({
        code: 'UnauthorizedAccess',
      });
    } finally {
      await shop.close();
    }
  });
});
