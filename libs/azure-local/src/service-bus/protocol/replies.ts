import type { OutgoingLink } from '../amqp/link.js';
import { int, string, stringMap, type Put, encoded } from '../amqp/put.js';
import { Writer } from '../amqp/writer.js';
import type { Message } from '../state/message.js';

export interface Reply {
  readonly status: number;
  readonly description: string;
  readonly condition?: string;
  readonly body?: Put;
}

interface Outbox {
  readonly link: OutgoingLink;
  readonly waiting: Buffer[];
}

const NO_TAG = Buffer.from([0]);

/**
 * The links on which one connection hears answers to its requests. A request names its reply link by the link's
 * name or by its target address: the `$cbs` link of the JavaScript SDK has an empty target.
 */
export class Replies {
  private readonly outboxes = new Map<string, Outbox>();

  add(link: OutgoingLink): void {
    const outbox: Outbox = { link, waiting: [] };
    const names = new Set([link.asked.name, link.asked.targetAddress ?? '']);
    names.delete('');
    for (const name of names) this.outboxes.set(name, outbox);
    link.onCredit = () => {
      push(outbox);
      link.drained();
    };
    link.onDetach = () => {
      for (const name of names) if (this.outboxes.get(name) === outbox) this.outboxes.delete(name);
    };
    link.accept();
  }

  /** Answers a request; one without a place to answer to gets none. */
  send(request: Message, reply: Reply): void {
    const to = request.property('replyTo');
    const outbox = typeof to === 'string' ? this.outboxes.get(to) : undefined;
    if (outbox === undefined) return;
    outbox.waiting.push(encode(request, reply));
    push(outbox);
  }
}

function push({ link, waiting }: Outbox): void {
  while (link.ready) {
    const next = waiting.shift();
    if (next === undefined) return;
    link.send({ tag: NO_TAG, body: [next], settled: true, token: undefined });
  }
}

function encode(request: Message, reply: Reply): Buffer {
  const to = new Writer(512);
  const correlation = request.encodedProperty('messageId');
  to.describedBy(0x73);
  const properties = to.open(0xd0);
  for (let n = 0; n < 5; n++) to.null();
  if (correlation === undefined) to.null();
  else encoded(correlation)(to);
  to.close(properties, 6);
  to.describedBy(0x74);
  // $cbs readers look for one spelling, management readers for the other.
  stringMap({
    'status-code': int(reply.status),
    'status-description': string(reply.description),
    statusCode: int(reply.status),
    statusDescription: string(reply.description),
    ...(reply.condition !== undefined && {
      errorCondition: string(reply.condition),
      'error-condition': string(reply.condition),
    }),
  })(to);
  to.describedBy(0x77);
  (reply.body ?? stringMap({}))(to);
  return to.take();
}
