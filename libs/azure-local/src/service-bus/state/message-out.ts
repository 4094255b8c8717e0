import { bytesOf, symbol } from '../amqp/put.js';
import { Writer } from '../amqp/writer.js';
import type { Message } from './message.js';

const HEADER = 0x70;
const MESSAGE_ANNOTATIONS = 0x72;

/** What the broker adds when it hands a message out; absent for the journal. */
export interface Stamps {
  readonly sequence?: number;
  readonly firstSequence?: number;
  /** Milliseconds since 1970. */
  readonly enqueuedAt?: number;
  /** 0 active, 1 deferred, 2 scheduled. */
  readonly state?: number;
  /** Milliseconds since 1970. */
  readonly lockedUntil?: number | undefined;
}

export const STAMP_NAMES = {
  sequence: 'x-opt-sequence-number',
  firstSequence: 'x-opt-enqueue-sequence-number',
  enqueuedAt: 'x-opt-enqueued-time',
  state: 'x-opt-message-state',
  lockedUntil: 'x-opt-locked-until',
} as const;

/** Name and type of each stamp, encoded once: the names cost more than all the rest of writing a message. */
const STAMP = {
  sequence: stampStart(STAMP_NAMES.sequence, 0x81),
  firstSequence: stampStart(STAMP_NAMES.firstSequence, 0x81),
  enqueuedAt: stampStart(STAMP_NAMES.enqueuedAt, 0x83),
  state: stampStart(STAMP_NAMES.state, 0x71),
  lockedUntil: stampStart(STAMP_NAMES.lockedUntil, 0x83),
} as const;

function stampStart(name: string, code: number): Buffer {
  return Buffer.concat([bytesOf(symbol(name)), Buffer.from([code])]);
}

/** Writes the stamps as entries of a map; how many keys and values these are. */
function writeStamps(to: Writer, stamps: Stamps): number {
  let count = 0;
  const eight = (start: Buffer, value: number | undefined): void => {
    if (value === undefined) return;
    to.raw(start);
    to.safe64(value);
    count += 2;
  };
  eight(STAMP.sequence, stamps.sequence);
  eight(STAMP.firstSequence, stamps.firstSequence);
  eight(STAMP.enqueuedAt, stamps.enqueuedAt);
  if (stamps.state !== undefined) {
    to.raw(STAMP.state);
    to.i32(stamps.state);
    count += 2;
  }
  eight(STAMP.lockedUntil, stamps.lockedUntil);
  return count;
}

/** Header and annotations as the broker stamps them, then the bare message as it came. */
export function writeMessage(message: Message, deliveryCount: number, stamps: Stamps): Buffer {
  const to = new Writer(message.bare.length + 320);
  const { header } = message;
  to.describedBy(HEADER);
  const headerStart = to.open(0xd0);
  to.bool(header.durable);
  if (header.priority === undefined) to.null();
  else {
    to.u8(0x50);
    to.u8(header.priority);
  }
  if (header.ttlMs === undefined) to.null();
  else to.uint(header.ttlMs);
  to.null();
  to.uint(deliveryCount);
  to.close(headerStart, 5);
  to.describedBy(MESSAGE_ANNOTATIONS);
  const annotationsStart = to.open(0xd1);
  for (const [name, value] of message.annotations) {
    to.symbol(name);
    to.raw(value);
  }
  to.close(annotationsStart, message.annotations.size * 2 + writeStamps(to, stamps));
  to.raw(message.bare);
  return to.take();
}
