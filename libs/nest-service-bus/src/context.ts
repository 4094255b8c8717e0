import { BaseRpcContext } from '@nestjs/microservices';
import type { ReceivedMessage } from '@twinkey/service-bus';

/** What a handler may know of the delivery. There is no `complete()`: to settle is not the handler's business. */
export class BusContext extends BaseRpcContext<[ReceivedMessage]> {
  constructor(private readonly received: ReceivedMessage) {
    super([received]);
  }

  /** The id of the bus message. A replayed dead letter has a new one; the id of the event in it stays. */
  get id(): string {
    return this.received.id;
  }

  /** 1 for the first delivery. */
  get deliveryCount(): number {
    return this.received.deliveryCount;
  }

  get enqueuedAt(): Date {
    return this.received.enqueuedAt;
  }

  get traceparent(): string | undefined {
    return this.received.traceparent;
  }

  /** Aborted when the lock is lost or the service shuts down. */
  get signal(): AbortSignal {
    return this.received.abandoned;
  }
}
