import type { IncomingLink, Received } from '../amqp/link.js';
import { accepted, rejected } from '../amqp/performatives.js';
import { DecodeError } from '../amqp/reader.js';
import { asRefused, invalidArgument, messageTooLarge, notImplemented, Refused } from '../errors.js';
import type { Message } from '../state/message.js';
import type { AttemptHost } from './attempt.js';
import { readHead, readIncoming } from './incoming.js';
import type { Replies, Reply } from './replies.js';

const REQUEST_CREDIT = 100;
const MAX_REQUEST_BYTES = 1_048_576;

export interface RequestsHost extends AttemptHost {
  defect(message: string, error: unknown): void;
}

export interface RequestWork {
  readonly operation: 'manage' | 'authenticate';
  /** The path of the entity that a request is about. */
  readonly target: (request: Message) => string;
  /** The answer; throws `Refused`. */
  readonly carryOut: (request: Message) => Promise<Reply>;
}

/** A link on which requests come. */
export function acceptRequests(
  link: IncomingLink,
  replies: Replies,
  host: RequestsHost,
  work: RequestWork,
): void {
  const refuse = (request: Message, error: unknown): void => {
    const { status, description, condition } = asRefused(decoded(error));
    if (!(error instanceof Refused || error instanceof DecodeError)) host.defect('A request failed', error);
    replies.send(request, { status, description, condition }, link);
  };
  link.onMessage = (received) => {
    const request = requestOf(received);
    if (request instanceof Refused) {
      turnAway(link, received, request);
      return;
    }
    if (!received.settled) link.settle(received.deliveryId, accepted);
    if (received.state?.kind === 'transactional')
      refuse(request, notImplemented('a management request within a transaction'));
    else if (received.tooLarge) refuse(request, messageTooLarge(MAX_REQUEST_BYTES));
    else attempt(request);
  };
  const attempt = (request: Message): void => {
    host.attempt({
      operation: work.operation,
      target: work.target(request),
      run: (answer) => {
        work.carryOut(request).then(
          (reply) => {
            answer(() => {
              replies.send(request, reply, link);
            });
          },
          (error: unknown) => {
            answer(() => {
              refuse(request, error);
            });
          },
        );
      },
      refuse: (error) => {
        refuse(request, error);
      },
      detach: (error) => {
        link.refuse(error);
      },
      cut: () => {
        link.session.connection.drop();
      },
    });
  };
  link.accept({ credit: REQUEST_CREDIT, maxMessageSize: MAX_REQUEST_BYTES });
}

/** Of a request that was too large only its head: enough to answer it. */
function requestOf({ payload, tooLarge }: Received): Message | Refused {
  if (tooLarge) return readHead(payload) ?? messageTooLarge(MAX_REQUEST_BYTES);
  try {
    return readIncoming(payload);
  } catch (error) {
    if (error instanceof DecodeError) return new Refused('amqp:decode-error', error.message, 400);
    throw error;
  }
}

/** What cannot be read cannot be answered; whoever does not wait for an outcome loses the link instead. */
function turnAway(link: IncomingLink, { settled, deliveryId }: Received, error: Refused): void {
  if (settled) link.refuse(error);
  else link.settle(deliveryId, rejected(error));
}

function decoded(error: unknown): unknown {
  return error instanceof DecodeError ? invalidArgument(error.message) : error;
}
