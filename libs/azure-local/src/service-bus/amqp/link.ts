import type { AmqpMap, Described, Value } from './reader.js';
import { attach, detach, type AmqpError, type AttachAnswer, type DeliveryState } from './performatives.js';
import { encoded, type Put } from './put.js';
import type { Session } from './session.js';

/** What the peer asked for when it attached. */
export interface AttachRequest {
  readonly name: string;
  readonly handle: number;
  readonly senderSettles: number;
  readonly receiverSettles: number;
  /** Null when the link has no source (target), undefined when it has one without an address. */
  readonly sourceAddress: string | undefined;
  readonly targetAddress: string | undefined;
  readonly sourceFilter: AmqpMap | undefined;
  /** What shall become of a delivery that is settled without an outcome. */
  readonly defaultOutcome: DeliveryState | undefined;
  readonly source: Buffer | undefined;
  readonly target: Buffer | undefined;
  readonly properties: AmqpMap | undefined;
  readonly initialDeliveryCount: number;
  /** The largest message that the peer takes; Infinity if it did not say. */
  readonly maxMessageSize: number;
  /** The peer wants to declare transactions on this link. */
  readonly isToCoordinator: boolean;
}

type State = 'asked' | 'attached' | 'detached';

abstract class LinkEnd {
  protected state: State = 'asked';
  /** For whoever uses the link, and for whoever keeps a list of links. */
  onDetach: () => void = () => undefined;
  onGone: () => void = () => undefined;

  constructor(
    readonly session: Session,
    readonly asked: AttachRequest,
  ) {}

  get isOpen(): boolean {
    return this.state === 'attached';
  }

  get isGone(): boolean {
    return this.state === 'detached';
  }

  protected answer(receiver: boolean, more: Partial<AttachAnswer>): void {
    this.state = 'attached';
    const { asked } = this;
    this.session.frame(
      attach({
        name: asked.name,
        handle: asked.handle,
        receiver,
        senderSettles: asked.senderSettles,
        receiverSettles: asked.receiverSettles,
        source: asked.source && encoded(asked.source),
        target: asked.target && encoded(asked.target),
        ...more,
      }),
    );
  }

  /** Detaches for good with a reason; an attach that was not answered is answered first, as AMQP demands. */
  refuse(error: AmqpError): void {
    if (this.state === 'detached') return;
    if (this.state === 'asked') this.answerRefused();
    this.state = 'detached';
    this.session.silence(this as unknown as Link);
    this.session.frame(detach(this.asked.handle, true, error));
    this.onDetach();
    this.onGone();
  }

  protected abstract answerRefused(): void;

  /** The peer detached, or its session or connection is gone. */
  remoteDetached(answerClosed: boolean | undefined): void {
    if (this.state === 'detached') return;
    if (answerClosed !== undefined) {
      if (this.state === 'asked') this.answerRefused();
      this.session.frame(detach(this.asked.handle, answerClosed));
    }
    this.state = 'detached';
    this.onDetach();
    this.onGone();
  }
}

export interface Received {
  readonly deliveryId: number;
  readonly format: number;
  readonly payload: Buffer;
  readonly settled: boolean;
  /** The transaction that the delivery belongs to, if it does. */
  readonly state: DeliveryState | undefined;
  /** The message was larger than the link allows; all but its beginning was dropped. */
  readonly tooLarge: boolean;
}

/** The receiving end of a link on which the peer sends. Credit is topped up when half of it is used. */
export class IncomingLink extends LinkEnd {
  readonly direction = 'incoming';
  onMessage: (received: Received) => void = () => undefined;
  private deliveryCount: number;
  private creditLeft = 0;
  private window = 0;
  private maxMessageSize = 0;
  private partial:
    | {
        id: number;
        format: number;
        settled: boolean;
        state: DeliveryState | undefined;
        parts: Buffer[];
        size: number;
      }
    | undefined;

  constructor(session: Session, asked: AttachRequest) {
    super(session, asked);
    this.deliveryCount = asked.initialDeliveryCount;
  }

  accept(o: { credit: number; maxMessageSize: number }): void {
    this.maxMessageSize = o.maxMessageSize;
    this.window = o.credit;
    this.answer(true, { maxMessageSize: o.maxMessageSize });
    this.topUp();
  }

  protected override answerRefused(): void {
    this.answer(true, { source: undefined, target: undefined });
  }

  /** Grants the full window again. */
  topUp(): void {
    if (!this.isOpen) return;
    this.creditLeft = this.window;
    this.session.flow({
      handle: this.asked.handle,
      deliveryCount: this.deliveryCount,
      credit: this.window,
      drain: false,
    });
  }

