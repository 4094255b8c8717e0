import type { IncomingLink, OutgoingLink } from '../amqp/link.js';
import { encoded, int, string, stringMap, symbol, type Put } from '../amqp/put.js';
import { Writer } from '../amqp/writer.js';
import { normal } from '../state/broker.js';
import type { Message } from '../state/message.js';

export interface Reply {
  readonly status: number;
  readonly description: string;
  readonly condition?: string;
  readonly body?: Put;
}

export const OK: Reply = { status: 200, description: 'OK' };
export const NO_CONTENT: Reply = { status: 204, description: 'No content' };

interface Outbox {
  readonly link: OutgoingLink;
  /** Whose answers it carries: `$cbs`, or the management node of an entity. */
  readonly node: string;
  readonly waiting: Buffer[];
}

const NO_TAG = Buffer.from([0]);

/**
 * The links on which one connection hears answers to its requests. A request names its reply link by the link's
 * name or by its target address: the `$cbs` link of the JavaScript SDK has an empty target. The Python SDK names
 * none at all; its answers go to the link that receives from the same node, in the same session if there is one.
 */
export class Replies {
  private readonly outboxes = new Set<Outbox>();
  private readonly named = new Map<string, Outbox[]>();

  add(link: OutgoingLink): void {
    const outbox: Outbox = { link, node: normal(link.asked.sourceAddress ?? ''), waiting: [] };
    const names = new Set([link.asked.name, link.asked.targetAddress ?? '']);
    names.delete('');
    this.outboxes.add(outbox);
    for (const name of names) this.named.set(name, [...(this.named.get(name) ?? []), outbox]);
    link.onCredit = () => {
      push(outbox);
      link.drained();
    };
    link.onDetach = () => {
      this.outboxes.delete(outbox);
      for (const name of names) {
        const left = (this.named.get(name) ?? []).filter((each) => each !== outbox);
        if (left.length === 0) this.named.delete(name);
        else this.named.set(name, left);
      }
    };
    link.accept();
  }

  /** Answers a request that came over `from`; one without a place to answer to gets none. */
  send(request: Message, reply: Reply, from: IncomingLink): void {
    const outbox = this.outboxFor(request, from);
    if (outbox === undefined) return;
    outbox.waiting.push(encode(request, reply));
    push(outbox);
  }

  private outboxFor(request: Message, from: IncomingLink): Outbox | undefined {
    const to = request.property('replyTo');
    const named = typeof to === 'string' ? this.named.get(to) : undefined;
    if (named !== undefined) return preferring(from, named);
    const node = normal(from.asked.targetAddress ?? '');
    return preferring(
      from,
      [...this.outboxes].filter((outbox) => outbox.node === node),
    );
  }
}

/** The newest of the same session, else the newest. */
function preferring(from: IncomingLink, outboxes: readonly Outbox[]): Outbox | undefined {
  return outboxes.filter(({ link }) => link.session === from.session).at(-1) ?? outboxes.at(-1);
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
    // Symbols: the .NET SDK casts to one without looking.
    ...(reply.condition !== undefined && {
      errorCondition: symbol(reply.condition),
      'error-condition': symbol(reply.condition),
    }),
  })(to);
  to.describedBy(0x77);
  (reply.body ?? stringMap({}))(to);
  return to.take();
}
