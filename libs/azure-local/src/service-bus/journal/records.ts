import { Fields } from '../amqp/fields.js';
import { DecodeError, Reader, type Value } from '../amqp/reader.js';
import type { Writer } from '../amqp/writer.js';
import type { Broker } from '../state/broker.js';
import type { EntityRecord } from '../state/entity.js';
import { writeMessage } from '../state/message-out.js';
import { readMessage } from '../state/message.js';
import type { Queue } from '../state/queue.js';
import type { Change, Stored } from '../state/stored.js';

const ENTITY = 1;
const ENTITY_GONE = 2;
const ENQUEUED = 3;
const REMOVED = 4;
const CHANGED = 5;
const LOCKED = 6;
const SESSION_STATE = 7;
const SEEN = 8;
const LAST_SEQUENCE = 9;
const SESSION_USED = 10;
const TOUCHED = 11;
const NAMESPACE = 12;

const STATES = ['active', 'deferred', 'scheduled'] as const;

/** One record: an AMQP list that begins with its kind. */
class RecordWriter {
  private readonly start: number;
  private count = 1;

  constructor(
    private readonly to: Writer,
    kind: number,
  ) {
    this.start = to.open(0xd0);
    to.uint(kind);
  }

  /** Times may be infinite, numbers larger than 32 bits: all are written as doubles. */
  number(value: number): this {
    this.to.u8(0x82);
    this.to.f64(value);
    this.count++;
    return this;
  }

  text(value: string): this {
    this.to.string(value);
    this.count++;
    return this;
  }

  bytes(value: Uint8Array | null): this {
    if (value === null) this.to.null();
    else this.to.binary(value);
    this.count++;
    return this;
  }

  end(): void {
    this.to.close(this.start, this.count);
  }
}

export function writeChange(
  to: Writer,
  change: Change,
  record: (path: string) => EntityRecord | undefined,
): void {
  switch (change.kind) {
    case 'entity': {
      const entity = record(change.path);
      if (entity !== undefined) writeEntity(to, entity);
      return;
    }
    case 'entity-gone':
      new RecordWriter(to, ENTITY_GONE).text(change.path).end();
      return;
    case 'enqueued':
      writeEnqueued(to, change.targets);
      return;
    case 'removed':
      new RecordWriter(to, REMOVED).number(change.stored.queue.id).number(change.stored.sequence).end();
      return;
    case 'changed': {
      const { stored, modified } = change;
      new RecordWriter(to, CHANGED)
        .number(stored.queue.id)
        .number(stored.sequence)
        .number(STATES.indexOf(stored.state))
        .number(stored.deliveryCount)
        .bytes(modified ? writeMessage(stored.message, 0, {}) : null)
        .end();
      return;
    }
    case 'locked':
      new RecordWriter(to, LOCKED)
        .number(change.stored.queue.id)
        .number(change.stored.sequence)
        .bytes(change.lock.token)
        .number(change.lock.until)
        .end();
      return;
    case 'session-state':
      new RecordWriter(to, SESSION_STATE)
        .number(change.queue.id)
        .text(change.session)
        .bytes(change.state)
        .number(change.at)
        .end();
      return;
    case 'session-used':
      new RecordWriter(to, SESSION_USED).number(change.queue.id).text(change.session).number(change.at).end();
      return;
    case 'seen':
      new RecordWriter(to, SEEN)
        .number(change.queue.id)
        .text(change.messageId)
        .number(change.until)
        .number(change.sequence)
        .end();
      return;
    case 'numbered':
      new RecordWriter(to, LAST_SEQUENCE).number(change.queue.id).number(change.queue.lastSequence).end();
      return;
    case 'touched':
      new RecordWriter(to, TOUCHED).number(change.queue.id).number(change.at).end();
      return;
  }
}

export function writeEntity(to: Writer, entity: EntityRecord): void {
  new RecordWriter(to, ENTITY).text(JSON.stringify(entity, datesKept)).end();
}

export function writeNamespace(to: Writer, createdAt: number): void {
  new RecordWriter(to, NAMESPACE).number(createdAt).end();
}

/** The copies of one publication share their bytes, their times and their first number. */
function writeEnqueued(to: Writer, targets: readonly Stored[]): void {
  const [first] = targets;
  if (first === undefined) return;
  const record = new RecordWriter(to, ENQUEUED)
    .bytes(writeMessage(first.message, 0, {}))
    .number(first.enqueuedAt)
    .number(first.firstSequence)
    .number(first.dueAt)
    .number(STATES.indexOf(first.state))
    .number(first.deliveryCount);
  for (const { queue, sequence, expiresAt } of targets)
    record.number(queue.id).number(sequence).number(expiresAt);
  record.end();
}

