import type { Connection } from './connection.js';
import { codeOf } from './descriptors.js';
import { Fields } from './fields.js';
import { addressOf, IncomingLink, OutgoingLink, type Link } from './link.js';
import {
  ATTACH,
  begin,
  DETACH,
  DISPOSITION,
  FLOW,
  readState,
  TRANSFER,
  writeDisposition,
  writeFlow,
  writeTransfer,
  type Performative,
} from './performatives.js';
import type { Put } from './put.js';
import { AmqpMap, DecodeError, Reader, type Value } from './reader.js';

const INCOMING_WINDOW = 5000;
const OUTGOING_WINDOW = 0x7fff_ffff;
const HANDLE_MAX = 4095;
const COORDINATOR = 0x30;

interface Waiting {
  readonly link: OutgoingLink;
  readonly deliveryId: number;
  readonly tag: Uint8Array;
  readonly settled: boolean;
  rest: Buffer;
  first: boolean;
}

/**
 * One AMQP session: the window of transfer frames in both directions, the links by handle (the peer's handle is
 * also ours) and the deliveries that wait for an outcome.
 */
export class Session {
  private readonly links = new Map<number, Link>();
  private readonly unsettled = new Map<number, { link: OutgoingLink; token: unknown }>();
  private nextIncomingId: number;
  private nextOutgoingId = 0;
  private nextDeliveryId = 0;
  private roomForFrames: number;
  private framesSinceFlow = 0;
  private waiting: Waiting[] = [];
  private readonly thirsty = new Set<IncomingLink>();
  private pending: { receiver: boolean; first: number; last: number; state: Put } | undefined;

  constructor(
    readonly connection: Connection,
    readonly channel: number,
    fields: Fields,
  ) {
    this.nextIncomingId = fields.requiredUint(1);
    this.roomForFrames = fields.requiredUint(2);
    this.frame(
      begin({
        remoteChannel: channel,
        nextOutgoingId: 0,
        incomingWindow: INCOMING_WINDOW,
        outgoingWindow: OUTGOING_WINDOW,
        handleMax: HANDLE_MAX,
      }),
    );
  }

  frame(body: Put): void {
    this.emitPending();
    this.connection.frame(this.channel, body);
  }

  handle(p: Performative): void {
    switch (p.code) {
      case ATTACH:
        this.onAttach(p.fields);
        return;
      case FLOW:
        this.onFlow(p.fields);
        return;
      case TRANSFER:
        this.onTransfer(p);
        return;
      case DISPOSITION:
        this.onDisposition(p.fields);
        return;
      case DETACH:
        this.onDetach(p.fields);
        return;
      default:
        throw new DecodeError(`performative 0x${p.code.toString(16)} does not belong into a session`);
    }
  }

  private onAttach(fields: Fields): void {
    const handle = fields.requiredUint(1);
    if (handle > HANDLE_MAX) throw new DecodeError(`handle ${handle} is beyond ${HANDLE_MAX}`);
    if (this.links.has(handle)) throw new DecodeError(`handle ${handle} is in use`);
    const source = fields.described(5);
    const target = fields.described(6);
    const sourceAddress = addressOf(source);
    const targetAddress = addressOf(target);
    const sourceFields = source && Fields.from('a source', source.value);
    const filter = sourceFields?.at(7);
    const request = {
      name: fields.string(0) ?? '',
      handle,
      senderSettles: fields.uint(3) ?? 2,
      receiverSettles: fields.uint(4) ?? 0,
      sourceAddress: typeof sourceAddress === 'string' ? sourceAddress : undefined,
      targetAddress: typeof targetAddress === 'string' ? targetAddress : undefined,
      sourceFilter: filter instanceof AmqpMap ? filter : undefined,
      defaultOutcome: readState(sourceFields?.described(8)),
      source: this.connection.encodedField(5),
      target: this.connection.encodedField(6),
      properties: fields.map(13),
      initialDeliveryCount: fields.uint(9) ?? 0,
      maxMessageSize: sizeOf(fields.at(10)),
      isToCoordinator: target !== undefined && codeOf(target.descriptor) === COORDINATOR,
    };
    const link = fields.bool(2) ? new OutgoingLink(this, request) : new IncomingLink(this, request);
    this.links.set(handle, link);
    this.connection.attached(link);
  }