  echoFlow(): void {
    this.session.thirsts(this);
  }

  transfer(t: {
    id: number | undefined;
    format: number;
    settled: boolean;
    more: boolean;
    aborted: boolean;
    state: DeliveryState | undefined;
    payload: Buffer;
  }): void {
    if (this.partial === undefined && this.creditLeft <= 0) {
      this.refuse({
        condition: 'amqp:link:transfer-limit-exceeded',
        description: `More was sent than the ${this.window} messages that were granted`,
      });
      return;
    }
    const partial = (this.partial ??= {
      id: t.id ?? 0,
      format: t.format,
      settled: false,
      state: t.state,
      parts: [],
      size: 0,
    });
    partial.settled ||= t.settled;
    partial.size += t.payload.length;
    const tooLarge = partial.size > this.maxMessageSize;
    if (!tooLarge || partial.parts.length === 0) partial.parts.push(t.payload);
    else partial.parts.length = 1;
    if (t.more && !t.aborted) return;
    this.partial = undefined;
    this.deliveryCount = (this.deliveryCount + 1) >>> 0;
    this.creditLeft--;
    if (!t.aborted)
      this.onMessage({
        deliveryId: partial.id,
        format: partial.format,
        // Always copied: a slice would keep a whole socket buffer alive for as long as the message is stored.
        payload: copyOf(partial.parts),
        settled: partial.settled,
        state: partial.state,
        tooLarge,
      });
    if (this.creditLeft <= this.window / 2 && this.isOpen) this.session.thirsts(this);
  }

  settle(deliveryId: number, state: Put): void {
    this.session.settle(true, deliveryId, state);
  }
}

function copyOf(parts: readonly Buffer[]): Buffer {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? Buffer.from(only) : Buffer.concat(parts);
}

/** The sending end of a link on which the peer receives. */
export class OutgoingLink extends LinkEnd {
  readonly direction = 'outgoing';
  /** Credit arrived: send what there is. */
  onCredit: () => void = () => undefined;
  onOutcome: (
    token: unknown,
    state: DeliveryState | undefined,
    deliveryId: number,
    settled: boolean,
  ) => void = () => undefined;
  private deliveryCount = 0;
  private creditLeft = 0;
  private draining = false;

  get credit(): number {
    return this.isOpen ? this.creditLeft : 0;
  }

  /** Credit, and room in the session to use it. */
  get ready(): boolean {
    return this.creditLeft > 0 && this.isOpen && this.session.hasRoom;
  }

  accept(more: { source?: Put; properties?: Put } = {}): void {
    this.answer(false, { initialDeliveryCount: this.deliveryCount, ...more });
  }

  protected override answerRefused(): void {
    this.answer(false, { source: undefined, target: undefined, initialDeliveryCount: 0 });
  }

  /** `token` comes back with the outcome. */
  send(o: { tag: Uint8Array; body: readonly Buffer[]; settled: boolean; token: unknown }): void {
    this.deliveryCount = (this.deliveryCount + 1) >>> 0;
    this.creditLeft--;
    this.session.send(this, o);
  }

  flow(f: {
    deliveryCount: number | undefined;
    credit: number | undefined;
    drain: boolean;
    echo: boolean;
  }): void {
    if (f.credit !== undefined) {
      const seen = f.deliveryCount ?? 0;
      // Serial arithmetic: what is under way counts against the credit that the peer had granted.
      this.creditLeft = Math.max(0, f.credit - ((this.deliveryCount - seen) | 0));
    }
    this.draining = f.drain;
    this.onCredit();
    if (f.echo && !f.drain) this.reportCredit();
  }

  private reportCredit(): void {
    this.session.flow({
      handle: this.asked.handle,
      deliveryCount: this.deliveryCount,
      credit: this.creditLeft,
      drain: this.draining,
    });
  }

  get isDraining(): boolean {
    return this.draining;
  }

  /** Nothing more to send now: gives back the rest of the credit. The SDK waits for this even at credit 0. */
  drained(): void {
    if (!this.draining || !this.isOpen) return;
    this.deliveryCount = (this.deliveryCount + this.creditLeft) >>> 0;
    this.creditLeft = 0;
    this.reportCredit();
    this.draining = false;
  }

  settle(deliveryId: number, state: Put): void {
    this.session.settle(false, deliveryId, state);
  }
}

export type Link = IncomingLink | OutgoingLink;

/** The address inside a source or target, which may be absent, empty or a full URI. */
export function addressOf(terminus: Described | undefined): Value {
  const fields = terminus?.value;
  return Array.isArray(fields) ? ((fields[0] as Value | undefined) ?? null) : null;
}
