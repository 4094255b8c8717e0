import type { IncomingLink, Received } from '../amqp/link.js';
import { accepted, rejected, within } from '../amqp/performatives.js';
import type { Put } from '../amqp/put.js';
import { DecodeError } from '../amqp/reader.js';
import type { Broker, Entity } from '../state/broker.js';
import { asRefused, entityNotFound, invalidArgument, messageTooLarge, type Refused } from '../errors.js';
import type { AttemptHost } from './attempt.js';
import { readTransferred } from './incoming.js';
import { storeOf } from './request.js';
import { checkEnabled, checkMessages, MAX_MESSAGE_BYTES } from './sendable.js';
import type { Part, Transactions } from './transactions.js';

const SEND_CREDIT = 1000;

export interface SendingHost extends AttemptHost {
  readonly broker: Broker;
  now(): number;
  /** Calls back when everything that was stored so far survives a crash. */
  whenDurable(then: () => void): void;
}

/** A link on which a client sends to a queue or topic. */
export function acceptSender(
  link: IncomingLink,
  entity: Entity,
  host: SendingHost,
  transactions: Transactions,
): void {
  const target = storeOf({ entity }).path;
  link.onMessage = (received) => {
    const refuse = (error: Refused): void => {
      if (!received.settled) link.settle(received.deliveryId, rejected(error));
    };
    host.attempt({
      operation: 'send',
      target,
      refuse,
      run: (answer) => {
        let outcome = accepted;
        try {
          outcome = take(received, entity, host, transactions);
        } catch (error) {
          const refused = error instanceof DecodeError ? invalidArgument(error.message) : asRefused(error);
          answer(() => {
            refuse(refused);
          });
          return;
        }
        host.whenDurable(() => {
          answer(() => {
            if (!received.settled) link.settle(received.deliveryId, outcome);
          });
        });
      },
      detach: (error) => {
        link.refuse(error);
      },
      cut: () => {
        link.session.connection.drop();
      },
    });
  };
  link.accept({ credit: SEND_CREDIT, maxMessageSize: MAX_MESSAGE_BYTES });
}

/** Stores what was sent, or keeps it until its transaction ends; the outcome. Throws `Refused`. */
function take(received: Received, entity: Entity, host: SendingHost, transactions: Transactions): Put {
  if (received.tooLarge) throw messageTooLarge(MAX_MESSAGE_BYTES);
  const messages = readTransferred(received.payload, received.format);
  const part: Part = {
    check: () => {
      const { path } = storeOf({ entity });
      if (host.broker.find(path) === undefined) throw entityNotFound(path);
      checkEnabled(entity, path);
      checkMessages(entity, messages);
    },
    apply: () => {
      host.broker.sendAll(entity, messages, host.now());
    },
  };
  if (received.state?.kind === 'transactional') {
    transactions.join(received.state.transaction, part);
    return within(received.state.transaction, accepted);
  }
  part.check();
  part.apply();
  return accepted;
}
