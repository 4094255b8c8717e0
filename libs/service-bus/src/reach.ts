// Whether an identity can do what it has to with an entity, found out by what leaves everything as it was.
import type { TokenCredential } from '@azure/core-auth';
import type { EntitySource } from './bus.js';
import { open, type BusSettings } from './connection.js';
import { createReceiver, nameOf } from './entity.js';
import { toFault } from './faults.js';

/** Nobody waits for a connection that comes back: one more attempt is for a link that was lost by chance. */
const RETRY = { maxRetries: 1, timeoutInMs: 10_000 } as const;

/**
 * What can be done with the entities of a namespace. Each method resolves when it can; otherwise it rejects with
 * PermanentFault `bus-unauthorized`, `bus-entity-missing` …, or with a TransientFault.
 */
export interface Reach {
  /** Looks at the head of the queue or subscription; locks nothing, takes nothing. */
  receive(source: EntitySource): Promise<void>;
  /** Opens a link for sending, and sends nothing. */
  send(entity: string): Promise<void>;
  /** Asks for a subscription of the topic that is not there: the answer shows whether one may manage them. */
  subscriptions(topic: string): Promise<void>;
  close(): Promise<void>;
}

const NOBODYS = 'nobody-has-this-subscription';

/** Opens nothing yet. Throws a PermanentFault `bus-settings-invalid` for settings that cannot work. */
export function reachOf(settings: BusSettings, credential?: TokenCredential): Reach {
  const { client, administration } = open(settings, credential, RETRY);

  const saying = async (where: string, ask: () => Promise<unknown>): Promise<void> => {
    try {
      await ask();
    } catch (error) {
      throw toFault(error, where);
    }
  };

  return {
    receive: (source) =>
      saying(nameOf(source), async () => {
        const receiver = createReceiver(client, source, { receiveMode: 'peekLock' });
        try {
          await receiver.peekMessages(1);
        } finally {
          await receiver.close();
        }
      }),
    send: (entity) =>
      saying(entity, async () => {
        const sender = client.createSender(entity);
        try {
          await sender.createMessageBatch(); // has to ask the broker how large a message may be
        } finally {
          await sender.close();
        }
      }),
    subscriptions: (topic) =>
      saying(topic, async () => {
        try {
          // Not `subscriptionExists`: it answers a refusal as it answers that there is none.
          await administration().getSubscription(topic, NOBODYS);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }),
    close: () => client.close(),
  };
}

function isNotFound(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null)?.code === 'MessageEntityNotFoundError';
}
