import { ServiceBusAdministrationClient, ServiceBusClient } from '@azure/service-bus';
import type { Topology } from '../service-bus/state/topology.js';

/**
 * What there is for the conversations, and for those made of their pieces. Messages expire soon: otherwise the ones
 * that thousands of conversations leave behind are all delivered to the next one that asks for them.
 */
export const busTopology: Topology = {
  UserConfig: {
    Namespaces: [
      {
        Queues: [
          { Name: 'plain', Properties: { DefaultMessageTimeToLive: 'PT20S' } },
          { Name: 'sessions', Properties: { DefaultMessageTimeToLive: 'PT20S', RequiresSession: true } },
        ],
        Topics: [{ Name: 'news', Subscriptions: [{ Name: 'all' }] }],
      },
    ],
  },
};

const connection = (port: number) =>
  `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`;
const unrenewed = { maxAutoLockRenewalDurationInMs: 0 };
const soon = { maxWaitTimeInMs: 5000 };

/** Clients that do a little of everything: what they say is what the malformed conversations are made of. */
export async function converse(port: number): Promise<void> {
  for (const part of [send, settle, peekAndRenew, holdSession, rule]) {
    const client = new ServiceBusClient(connection(port), {
      retryOptions: { maxRetries: 0, timeoutInMs: 10_000 },
    });
    await part(client);
    await client.close();
  }
}

async function send(client: ServiceBusClient): Promise<void> {
  const sender = client.createSender('plain');
  await sender.sendMessages({
    body: { a: [1, 'two', null] },
    applicationProperties: { n: 1, t: 'x', d: new Date(0), b: true, f: 1.5 },
    timeToLive: 60_000,
    messageId: 'one',
    correlationId: 'c',
  });
  await sender.sendMessages([1, 2, 3, 4].map((body) => ({ body })));
  await sender.sendMessages({ body: Buffer.alloc(70_000, 7) });
  const numbers = await sender.scheduleMessages({ body: 'later' }, new Date(Date.now() + 3_600_000));
  await sender.cancelScheduledMessages(numbers);
}

async function settle(client: ServiceBusClient): Promise<void> {
  const receiver = client.createReceiver('plain', unrenewed);
  const [one, two, three, four] = await receiver.receiveMessages(4, soon);
  if (one === undefined || two === undefined || three === undefined || four === undefined)
    throw new Error('Messages that were sent did not come.');
  await receiver.completeMessage(one);
  await receiver.abandonMessage(two, { why: 'x' });
  await receiver.deferMessage(three);
  await receiver.deadLetterMessage(four, { deadLetterReason: 'why', deadLetterErrorDescription: 'so' });
  if (three.sequenceNumber !== undefined) await receiver.receiveDeferredMessages(three.sequenceNumber);
}

async function peekAndRenew(client: ServiceBusClient): Promise<void> {
  const receiver = client.createReceiver('plain', unrenewed);
  const [again] = await receiver.receiveMessages(1, soon);
  if (again !== undefined) await receiver.renewMessageLock(again);
  await receiver.peekMessages(3);
}

async function holdSession(client: ServiceBusClient): Promise<void> {
  await client.createSender('sessions').sendMessages({ sessionId: 's', body: 1 });
  const session = await client.acceptSession('sessions', 's', unrenewed);
  await session.setSessionState({ a: 1 });
  await session.getSessionState();
  await session.renewSessionLock();
}

async function rule(client: ServiceBusClient): Promise<void> {
  const rules = client.createRuleManager('news', 'all');
  await rules.createRule(
    'r',
    { subject: 'x', applicationProperties: { a: 1 } },
    { sqlExpression: 'SET a = 2' },
  );
  for await (const { name } of rules.listRules()) if (name === 'r') await rules.deleteRule('r');
}

/** Sends one message and gets it back: the server serves. */
export async function serves(port: number, queue = 'good'): Promise<void> {
  const client = new ServiceBusClient(connection(port), {
    retryOptions: { maxRetries: 0, timeoutInMs: 10_000 },
  });
  try {
    const body = `still here ${Date.now()}`;
    await client.createSender(queue).sendMessages({ body });
    const receiver = client.createReceiver(queue, { receiveMode: 'receiveAndDelete' });
    const [message] = await receiver.receiveMessages(1, soon);
    if (message?.body !== body) throw new Error('The server lost a message of a good client.');
  } finally {
    await client.close();
  }
}

interface Sent {
  url: string;
  body?: unknown;
  allowInsecureConnection?: boolean;
}

/** A client that makes one entity of each kind; the documents that it sent and got. */
export async function administer(port: number): Promise<readonly string[]> {
  const documents: string[] = [];
  const client = new ServiceBusAdministrationClient(connection(port));
  const { pipeline } = client as unknown as {
    pipeline: {
      addPolicy(policy: {
        name: string;
        sendRequest(
          request: Sent,
          next: (request: Sent) => Promise<{ bodyAsText?: string | null }>,
        ): Promise<unknown>;
      }): void;
    };
  };
  pipeline.addPolicy({
    name: 'overhear',
    sendRequest: async (request, next) => {
      request.url = request.url.replace(/^https:/, 'http:'); // this client insists on https; here it is plain
      request.allowInsecureConnection = true;
      const response = await next(request);
      documents.push(
        ...([request.body, response.bodyAsText].filter(
          (text) => typeof text === 'string' && text !== '',
        ) as string[]),
      );
      return response;
    },
  });
  await client.createQueue('made', { lockDuration: 'PT10S', userMetadata: '<&>"' });
  await client.createTopic('made-topic');
  await client.createSubscription('made-topic', 's');
  await client.createRule('made-topic', 's', 'r', {
    subject: 'x',
    applicationProperties: { a: 1, b: 'two' },
  });
  await client.getQueueRuntimeProperties('made');
  await client.deleteTopic('made-topic');
  await client.deleteQueue('made');
  return documents;
}
