import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AMQP_HEADER, FrameCutter, SASL_HEADER } from '../service-bus/amqp/frames.js';
import {
  ATTACH,
  BEGIN,
  DETACH,
  FLOW,
  OPEN,
  readPerformative,
  TRANSFER,
  type Performative,
} from '../service-bus/amqp/performatives.js';
import {
  binary,
  bool,
  bytesOf,
  composite,
  described,
  map,
  string,
  stringMap,
  symbol,
  ubyte,
  uint,
  ulong,
  type Put,
} from '../service-bus/amqp/put.js';
import { Fields } from '../service-bus/amqp/fields.js';
import { readMessage } from '../service-bus/state/message.js';
import { AmqpMap, textOf, type Described, type Value } from '../service-bus/amqp/reader.js';

export type Heard = Performative & { readonly channel: number };

/** Sends a request; the status and the condition of its answer, and what its body holds. */
export type Ask = (
  operation: string,
  body?: Readonly<Record<string, Put>>,
) => Promise<{ readonly status: number; readonly condition: string; readonly [name: string]: unknown }>;

export interface LinkWish {
  readonly channel?: number;
  readonly handle: number;
  readonly name?: string;
  readonly role: 'sender' | 'receiver';
  readonly source?: string;
  readonly target?: string | Put;
  readonly senderSettles?: number;
  readonly maxMessageSize?: number;
  readonly filter?: Put;
  readonly defaultOutcome?: Put;
}

const SASL_OUTCOME = 0x44;
const LARGEST_PART = 60_000;

/**
 * An AMQP client with no mind of its own, for the specs: it sends the frames that SDKs of other languages send, or
 * ought never to send, and shows the frames that come back.
 */
export class BareClient {
  private readonly cutter = new FrameCutter(1_048_576);
  private readonly heard: Heard[] = [];
  private waiting: (() => void)[] = [];
  isClosed = false;

