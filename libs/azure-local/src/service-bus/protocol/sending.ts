import type { IncomingLink, Received } from '../amqp/link.js';
import { accepted, rejected } from '../amqp/performatives.js';
import { DecodeError } from '../amqp/reader.js';
import type { Broker, Entity } from '../state/broker.js';
import { asRefused, invalidArgument, messageTooLarge, type Refused } from '../errors.js';
import type { AttemptHost } from './attempt.js';
import { readTransferred } from './incoming.js';
import { storeOf } from './request.js';
import { checkEnabled, checkMessages, MAX_MESSAGE_BYTES } from './sendable.js';

const SEND_CREDIT = 1000;

export interface SendingHost extends AttemptHost {
  readonly broker: Broker;
  now(): number;
  /** Calls back when everything that was stored so far survives a crash. */
  whenDurable(then: () => void): void;
}

/** A link on which a client sends to a queue or topic. */
export function acceptSender(link: IncomingLink, entity: Entity, host: SendingHost): void {
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
        try {
          store(received, entity, host);
        } catch (error) {
          const refused = error instanceof DecodeError ? invalidArgument(error.message) : asRefused(error);
          answer(() => {
            refuse(refused);
          });
          return;
        }
        host.whenDurable(() => {
          answer(() => {
            if (!received.settled) link.settle(received.deliveryId, accepted);
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

function store(received: Received, entity: Entity, host: SendingHost): void {
  checkEnabled(entity, storeOf({ entity }).path);
  if (received.tooLarge) throw messageTooLarge(MAX_MESSAGE_BYTES);
  const messages = readTransferred(received.payload, received.format);
  checkMessages(entity, messages);
  host.broker.sendAll(entity, messages, host.now());
}
