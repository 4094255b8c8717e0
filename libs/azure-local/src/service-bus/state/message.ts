import { AmqpMap, DecodeError, Described, Reader, Uuid, type Value } from '../amqp/reader.js';
import { bytesOf, type Put } from '../amqp/put.js';
import { Writer } from '../amqp/writer.js';
import { STAMP_NAMES } from './message-out.js';

const HEADER = 0x70;
const DELIVERY_ANNOTATIONS = 0x71;
const MESSAGE_ANNOTATIONS = 0x72;
const PROPERTIES = 0x73;
const APPLICATION_PROPERTIES = 0x74;
const FOOTER = 0x78;

/** Float, double and the decimals. */
const REAL_CODES: ReadonlySet<number> = new Set([0x72, 0x82, 0x74, 0x84, 0x94]);

export interface Header {
  readonly durable: boolean;
  readonly priority: number | undefined;
  readonly ttlMs: number | undefined;
}

interface Extent {
  readonly start: number;
  readonly end: number;
}

/** Positions in the AMQP `properties` section. */
const PROPERTY = {
  messageId: 0,
  userId: 1,
  to: 2,
  subject: 3,
  replyTo: 4,
  correlationId: 5,
  contentType: 6,
  contentEncoding: 7,
  absoluteExpiryTime: 8,
  creationTime: 9,
  groupId: 10,
  groupSequence: 11,
  replyToGroupId: 12,
} as const;
export type PropertyName = keyof typeof PROPERTY;

/**
 * A message as it was sent. The bare message (properties, application properties, body, footer) stays as the bytes
 * that arrived and goes out again unchanged; the value never changes, a modified message is another one.
 */
export class Message {
  private properties: readonly Value[] | undefined;
  private application: ReadonlyMap<string, Value> | undefined;

  constructor(
    readonly header: Header,
    /** By name, each value in its encoding. */
    readonly annotations: ReadonlyMap<string, Buffer>,
    readonly bare: Buffer,
    private readonly propertiesAt: Extent | undefined,
    private readonly applicationAt: Extent | undefined,
  ) {}

  get size(): number {
    return this.bare.length;
  }

  property(name: PropertyName): Value {
    this.properties ??= this.readProperties();
    return this.properties[PROPERTY[name]] ?? null;
  }

  /** Reads all that the broker may need later, when it is too late to refuse the message. Throws if it cannot. */
  readThrough(): void {
    if (this.propertiesAt !== undefined) {
      if (!Array.isArray(valueOf(this.bare, this.propertiesAt)))
        throw new DecodeError('the properties of a message are not a list');
      this.property('messageId');
    }
    if (this.applicationAt === undefined) return;
    if (!(valueOf(this.bare, this.applicationAt) instanceof AmqpMap))
      throw new DecodeError('the application properties of a message are not a map');
    this.application = this.readApplication();
  }

  /** One of the properties in its encoding, e.g. to answer with it. */
  encodedProperty(name: PropertyName): Buffer | undefined {
    return this.propertiesAt && listItems(this.bare, this.propertiesAt)[PROPERTY[name]];
  }

  /** The value of the body; of several data sections the first. */
  get body(): Value {
    const start = (this.applicationAt ?? this.propertiesAt)?.end ?? 0;
    if (start >= this.bare.length) return null;
    const section = new Reader(this.bare, start).value();
    return section instanceof Described ? section.value : null;
  }

  private readProperties(): readonly Value[] {
    const value = valueOf(this.bare, this.propertiesAt);
    return Array.isArray(value) ? (value as readonly Value[]) : [];
  }

  get applicationProperties(): ReadonlyMap<string, Value> {
    this.application ??= this.readApplication();
    return this.application;
  }

  private readApplication(): ReadonlyMap<string, Value> {
    const value = valueOf(this.bare, this.applicationAt);
    const properties = new Map<string, Value>();
    if (value instanceof AmqpMap)
      for (const [key, entry] of value.entries()) properties.set(typeof key === 'string' ? key : '', entry);
    return properties;
  }

  /** Whether an application property, whatever the case of its name, is encoded as a whole number. */
  isWholeNumber(name: string): boolean {
    const value = valueOf(this.bare, this.applicationAt);
    if (!(value instanceof AmqpMap)) return false;
    const wanted = name.toLowerCase();
    for (const [key, bytes] of value.encodedEntries())
      if (key.toLowerCase() === wanted) return !REAL_CODES.has(bytes[0] ?? 0);
    return false;
  }

  /** Message ids may be text, numbers, uuids or bytes; compared as text. */
  get messageId(): string | undefined {
    const id = this.property('messageId');
    if (id === null) return undefined;
    if (Buffer.isBuffer(id)) return id.toString('hex');
    return id instanceof Uuid || typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint'
      ? String(id)
      : undefined;
  }

