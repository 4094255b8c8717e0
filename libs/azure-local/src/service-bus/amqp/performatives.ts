import { codeOf } from './descriptors.js';
import {
  binary,
  composite,
  type Put,
  string,
  symbol,
  symbols,
  uint,
  ushort,
  bool,
  ubyte,
  ulong,
} from './put.js';
import { DecodeError, Described, Reader, textOf, type Value } from './reader.js';
import { Fields } from './fields.js';
import type { Writer } from './writer.js';

export const OPEN = 0x10;
export const BEGIN = 0x11;
export const ATTACH = 0x12;
export const FLOW = 0x13;
export const TRANSFER = 0x14;
export const DISPOSITION = 0x15;
export const DETACH = 0x16;
export const END = 0x17;
export const CLOSE = 0x18;
const SASL_MECHANISMS = 0x40;
export const SASL_INIT = 0x41;
const SASL_OUTCOME = 0x44;
const ERROR = 0x1d;

export interface Performative {
  readonly code: number;
  readonly fields: Fields;
  /** What follows the performative in its frame: the bytes of a transfer. */
  readonly payload: Buffer;
}

export function readPerformative(body: Buffer): Performative {
  const reader = new Reader(body);
  const value = reader.value();
  const code = value instanceof Described ? codeOf(value.descriptor) : undefined;
  if (!(value instanceof Described) || code === undefined)
    throw new DecodeError('a frame does not begin with a performative');
  return {
    code,
    fields: Fields.from(`performative 0x${code.toString(16)}`, value.value),
    payload: body.subarray(reader.position),
  };
}

/** Why something was refused or ended: a condition for programs, a text for people. */
export interface AmqpError {
  readonly condition: string;
  readonly description: string;
}

export const errorOf = ({ condition, description }: AmqpError): Put =>
  composite(ERROR, [symbol(condition), string(description)]);

export const saslMechanisms = (names: readonly string[]): Put => composite(SASL_MECHANISMS, [symbols(names)]);
export const saslOutcome = (code: 0 | 1): Put => composite(SASL_OUTCOME, [ubyte(code)]);

export const open = (o: {
  containerId: string;
  maxFrameSize: number;
  channelMax: number;
  idleTimeoutMs: number;
}): Put =>
  composite(OPEN, [
    string(o.containerId),
    undefined,
    uint(o.maxFrameSize),
    ushort(o.channelMax),
    uint(o.idleTimeoutMs),
  ]);

export const begin = (o: {
  remoteChannel: number;
  nextOutgoingId: number;
  incomingWindow: number;
  outgoingWindow: number;
  handleMax: number;
}): Put =>
  composite(BEGIN, [
    ushort(o.remoteChannel),
    uint(o.nextOutgoingId),
    uint(o.incomingWindow),
    uint(o.outgoingWindow),
    uint(o.handleMax),
  ]);

export interface AttachAnswer {
  readonly name: string;
  readonly handle: number;
  readonly receiver: boolean;
  readonly senderSettles: number;
  readonly receiverSettles: number;
  readonly source: Put | undefined;
  readonly target: Put | undefined;
  readonly initialDeliveryCount?: number;
  readonly maxMessageSize?: number;
  readonly properties?: Put;
}

export const attach = (o: AttachAnswer): Put =>
  composite(ATTACH, [
    string(o.name),
    uint(o.handle),
    bool(o.receiver),
    ubyte(o.senderSettles),
    ubyte(o.receiverSettles),
    o.source,
    o.target,
    undefined,
    undefined,
    o.initialDeliveryCount === undefined ? undefined : uint(o.initialDeliveryCount),
    o.maxMessageSize === undefined ? undefined : ulong(o.maxMessageSize),
    undefined,
    undefined,
    o.properties,
  ]);

export const detach = (handle: number, closed: boolean, error?: AmqpError): Put =>
  composite(DETACH, [uint(handle), bool(closed), error && errorOf(error)]);
export const end = (error?: AmqpError): Put => composite(END, [error && errorOf(error)]);
export const close = (error?: AmqpError): Put => composite(CLOSE, [error && errorOf(error)]);

