import { ServiceBusClient, type ServiceBusReceivedMessage } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startServiceBus, type ServiceBusServer } from './server.js';

let server: ServiceBusServer;
let client: ServiceBusClient;
let now = 0;

const unrenewed = { maxAutoLockRenewalDurationInMs: 0 };
const soon = { maxWaitTimeInMs: 2000 };

beforeEach(async () => {
  now = Date.now();
  server = await startServiceBus({
    allowAnySas: true,
    clock: () => now,
    topology: {
      UserConfig: {
        Namespaces: [
          { Queues: [{ Name: 'calls', Properties: { RequiresSession: true } }, { Name: 'plain' }] },
        ],
      },
    },
  });
  client = connect(3000);
});

afterEach(async () => {
  await client.close();
  await server.close();
});

function connect(timeoutInMs: number): ServiceBusClient {
  return new ServiceBusClient(
    `Endpoint=sb://127.0.0.1:${server.port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`,
    { retryOptions: { maxRetries: 0, timeoutInMs } },
  );
}

async function send(...messages: [sessionId: string, body: unknown][]): Promise<void> {
  await client.createSender('calls').sendMessages(messages.map(([sessionId, body]) => ({ sessionId, body })));
}

const bodies = (messages: ServiceBusReceivedMessage[]): unknown[] =>
  messages.map(({ body }) => body as unknown);

describe('a session', () => {
  it('has its own messages only, in their order', async () => {
    await send(['a', 1], ['b', 2], ['a', 3], ['b', 4], ['a', 5]);
    const a = await client.acceptSession('calls', 'a', unrenewed);
    expect(a.sessionId).toBe('a');
    expect(a.sessionLockedUntilUtc).toEqual(new Date(now + 60_000));
    const messages = await a.receiveMessages(5, soon);
    expect(bodies(messages)).toEqual([1, 3, 5]);
    for (const message of messages) await a.completeMessage(message);
    expect(server.stats().entities['calls']).toMatchObject({ active: 2 });
  });

  it('is held by one receiver at a time', async () => {
    await send(['a', 1]);
    const first = await client.acceptSession('calls', 'a', unrenewed);
    await expect(client.acceptSession('calls', 'a', unrenewed)).rejects.toMatchObject({
      code: 'SessionCannotBeLocked',
    });
    await first.close();
    const second = await client.acceptSession('calls', 'a', unrenewed);
    expect(bodies(await second.receiveMessages(1, soon))).toEqual([1]);
  });

  it('keeps its state until it is cleared', async () => {
    await send(['a', 1]);
    const session = await client.acceptSession('calls', 'a', unrenewed);
    expect(await session.getSessionState()).toBeNull();
    await session.setSessionState({ step: 3 });
    await session.close();
    const again = await client.acceptSession('calls', 'a', unrenewed);
    expect(await again.getSessionState()).toEqual({ step: 3 });
  });

  it('gives back what was not settled, uncounted when closed and counted when its lock ends', async () => {
    await send(['a', 1]);
    const closed = await client.acceptSession('calls', 'a', unrenewed);
    await closed.receiveMessages(1, soon);
    await closed.close();
    const expiring = await client.acceptSession('calls', 'a', unrenewed);
    expect(await expiring.receiveMessages(1, soon)).toMatchObject([{ deliveryCount: 0 }]);
    now += 60_001;
    server.tick();
    const after = await client.acceptSession('calls', 'a', unrenewed);
    expect(await after.receiveMessages(1, soon)).toMatchObject([{ deliveryCount: 1 }]);
  });

  it('is lost when its lock is not renewed', async () => {
    await send(['a', 1]);
    const session = await client.acceptSession('calls', 'a', unrenewed);
    const [message] = await session.receiveMessages(1, soon);
    now += 50_000;
    expect(await session.renewSessionLock()).toEqual(new Date(now + 60_000));
    now += 50_000;
    if (message === undefined) throw new Error('no message arrived');
    await session.renewSessionLock();
    now += 60_001;
    server.tick();
    // An outcome that crosses the detach on its way is never answered, by the real service either.
    while (!session.isClosed) await new Promise((resolve) => setImmediate(resolve));
    await expect(session.completeMessage(message)).rejects.toMatchObject({ code: 'SessionLockLost' });
  });

  it('defers and takes up again', async () => {
    await send(['a', 1]);
    const session = await client.acceptSession('calls', 'a', unrenewed);
    const [message] = await session.receiveMessages(1, soon);
    if (message?.sequenceNumber === undefined) throw new Error('no message arrived');
    await session.deferMessage(message);
    const [deferred] = await session.receiveDeferredMessages(message.sequenceNumber);
    if (deferred === undefined) throw new Error('no message arrived');
    expect(deferred).toMatchObject({ body: 1, state: 'deferred' });
    await session.completeMessage(deferred);
    expect(server.stats().entities['calls']).toMatchObject({ active: 0, deferred: 0 });
  });
});

describe('the next session', () => {
  it('is the one that has waited longest', async () => {
    await send(['b', 1], ['a', 2]);
    const first = await client.acceptNextSession('calls', unrenewed);
    const second = await client.acceptNextSession('calls', unrenewed);
    expect([first.sessionId, second.sessionId]).toEqual(['b', 'a']);
  });

  it('is waited for', async () => {
    const waiting = client.acceptNextSession('calls', unrenewed);
    await send(['late', 1]);
    const session = await waiting;
    expect(session.sessionId).toBe('late');
    expect(bodies(await session.receiveMessages(1, soon))).toEqual([1]);
  });

  it('is not waited for longer than the client wants', async () => {
    const impatient = connect(300);
    await expect(impatient.acceptNextSession('calls')).rejects.toMatchObject({ code: 'ServiceTimeout' });
    await impatient.close();
  });
});

describe('a queue with sessions', () => {
  it('takes no message without a session id, and no receiver without a session', async () => {
    await expect(client.createSender('calls').sendMessages({ body: 1 })).rejects.toThrow(
      'session id was not set',
    );
    const receiver = client.createReceiver('calls');
    await expect(receiver.receiveMessages(1, soon)).rejects.toThrow('non-sessionful receiver');
    // The client finds its own words for this.
    await expect(client.acceptSession('plain', 'a')).rejects.toThrow();
  });
});