  get sessionId(): string | undefined {
    const id = this.property('groupId');
    return typeof id === 'string' ? id : undefined;
  }

  annotation(name: string): Value {
    const bytes = this.annotations.get(name);
    return bytes === undefined ? null : new Reader(bytes).value();
  }

  withAnnotations(more: Readonly<Record<string, Put>>): Message {
    const annotations = new Map(this.annotations);
    for (const [name, put] of Object.entries(more)) annotations.set(name, bytesOf(put));
    return new Message(this.header, annotations, this.bare, this.propertiesAt, this.applicationAt);
  }

  withoutAnnotation(name: string): Message {
    if (!this.annotations.has(name)) return this;
    const annotations = new Map(this.annotations);
    annotations.delete(name);
    return new Message(this.header, annotations, this.bare, this.propertiesAt, this.applicationAt);
  }

  withTtl(ttlMs: number): Message {
    const header = { ...this.header, ttlMs };
    return new Message(header, this.annotations, this.bare, this.propertiesAt, this.applicationAt);
  }

  /** The same message with application properties added or replaced; undefined removes one. */
  withApplicationProperties(changes: ReadonlyMap<string, Buffer | undefined>): Message {
    if (changes.size === 0) return this;
    const properties = new Map<string, Buffer>();
    if (this.applicationAt !== undefined) {
      const value = valueOf(this.bare, this.applicationAt);
      if (value instanceof AmqpMap)
        for (const [key, bytes] of value.encodedEntries()) properties.set(key, bytes);
    }
    for (const [key, bytes] of changes)
      if (bytes === undefined) properties.delete(key);
      else properties.set(key, bytes);
    const section = new Writer(256);
    section.describedBy(APPLICATION_PROPERTIES);
    const start = section.open(0xd1);
    for (const [key, bytes] of properties) {
      section.string(key);
      section.raw(bytes);
    }
    section.close(start, properties.size * 2);
    return this.replacing(this.applicationAt ?? after(this.propertiesAt), section.take());
  }

  /** The same message with some of its properties replaced. */
  withProperties(changes: Readonly<Partial<Record<PropertyName, Put>>>): Message {
    const fields: (Buffer | undefined)[] = [];
    if (this.propertiesAt !== undefined) fields.push(...listItems(this.bare, this.propertiesAt));
    for (const [name, put] of Object.entries(changes)) fields[PROPERTY[name as PropertyName]] = bytesOf(put);
    const section = new Writer(256);
    section.describedBy(PROPERTIES);
    const start = section.open(0xd0);
    for (const field of Array.from(fields))
      if (field === undefined) section.null();
      else section.raw(field);
    section.close(start, fields.length);
    return this.replacing(this.propertiesAt ?? NOWHERE, section.take());
  }

  /** The same message with an id instead of none, in one go: nearly every message of a test comes without one. */
  withId(id: string): Message {
    const { bare, propertiesAt: was = NOWHERE, applicationAt: application } = this;
    const to = new Writer(bare.length + id.length * 3 + 24);
    to.raw(bare.subarray(0, was.start));
    to.describedBy(PROPERTIES);
    const start = to.open(0xd0);
    to.string(id);
    const { count, at } = this.propertiesAt === undefined ? { count: 0, at: 0 } : listStart(bare, was);
    if (count > 0) {
      const reader = new Reader(bare, at, was.end);
      reader.pass();
      to.raw(bare.subarray(reader.position, was.end));
    }
    to.close(start, Math.max(count, 1));
    const end = to.length;
    to.raw(bare.subarray(was.end));
    const grown = end - was.end;
    return new Message(
      this.header,
      this.annotations,
      to.take(),
      { start: was.start, end },
      application && { start: application.start + grown, end: application.end + grown },
    );
  }

  private replacing({ start, end }: Extent, section: Buffer): Message {
    const bare = Buffer.concat([this.bare.subarray(0, start), section, this.bare.subarray(end)]);
    return fromBare(this.header, this.annotations, bare);
  }
}

/** In front of everything: where the properties of a message that has none would be. */
const NOWHERE: Extent = { start: 0, end: 0 };

function after(extent: Extent | undefined): Extent {
  const at = extent?.end ?? 0;
  return { start: at, end: at };
}

function valueOf(bare: Buffer, extent: Extent | undefined): Value {
  if (extent === undefined) return null;
  const section = new Reader(bare, extent.start, extent.end).value();
  return section instanceof Described ? section.value : null;
}