/** Flow, transfer and disposition are written without intermediate objects: they are the traffic. */
export function writeFlow(
  to: Writer,
  o: {
    nextIncomingId: number;
    incomingWindow: number;
    nextOutgoingId: number;
    outgoingWindow: number;
    link?: { handle: number; deliveryCount: number; credit: number; drain: boolean };
  },
): void {
  to.describedBy(FLOW);
  const start = to.open(0xd0);
  to.uint(o.nextIncomingId);
  to.uint(o.incomingWindow);
  to.uint(o.nextOutgoingId);
  to.uint(o.outgoingWindow);
  if (o.link === undefined) {
    to.close(start, 4);
    return;
  }
  to.uint(o.link.handle);
  to.uint(o.link.deliveryCount);
  to.uint(o.link.credit);
  to.null();
  to.bool(o.link.drain);
  to.close(start, 9);
}

export function writeTransfer(
  to: Writer,
  o: {
    handle: number;
    deliveryId: number;
    tag: Uint8Array;
    settled: boolean;
    more: boolean;
    first: boolean;
  },
): void {
  to.describedBy(TRANSFER);
  const start = to.open(0xd0);
  to.uint(o.handle);
  if (o.first) {
    to.uint(o.deliveryId);
    to.binary(o.tag);
    to.uint(0);
  } else {
    to.null();
    to.null();
    to.null();
  }
  to.bool(o.settled);
  to.bool(o.more);
  to.close(start, 6);
}

export function writeDisposition(
  to: Writer,
  o: { receiver: boolean; first: number; last: number; state: Put },
): void {
  to.describedBy(DISPOSITION);
  const start = to.open(0xd0);
  to.bool(o.receiver);
  to.uint(o.first);
  to.uint(o.last);
  to.bool(true);
  o.state(to);
  to.close(start, 5);
}

const bare =
  (code: number): Put =>
  (to) => {
    to.describedBy(code);
    to.u8(0x45);
  };

export const accepted: Put = bare(0x24);
const released: Put = bare(0x26);
const rejectedAsAsked: Put = bare(0x25);
const abandoned: Put = composite(0x27, [undefined, bool(false)]);
const deferred: Put = composite(0x27, [undefined, bool(true)]);
export const rejected = (error: AmqpError): Put => composite(0x25, [errorOf(error)]);

/** The outcome of a declaration: the id of the transaction. */
export const declared = (transaction: Uint8Array): Put => composite(0x33, [binary(transaction)]);
/** An outcome that holds when the transaction does. */
export const within = (transaction: Uint8Array, outcome: Put): Put =>
  composite(0x34, [binary(transaction), outcome]);

/** What the other side wants to happen to a delivery. */
export type Outcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'released' }
  | { readonly kind: 'rejected'; readonly error: Fields | undefined }
  | { readonly kind: 'modified'; readonly undeliverableHere: boolean; readonly annotations: Value };

export type DeliveryState =
  | Outcome
  /** How far a delivery has come; nothing is decided by it. */
  | { readonly kind: 'received' }
  | { readonly kind: 'transactional'; readonly transaction: Buffer; readonly outcome: Outcome | undefined }
  | { readonly kind: 'unknown'; readonly name: string };

export function readState(state: Described | undefined): DeliveryState | undefined {
  if (state === undefined) return undefined;
  const code = codeOf(state.descriptor);
  if (code === undefined) return { kind: 'unknown', name: textOf(state.descriptor) };
  const fields = Fields.from('a delivery state', state.value);
  switch (code) {
    case 0x23:
      return { kind: 'received' };
    case 0x24:
      return { kind: 'accepted' };
    case 0x25: {
      const error = fields.described(0);
      return { kind: 'rejected', error: error && Fields.from('an error', error.value) };
    }
    case 0x26:
      return { kind: 'released' };
    case 0x27:
      return { kind: 'modified', undeliverableHere: fields.bool(1), annotations: fields.at(2) };
    case 0x34:
      return {
        kind: 'transactional',
        transaction: fields.binary(0) ?? Buffer.alloc(0),
        outcome: outcomeOf(readState(fields.described(1))),
      };
    default:
      return { kind: 'unknown', name: `0x${code.toString(16)}` };
  }
}

function outcomeOf(state: DeliveryState | undefined): Outcome | undefined {
  switch (state?.kind) {
    case 'accepted':
    case 'released':
    case 'rejected':
    case 'modified':
      return state;
    default:
      return undefined;
  }
}

/**
 * Says that it was done as asked: the Java SDK takes only the kind of outcome that it asked for as success. Of a
 * rejection never its error, which the JavaScript SDK would take for a failure.
 */
export function asAsked(outcome: Outcome): Put {
  switch (outcome.kind) {
    case 'accepted':
      return accepted;
    case 'released':
      return released;
    case 'rejected':
      return rejectedAsAsked;
    case 'modified':
      return outcome.undeliverableHere ? deferred : abandoned;
  }
}