  private constructor(private readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.take(chunk);
    });
    socket.once('close', () => {
      this.isClosed = true;
      this.wake();
    });
  }

  /** Connects without SASL or with it; resolves with the outcome of SASL (0 is good) and a connection that is open. */
  static async dial(
    port: number,
    o: { plain?: readonly [user: string, password: string]; mechanism?: string } = {},
  ): Promise<{ client: BareClient; outcome: number }> {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    const client = new BareClient(socket);
    const mechanism = o.plain === undefined ? (o.mechanism ?? 'ANONYMOUS') : 'PLAIN';
    const response = o.plain && binary(Buffer.from(`\0${o.plain[0]}\0${o.plain[1]}`));
    socket.write(SASL_HEADER);
    client.frame(0, composite(0x41, [symbol(mechanism), response]), undefined, 1);
    const { fields } = await client.next(SASL_OUTCOME);
    const outcome = fields.requiredUint(0);
    if (outcome === 0) {
      socket.write(AMQP_HEADER);
      client.frame(0, composite(OPEN, [string('bare'), string('127.0.0.1')]));
      await client.next(OPEN);
    }
    return { client, outcome };
  }

  private take(chunk: Buffer): void {
    this.cutter.feed(chunk);
    for (let unit = this.cutter.next(); unit !== undefined; unit = this.cutter.next()) {
      if ('header' in unit || unit.body.length === 0) continue;
      const performative = readPerformative(Buffer.from(unit.body));
      if (performative.code === SASL_OUTCOME) this.cutter.expectHeader();
      this.heard.push({ ...performative, channel: unit.channel });
    }
    this.wake();
  }

  private wake(): void {
    for (const go of this.waiting.splice(0)) go();
  }

  /** The next frame with this performative that was not looked at yet; those of other kinds stay. */
  async next(code: number, fits: (heard: Heard) => boolean = () => true): Promise<Heard> {
    for (;;) {
      const at = this.heard.findIndex((one) => one.code === code && fits(one));
      const [found] = at < 0 ? [] : this.heard.splice(at, 1);
      if (found !== undefined) return found;
      if (this.isClosed) throw new Error(`the server hung up before performative 0x${code.toString(16)}`);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Whether a frame of this kind has come and was not looked at. */
  has(code: number): boolean {
    return this.heard.some((one) => one.code === code);
  }

  frame(channel: number, body: Put, payload?: Buffer, type: 0 | 1 = 0): void {
    const bytes = bytesOf(body);
    const header = Buffer.from([0, 0, 0, 0, 2, type, channel >> 8, channel & 0xff]);
    header.writeUInt32BE(8 + bytes.length + (payload?.length ?? 0));
    this.socket.write(Buffer.concat([header, bytes, payload ?? Buffer.alloc(0)]));
  }

  async begin(channel = 0): Promise<void> {
    this.frame(channel, composite(BEGIN, [undefined, uint(0), uint(5000), uint(5000)]));
    await this.next(BEGIN, (heard) => heard.channel === channel);
  }

  /** Attaches; resolves with the server's attach. */
  async attach(wish: LinkWish): Promise<Heard> {
    const { channel = 0, handle, name = `link-${channel}-${handle}`, role, source, target, filter } = wish;
    const from = [source === undefined ? undefined : string(source), ...Array<undefined>(6).fill(undefined)];
    this.frame(
      channel,
      composite(ATTACH, [
        string(name),
        uint(handle),
        bool(role === 'receiver'),
        ubyte(wish.senderSettles ?? 2),
        ubyte(0),
        composite(0x28, [...from, filter, wish.defaultOutcome]),
        typeof target === 'function'
          ? target
          : composite(0x29, [target === undefined ? undefined : string(target)]),
        undefined,
        undefined,
        role === 'sender' ? uint(0) : undefined,
        wish.maxMessageSize === undefined ? undefined : ulong(wish.maxMessageSize),
      ]),
    );
    return this.next(ATTACH, (heard) => heard.channel === channel && heard.fields.string(0) === name);
  }

  detach(handle: number): void {
    this.frame(0, composite(DETACH, [uint(handle), bool(true)]));
  }

  credit(handle: number, credit: number, o: { channel?: number; deliveryCount?: number } = {}): void {
    const { channel = 0, deliveryCount = 0 } = o;
    const session = [uint(0), uint(5000), uint(0), uint(5000)];
    this.frame(channel, composite(FLOW, [...session, uint(handle), uint(deliveryCount), uint(credit)]));
  }

  transfer(
    handle: number,
    deliveryId: number,
    payload: Buffer,
    o: { channel?: number; settled?: boolean; more?: boolean; state?: Put; format?: number } = {},
  ): void {
    for (let at = 0; at === 0 || at < payload.length; at += LARGEST_PART) {
      const isLast = at + LARGEST_PART >= payload.length;
      this.frame(
        o.channel ?? 0,
        composite(0x14, [
          uint(handle),
          uint(deliveryId),
          binary(Buffer.from([deliveryId & 0xff])),
          uint(o.format ?? 0),
          bool(o.settled ?? false),
          bool(!isLast || (o.more ?? false)),
          undefined,
          o.state,
        ]),
        payload.subarray(at, at + LARGEST_PART),
      );
    }
  }

  /** Disposes of one delivery, or of all up to `last`. */
  dispose(
    deliveryId: number,
    state: Put | undefined,
    o: { last?: number; settled?: boolean; channel?: number } = {},
  ): void {
    const settled = bool(o.settled ?? false);
    this.frame(
      o.channel ?? 0,
      composite(0x15, [bool(true), uint(deliveryId), uint(o.last ?? deliveryId), settled, state]),
    );
  }

  /** The frames that `write` sends leave in one piece, so the server reads them in one turn. */
  together(write: () => void): void {
    this.socket.cork();
    write();
    this.socket.uncork();
  }

  /** Resolves when the server has answered whatever it was going to answer to the frames before. */
  async echo(): Promise<void> {
    const window = [uint(0), uint(5000), uint(0), uint(5000)];
    this.frame(0, composite(FLOW, [...window, ...Array<undefined>(5).fill(undefined), bool(true)]));
    await this.next(FLOW, (heard) => heard.fields.at(4) === null);
  }

  /** Attaches the two links of `<entity>/$management` with handles from `handle` on; what sends a request and waits. */
  async management(entity: string, handle = 100): Promise<Ask> {
    const node = `${entity}/$management`;
    await this.attach({ handle, role: 'sender', source: node, target: node, name: `${node} out` });
    await this.attach({
      handle: handle + 1,
      role: 'receiver',
      source: node,
      target: node,
      name: `${node} in`,
    });
    this.credit(handle + 1, 1000);
    let id = 0;
    return async (operation, body = {}) => {
      const properties = { operation: string(`com.microsoft:${operation}`) };
      const message = { messageId: ulong(id++), properties, value: stringMap(body) };
      this.transfer(handle, this.nextDelivery++, messageOf(message), { settled: true });
      const reply = readMessage(
        (await this.next(TRANSFER, (one) => one.fields.at(0) === handle + 1)).payload,
      );
      const text = (name: string) => textOf(reply.applicationProperties.get(name));
      const found: Record<string, unknown> = {};
      if (reply.body instanceof AmqpMap)
        for (const [key, value] of reply.body.entries()) found[textOf(key)] = value;
      return { ...found, status: Number(text('statusCode')), condition: text('errorCondition') };
    };
  }

  private nextDelivery = 1000;

  close(): void {
    this.socket.destroy();
  }
}

export interface MessageParts {
  readonly messageId?: Put;
  readonly replyTo?: string;
  readonly sessionId?: string;
  readonly properties?: Readonly<Record<string, Put>>;
  /** An AMQP value; `data` instead makes a data section. */
  readonly value?: Put;
  readonly data?: Buffer;
}

/** An encoded message. */
export function messageOf({ messageId, replyTo, sessionId, properties, value, data }: MessageParts): Buffer {
  const nothings = (count: number) => Array<undefined>(count).fill(undefined);
  const sections: Put[] = [
    composite(0x73, [
      messageId,
      undefined,
      undefined,
      undefined,
      replyTo === undefined ? undefined : string(replyTo),
      ...nothings(5),
      sessionId === undefined ? undefined : string(sessionId),
    ]),
    described(
      (to) => {
        to.u8(0x53);
        to.u8(0x74);
      },
      stringMap(properties ?? {}),
    ),
  ];
  const section = (code: number, body: Put) =>
    described((to) => {
      to.u8(0x53);
      to.u8(code);
    }, body);
  if (data !== undefined) sections.push(section(0x75, binary(data)));
  else sections.push(section(0x77, value ?? map([])));
  return Buffer.concat(sections.map((each) => bytesOf(each)));
}

/** Condition and description of an error, or of a state that holds one. */
export function errorOf(of: Described | undefined): { condition: Value; description: Value } | undefined {
  if (of === undefined) return undefined;
  const fields = Fields.from('an error', of.value);
  if (of.descriptor !== 0x1d) return errorOf(fields.described(0));
  return { condition: fields.at(0), description: fields.at(1) };
}