/** How many items a section that is a list has, and where the first one begins. */
function listStart(bare: Buffer, extent: Extent): { count: number; at: number } {
  const outer = new Reader(bare, extent.start + 1, extent.end);
  outer.pass();
  const at = outer.position;
  const code = bare[at] ?? 0;
  if (code === 0x45) return { count: 0, at: at + 1 };
  return code === 0xc0
    ? { count: bare.readUInt8(at + 2), at: at + 3 }
    : { count: bare.readUInt32BE(at + 5), at: at + 9 };
}

/** The encoded items of a section that is a list. */
function listItems(bare: Buffer, extent: Extent): Buffer[] {
  const { count, at } = listStart(bare, extent);
  const reader = new Reader(bare, at, extent.end);
  return Array.from({ length: count }, () => reader.slice());
}

/** Finds the sections of a bare message again, e.g. after it was read from the journal. */
export function fromBare(header: Header, annotations: ReadonlyMap<string, Buffer>, bare: Buffer): Message {
  let properties: Extent | undefined;
  let application: Extent | undefined;
  const reader = new Reader(bare);
  while (!reader.done) {
    const start = reader.position;
    const code = sectionCode(bare, start);
    if (code > APPLICATION_PROPERTIES) break;
    reader.slice();
    if (code === PROPERTIES) properties = { start, end: reader.position };
    else application = { start, end: reader.position };
  }
  return new Message(header, annotations, bare, properties, application);
}

function sectionCode(bytes: Buffer, at: number): number {
  if (bytes[at] === 0 && bytes[at + 1] === 0x53) return bytes[at + 2] ?? 0;
  if (bytes[at] !== 0) throw new DecodeError('a message section is not a described value');
  const code = new Reader(bytes, at + 1).value();
  if (typeof code !== 'number') throw new DecodeError('a message section has no known descriptor');
  return code;
}

/** Annotations that the broker itself writes; a sender's copy of an old message must not carry them in. */
const OWN_ANNOTATIONS: ReadonlySet<string> = new Set(Object.values(STAMP_NAMES));

/** Reads an encoded message as far as the broker must understand it. */
export function readMessage(bytes: Buffer): Message {
  let header: Header = { durable: false, priority: undefined, ttlMs: undefined };
  let annotations = new Map<string, Buffer>();
  const reader = new Reader(bytes);
  let bareStart = 0;
  while (!reader.done) {
    const code = sectionCode(bytes, reader.position);
    if (code > DELIVERY_ANNOTATIONS + 1 || code < HEADER) break;
    const start = reader.position;
    reader.slice();
    if (code === HEADER) header = headerOf(valueOf(bytes, { start, end: reader.position }));
    if (code === MESSAGE_ANNOTATIONS)
      annotations = annotationsOf(valueOf(bytes, { start, end: reader.position }));
    bareStart = reader.position;
  }
  const bare = bytes.subarray(bareStart);
  checkSections(bare);
  const message = fromBare(header, annotations, bare);
  message.readThrough();
  return message;
}

function checkSections(bare: Buffer): void {
  const reader = new Reader(bare);
  let last = PROPERTIES;
  while (!reader.done) {
    const code = sectionCode(bare, reader.position);
    if (code < last || code > FOOTER) throw new DecodeError('the sections of a message are out of order');
    // The JS client writes the footer before the body; Azure takes it.
    last = code === FOOTER ? Math.max(last, APPLICATION_PROPERTIES + 1) : code;
    reader.slice();
  }
}

function headerOf(value: Value): Header {
  const [durable, priority, ttlMs] = Array.isArray(value) ? (value as readonly Value[]) : [];
  return {
    durable: durable === true,
    priority: typeof priority === 'number' ? priority : undefined,
    ttlMs: typeof ttlMs === 'number' ? ttlMs : undefined,
  };
}

function annotationsOf(value: Value): Map<string, Buffer> {
  if (!(value instanceof AmqpMap)) return new Map();
  return new Map([...value.encodedEntries()].filter(([name]) => !OWN_ANNOTATIONS.has(name)));
}

/** The data sections of a batch envelope, each of which is a complete encoded message. */
export function readBatch(bytes: Buffer): Message[] {
  const reader = new Reader(bytes);
  const messages: Message[] = [];
  while (!reader.done) {
    const code = sectionCode(bytes, reader.position);
    const section = reader.value();
    if (code !== 0x75) continue;
    if (!(section instanceof Described) || !Buffer.isBuffer(section.value))
      throw new DecodeError('a data section of a batch is not binary');
    messages.push(readMessage(section.value));
  }
  return messages;
}

/** The SDK cannot renew or stop renewing the lock of a message without an id. */
export function withMessageId(message: Message, newId: () => string): Message {
  return message.property('messageId') === null ? message.withId(newId()) : message;
}