  private onFlow(fields: Fields): void {
    const theirNext = fields.uint(0) ?? 0;
    this.roomForFrames = Math.max(0, fields.requiredUint(1) - ((this.nextOutgoingId - theirNext) | 0));
    this.pushWaiting();
    const handle = fields.uint(4);
    if (handle === undefined) {
      if (fields.bool(9)) this.flow();
      for (const link of this.links.values()) if (link.direction === 'outgoing') link.onCredit();
      return;
    }
    const link = this.links.get(handle);
    if (link === undefined) return;
    if (link.direction === 'outgoing')
      link.flow({
        deliveryCount: fields.uint(5),
        credit: fields.uint(6),
        drain: fields.bool(8),
        echo: fields.bool(9),
      });
    else if (fields.bool(9)) link.echoFlow();
  }

  private onTransfer({ fields, payload }: Performative): void {
    this.nextIncomingId = (this.nextIncomingId + 1) >>> 0;
    this.framesSinceFlow++;
    const link = this.links.get(fields.requiredUint(0));
    if (link?.direction === 'incoming' && link.isOpen)
      link.transfer({
        id: fields.uint(1),
        format: fields.uint(3) ?? 0,
        settled: fields.bool(4),
        more: fields.bool(5),
        aborted: fields.bool(9),
        state: readState(fields.described(7)),
        payload,
      });
    if (this.framesSinceFlow > INCOMING_WINDOW / 2) this.flow();
  }

  private onDisposition(fields: Fields): void {
    if (!fields.bool(0)) return;
    const first = fields.requiredUint(1);
    const last = fields.uint(2) ?? first;
    const settled = fields.bool(3);
    const state = readState(fields.described(4));
    const isReport = state === undefined || state.kind === 'received';
    if (isReport && !settled) return;
    const answer = (id: number): void => {
      const delivery = this.unsettled.get(id);
      if (delivery === undefined) return;
      this.unsettled.delete(id);
      // Forgotten by its receiver without an outcome: the source may have named one for that case.
      delivery.link.onOutcome(
        delivery.token,
        isReport ? delivery.link.asked.defaultOutcome : state,
        id,
        settled,
      );
    };
    // A range may span the whole number space; only what is outstanding is looked at.
    const count = ((last - first) >>> 0) + 1;
    if (count <= this.unsettled.size) for (let n = 0; n < count; n++) answer((first + n) >>> 0);
    else for (const id of [...this.unsettled.keys()]) if ((id - first) >>> 0 < count) answer(id);
  }

  private onDetach(fields: Fields): void {
    const handle = fields.requiredUint(0);
    const link = this.links.get(handle);
    if (link === undefined) return;
    this.links.delete(handle);
    this.forget(link);
    link.remoteDetached(fields.bool(1));
  }

  /** Nothing more is sent on this link. What it delivered may still be settled: its peer may not know yet. */
  silence(link: Link): void {
    this.waiting = this.waiting.filter((one) => one.link !== link);
  }

  private forget(link: Link): void {
    for (const [id, delivery] of this.unsettled) if (delivery.link === link) this.unsettled.delete(id);
    this.silence(link);
  }

  get hasRoom(): boolean {
    return this.waiting.length === 0 && this.roomForFrames > 0;
  }

