import type { OutgoingLink } from '../amqp/link.js';
import {
  composite,
  described,
  encoded,
  longExact,
  map,
  nothing,
  string,
  symbol,
  bytesOf,
  ulong,
  type Put,
} from '../amqp/put.js';
import { Described, type Value } from '../amqp/reader.js';
import { noSession } from '../errors.js';
import type { Queue } from '../state/queue.js';
import type { SessionSlot } from '../state/session-slot.js';

const FILTER = 'com.microsoft:session-filter';
const LONGEST_WAIT_MS = 65_000;

export type SessionWish = { readonly id: string | undefined; readonly wrapped: Value | undefined };

/** Which session a link asks for; undefined when it asks for none, `id` undefined for the next free one. */
export function sessionWish(link: OutgoingLink): SessionWish | undefined {
  for (const [name, value] of link.asked.sourceFilter?.entries() ?? []) {
    if (name !== FILTER) continue;
    const plain = value instanceof Described ? value.value : value;
    return {
      id: typeof plain === 'string' ? plain : undefined,
      wrapped: value instanceof Described ? value.descriptor : undefined,
    };
  }
  return undefined;
}

export function longestWaitMs(link: OutgoingLink): number {
  const asked = link.asked.properties?.get('com.microsoft:timeout');
  return typeof asked === 'number' ? Math.min(asked, 0x7fff_ffff) : LONGEST_WAIT_MS;
}

/** Ticks of .NET: 100 ns since the year 1. */
function ticks(ms: number): bigint {
  return BigInt(ms) * 10_000n + 621_355_968_000_000_000n;
}

/** The attach reply names the session that was granted and until when it is locked. */
export function acceptSession(link: OutgoingLink, slot: SessionSlot, wish: SessionWish): void {
  const id = string(slot.id);
  const value: Put =
    typeof wish.wrapped === 'number'
      ? described(ulong(wish.wrapped), id)
      : typeof wish.wrapped === 'string'
        ? described(symbol(wish.wrapped), id)
        : id;
  const address = link.asked.sourceAddress;
  const source = composite(0x28, [
    address === undefined ? nothing : string(address),
    ...Array.from({ length: 6 }, () => undefined),
    encoded(bytesOf(map([[symbol(FILTER), value]]))),
  ]);
  link.accept({
    source,
    properties: map([[symbol('com.microsoft:locked-until-utc'), longExact(ticks(slot.lockedUntil))]]),
  });
}

interface Waiting {
  readonly link: OutgoingLink;
  readonly grant: () => boolean;
  readonly timer: NodeJS.Timeout;
}

/** Links that wait for the next free session of a queue, first come, first served. */
export class SessionQueue {
  private waiting: Waiting[] = [];

  constructor(readonly queue: Queue) {}

  /** `grant` attaches the link if a session is free. The wait is the client's and in real time. */
  wait(link: OutgoingLink, grant: () => boolean): void {
    if (this.waiting.length === 0 && grant()) return;
    const timer = setTimeout(() => {
      this.leave(link);
      link.refuse(noSession());
    }, longestWaitMs(link));
    timer.unref();
    this.waiting.push({ link, grant, timer });
    link.onDetach = () => {
      this.leave(link);
    };
    this.serve();
  }

  private leave(link: OutgoingLink): void {
    for (const each of this.waiting) if (each.link === link) clearTimeout(each.timer);
    this.waiting = this.waiting.filter((each) => each.link !== link);
  }

  serve(): void {
    for (let [first] = this.waiting; first?.grant() === true; [first] = this.waiting) {
      clearTimeout(first.timer);
      this.waiting.shift();
    }
  }

  refuseAll(refuse: (link: OutgoingLink) => void): void {
    for (const { link } of [...this.waiting]) {
      this.leave(link);
      refuse(link);
    }
  }
}
