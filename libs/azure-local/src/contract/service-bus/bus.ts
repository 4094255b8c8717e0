import type {
  CreateQueueOptions,
  ServiceBusAdministrationClient,
  ServiceBusClient,
  ServiceBusReceivedMessage,
  ServiceBusReceiver,
} from '@azure/service-bus';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { contract, uniqueName } from '../contract.js';
import type { BusTarget, Target } from '../target.js';

/** Locks are renewed by the promise, if at all: the SDK's own renewal follows the machine's clock. */
export const unrenewed = { maxAutoLockRenewalDurationInMs: 0 };

/** Long enough for a message that is there. */
export const soon = { maxWaitTimeInMs: 5000 };

/** Short enough to find that there is none. */
export const briefly = { maxWaitTimeInMs: 300 };

/** The shortest lock that Azure grants. */
export const lockMs = 5000;

/** A namespace with what one suite makes in it. */
export interface Bus {
  readonly client: ServiceBusClient;
  readonly administration: ServiceBusAdministrationClient;
  readonly target: BusTarget;
  pass(ms: number): Promise<void>;
  now(): number;
  /** Makes a queue with locks of {@link lockMs}, and deletes it after the test. */
  queue(options?: CreateQueueOptions): Promise<string>;
  /** Makes a topic with subscriptions, and deletes it after the test. */
  topic(...subscriptions: string[]): Promise<string>;
  /** Deletes it after the test, whoever makes it. */
  forget(kind: 'queue' | 'topic', name: string): void;
}

/** Promises of Service Bus; the namespace and its client are those of the suite. */
export function busContract(title: string, promises: (bus: () => Bus) => void): void {
  contract(
    `Service Bus: ${title}`,
    ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET', 'AZURE_SERVICE_BUS_NAMESPACE'],
    (target) => {
      let bus: Bus | undefined;
      const made: { kind: 'queue' | 'topic'; name: string }[] = [];
      beforeAll(() => {
        bus = openBus(target(), made);
      });
      afterEach(async () => {
        for (const { kind, name } of made.splice(0)) {
          const { administration } = bus ?? openBus(target(), made);
          // What a test has deleted itself is gone already.
          await (
            kind === 'queue' ? administration.deleteQueue(name) : administration.deleteTopic(name)
          ).catch(() => undefined);
        }
      });
      afterAll(() => bus?.client.close());
      promises(() => {
        if (bus === undefined) throw new Error('The namespace is there once a test runs, not before.');
        return bus;
      });
    },
  );
}

function openBus(target: Target, made: { kind: 'queue' | 'topic'; name: string }[]): Bus {
  const bus = target.bus();
  const administration = bus.administration();
  const forget: Bus['forget'] = (kind, name) => {
    made.push({ kind, name });
  };
  return {
    client: bus.client(),
    administration,
    target: bus,
    pass: (ms) => target.pass(ms),
    now: () => target.now(),
    forget,
    queue: async (options = {}) => {
      const name = uniqueName('queue');
      forget('queue', name);
      await administration.createQueue(name, { lockDuration: 'PT5S', ...options });
      return name;
    },
    topic: async (...subscriptions) => {
      const name = uniqueName('topic');
      forget('topic', name);
      await administration.createTopic(name);
      for (const subscription of subscriptions) {
        await administration.createSubscription(name, subscription, { lockDuration: 'PT5S' });
      }
      return name;
    },
  };
}

/** The next message; fails when none comes. */
export async function next(receiver: ServiceBusReceiver): Promise<ServiceBusReceivedMessage> {
  const [message] = await receiver.receiveMessages(1, soon);
  if (message === undefined) throw new Error('A message should have come, and none did.');
  return message;
}

/** As many messages as asked for, in as many calls as that takes. */
export async function take(
  receiver: ServiceBusReceiver,
  count: number,
): Promise<ServiceBusReceivedMessage[]> {
  const taken: ServiceBusReceivedMessage[] = [];
  while (taken.length < count) {
    const more = await receiver.receiveMessages(count - taken.length, soon);
    if (more.length === 0) throw new Error(`${count} messages should have come; ${taken.length} did.`);
    taken.push(...more);
  }
  return taken;
}

/** The number by which a message is peeked, deferred and cancelled. */
export function numberOf({
  sequenceNumber,
}: ServiceBusReceivedMessage): NonNullable<ServiceBusReceivedMessage['sequenceNumber']> {
  if (sequenceNumber === undefined) throw new Error('The message has no sequence number.');
  return sequenceNumber;
}

export const bodies = (messages: readonly ServiceBusReceivedMessage[]): unknown[] =>
  messages.map(({ body }) => body as unknown);