  send(
    link: OutgoingLink,
    o: { tag: Uint8Array; body: readonly Buffer[]; settled: boolean; token: unknown },
  ): void {
    const deliveryId = this.nextDeliveryId;
    this.nextDeliveryId = (deliveryId + 1) >>> 0;
    if (!o.settled) this.unsettled.set(deliveryId, { link, token: o.token });
    const [only] = o.body;
    this.waiting.push({
      link,
      deliveryId,
      tag: o.tag,
      settled: o.settled,
      rest: o.body.length === 1 && only !== undefined ? only : Buffer.concat(o.body),
      first: true,
    });
    this.pushWaiting();
  }

  private pushWaiting(): void {
    while (this.roomForFrames > 0) {
      const [next] = this.waiting;
      if (next === undefined) return;
      const size = Math.min(next.rest.length, this.connection.payloadPerFrame);
      const more = size < next.rest.length;
      this.emitPending();
      this.connection.transferFrame(this.channel, next.rest.subarray(0, size), (to) => {
        writeTransfer(to, { handle: next.link.asked.handle, ...next, more });
      });
      this.roomForFrames--;
      this.nextOutgoingId = (this.nextOutgoingId + 1) >>> 0;
      next.rest = next.rest.subarray(size);
      next.first = false;
      if (!more) this.waiting.shift();
    }
  }

  flow(link?: { handle: number; deliveryCount: number; credit: number; drain: boolean }): void {
    this.framesSinceFlow = 0;
    this.frame((to) => {
      writeFlow(to, {
        nextIncomingId: this.nextIncomingId,
        incomingWindow: INCOMING_WINDOW,
        nextOutgoingId: this.nextOutgoingId,
        outgoingWindow: OUTGOING_WINDOW,
        ...(link && { link }),
      });
    });
  }

  /** Neighbouring deliveries with the same outcome share one frame: a group commit answers in one. */
  settle(receiver: boolean, deliveryId: number, state: Put): void {
    const { pending } = this;
    if (
      pending?.state === state &&
      pending.receiver === receiver &&
      (pending.last + 1) >>> 0 === deliveryId
    ) {
      pending.last = deliveryId;
      return;
    }
    this.emitPending();
    this.pending = { receiver, first: deliveryId, last: deliveryId, state };
    this.connection.touch(this);
  }

  emitPending(): void {
    const { pending } = this;
    if (pending === undefined) return;
    this.pending = undefined;
    this.connection.frame(this.channel, (to) => {
      writeDisposition(to, pending);
    });
  }

  /** The link is granted credit anew when the turn ends: until its peer can know, it has no more than before. */
  thirsts(link: IncomingLink): void {
    this.thirsty.add(link);
    this.connection.touch(this);
  }

  beforeFlush(): void {
    for (const link of this.thirsty) link.topUp();
    this.thirsty.clear();
    this.emitPending();
  }

  /** The session or its connection is over: every link hears of it. */
  over(): void {
    const links = [...this.links.values()];
    this.links.clear();
    this.unsettled.clear();
    this.waiting = [];
    this.pending = undefined;
    for (const link of links) link.remoteDetached(undefined);
  }
}

/** 0 and numbers beyond 2^53 mean that any size will do. */
function sizeOf(value: Value): number {
  return typeof value === 'number' && value > 0 ? value : Infinity;
}

/** The bytes of one field of a performative, to be echoed unchanged. */
export function encodedField(body: Buffer, index: number): Buffer | undefined {
  const whole = new Reader(body);
  const performative = whole.slice();
  // 0x00, the descriptor, then the list's own constructor.
  const reader = new Reader(performative, 1);
  reader.value();
  const constructor = performative[reader.position] ?? 0;
  const header = constructor === 0xc0 ? 3 : constructor === 0xd0 ? 9 : 0;
  if (header === 0) return undefined;
  const fields = new Reader(performative, reader.position + header);
  for (let n = 0; n < index && !fields.done; n++) fields.slice();
  if (fields.done) return undefined;
  const bytes = fields.slice();
  return bytes.length === 1 && bytes[0] === 0x40 ? undefined : bytes;
}