/** JSON turns dates into text before a replacer sees the value, hence the look at the holder. */
function datesKept(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Readonly<Record<string, unknown>>)[key];
  return original instanceof Date ? { $date: original.getTime() } : value;
}

function datesBack(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$date' in value)) return value;
  return new Date(Number(value.$date));
}

/** Applies records to a broker in the order in which they were written. */
export class Replay {
  constructor(
    private readonly broker: Broker,
    private readonly now: number,
  ) {}

  apply(payload: Buffer): void {
    const reader = new Reader(payload);
    while (!reader.done) this.one(Fields.from('a record of the journal', reader.value()));
  }

  private one(record: Fields): void {
    switch (record.uint(0)) {
      case ENTITY:
        this.broker.restore(JSON.parse(record.string(1) ?? '{}', datesBack) as EntityRecord, this.now);
        return;
      case ENTITY_GONE:
        this.broker.restoreGone(record.string(1) ?? '');
        return;
      case ENQUEUED:
        this.enqueued(record);
        return;
      case REMOVED:
        this.stored(record, (stored) => {
          stored.queue.drop(stored);
        });
        return;
      case CHANGED:
        this.stored(record, (stored) => {
          const message = record.binary(5);
          stored.queue.restoreChanged(
            stored,
            STATES[number(record.at(3))] ?? 'active',
            number(record.at(4)),
            message && readMessage(message),
          );
        });
        return;
      case LOCKED:
        this.stored(record, (stored) => {
          const token = Buffer.from(record.binary(3) ?? []);
          const until = number(record.at(4));
          stored.queue.relock(stored, { token, key: token.toString('latin1'), until, session: undefined });
        });
        return;
      case SESSION_STATE:
        this.queue(record)?.sessions.restoreState(
          record.string(2) ?? '',
          record.binary(3) ?? null,
          number(record.at(4), 0),
        );
        return;
      case SESSION_USED:
        this.queue(record)?.sessions.restoreUse(record.string(2) ?? '', number(record.at(3)));
        return;
      case SEEN:
        this.queue(record)?.restoreSeen(record.string(2) ?? '', {
          until: number(record.at(3)),
          sequence: number(record.at(4), 0),
        });
        return;
      case TOUCHED: {
        const queue = this.queue(record);
        if (queue !== undefined) this.broker.restoreTouch(queue, number(record.at(2)));
        return;
      }
      case NAMESPACE:
        this.broker.createdAt = number(record.at(1));
        return;
      case LAST_SEQUENCE: {
        const queue = this.queue(record);
        if (queue !== undefined) queue.lastSequence = Math.max(queue.lastSequence, number(record.at(2)));
        return;
      }
      default:
        throw new DecodeError('the journal holds a record of a kind that is not known');
    }
  }

  /** Undefined when its entity was deleted later; nothing that is about it matters any more. */
  private queue(record: Fields): Queue | undefined {
    return this.broker.store(number(record.at(1)));
  }

  private stored(record: Fields, use: (stored: Stored) => void): void {
    const stored = this.queue(record)?.messages.get(number(record.at(2)));
    if (stored !== undefined) use(stored);
  }

  private enqueued(record: Fields): void {
    const message = readMessage(Buffer.from(record.binary(1) ?? []));
    let copies = 0;
    while (record.at(7 + 3 * copies) !== null) copies++;
    const charge = message.size / copies;
    for (let at = 7; record.at(at) !== null; at += 3) {
      const queue = this.broker.store(number(record.at(at)));
      queue?.add({
        queue,
        sequence: number(record.at(at + 1)),
        expiresAt: number(record.at(at + 2)),
        enqueuedAt: number(record.at(2)),
        firstSequence: number(record.at(3)),
        dueAt: number(record.at(4)),
        state: STATES[number(record.at(5))] ?? 'active',
        deliveryCount: number(record.at(6)),
        message,
        charge,
        lock: undefined,
        place: undefined,
        expiry: undefined,
      });
    }
  }
}

/** `otherwise` for what earlier versions did not write. */
function number(value: Value, otherwise?: number): number {
  if (value === null && otherwise !== undefined) return otherwise;
  if (typeof value !== 'number') throw new DecodeError('a record of the journal lacks a number');
  return value;
}
