import type { ServiceBusClient, ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';
import { Interrupted, isInterrupted } from '@twinkey/contracts';
import type { BusLog, EntitySource, ReceivedMessage, ReceiveOptions, Receiving } from './bus.js';
import { createReceiver, nameOf } from './entity.js';
import { toFault } from './faults.js';
import { watchLock } from './lock-watch.js';
import { SettlingOrder } from './settling-order.js';
import { LONGEST_DELAY_MS, settlementOf, type Settlement } from './settlement.js';
import { deliveryOf, fromWire, idOf } from './wire.js';

const DEFAULT_CONCURRENT = 16;

/** A handler has as long as it needs, but one that hangs for ever gives its message back to others. */
const LONGEST_LOCK_MS = 15 * 60_000;

/**
 * Messages that wait for their next delivery keep their lock but not their place among the concurrent ones: a
 * queue full of failing messages does not stop the good ones. Above this many the places are kept, so that a
 * general outage slows receiving down instead of emptying the queue into our memory.
 */
const MOST_PARKED = 128;

export type Handle = (message: ReceivedMessage) => Promise<Settlement>;

/**
 * One receiver on one entity.
 *
 *   receiving ──close()──► closing ──────────────────────────────────► closed
 *                          no new messages; parked ones given back;    link gone
 *                          what is in flight ends and is settled
 *
 * The SDK brings the link back after an outage, without end; we only tell people about it, once per outage.
 */
export class Receiver implements Receiving {
  private readonly name: string;
  private readonly receiver: ServiceBusReceiver;
  private readonly subscription: { close(): Promise<void> };
  private readonly inFlight = new Set<Promise<void>>();
  private readonly parked = new Set<() => void>();
  private readonly handling = new Set<AbortController>();
  private readonly order = new SettlingOrder();
  private closing = false;
  private drained: Promise<void> | undefined;
  private closed: Promise<void> | undefined;
  private outage: string | undefined;
  private link = newLink();

  constructor(
    client: ServiceBusClient,
    source: EntitySource,
    { maxConcurrent = DEFAULT_CONCURRENT }: ReceiveOptions,
    private readonly handle: Handle,
    private readonly log: BusLog,
  ) {
    this.name = nameOf(source);
    this.receiver = createReceiver(client, source, {
      receiveMode: 'peekLock',
      maxAutoLockRenewalDurationInMs: LONGEST_LOCK_MS,
    });
    const handlers = {
      processMessage: (message: ServiceBusReceivedMessage) => this.track(this.process(message)),
      processError: ({ error, errorSource }: { error: Error; errorSource: string }) => {
        if (errorSource === 'receive') this.noticeOutage(error);
        return Promise.resolve();
      },
      // The SDK calls this whenever the link is there (again). It is not among the declared handlers; without it
      // the next message tells the same.
      postInitialize: () => {
        this.noticeRecovery();
        this.link.replaced();
        this.link = newLink();
        return Promise.resolve();
      },
    };
    this.subscription = this.receiver.subscribe(handlers, {
      autoCompleteMessages: false, // a message is completed by a settlement and by nothing else
      maxConcurrentCalls: maxConcurrent,
    });
  }

  close(): Promise<void> {
    this.closed ??= this.wind();
    return this.closed;
  }

  private async wind(): Promise<void> {
    this.closing = true;
    for (const lock of this.handling)
      lock.abort(new Interrupted('bus-closing', 'The service stops receiving.'));
    this.drained = this.subscription.close().catch(() => undefined); // a broker that is away needs no draining
    await this.drained;
    for (const giveBack of this.parked) giveBack();
    while (this.inFlight.size > 0) await Promise.all(this.inFlight);
    await this.receiver.close();
  }

  private track(work: Promise<void>): Promise<void> {
    const tracked = work.finally(() => this.inFlight.delete(tracked));
    this.inFlight.add(tracked);
    return tracked;
  }

  private async process(message: ServiceBusReceivedMessage): Promise<void> {
    this.noticeRecovery();
    if (this.closing) {
      // Given back while the link still has credit it would come right back, and count as delivered once more.
      await this.drained;
      await this.settle(message, { settle: 'release' }, this.link);
      return;
    }
    const link = this.link;
    const lock = new AbortController();
    let lost = false; // then someone else may have the message already
    const unwatch = watchLock(message, () => {
      lost = true;
      lock.abort(new Interrupted('message-lock-lost', 'The lock of the message ran out.'));
    });
    this.handling.add(lock);
    const settlement = await this.handle(fromWire(message, lock.signal)).catch((error: unknown) =>
      settlementOf({ threw: error }, deliveryOf(message)),
    );
    this.handling.delete(lock);
    const end = async (how: Settlement) => {
      unwatch();
      if (!lost) await this.settle(message, how, link);
    };
    if (settlement.settle !== 'redeliver') {
      await end(settlement);
      return;
    }
    const waited = this.wait(settlement.delayMs).then(() => end({ settle: 'release' }));
    if (this.parked.size > MOST_PARKED) await waited;
    else void this.track(waited);
  }

  private wait(delayMs: number): Promise<void> {
    if (this.closing) return this.drained ?? Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.parked.delete(end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(delayMs, LONGEST_DELAY_MS));
      this.parked.add(end);
    });
  }

  /** Never rejects: a message that cannot be settled comes back when its lock runs out, and the inbox knows it. */
  private async settle(
    message: ServiceBusReceivedMessage,
    settlement: Settlement,
    link: Link,
  ): Promise<void> {
    try {
      await this.order.run(settlement.settle === 'complete' ? 'completion' : 'other', async () => {
        if (link === this.link) await Promise.race([this.carryOut(message, settlement), link.gone]);
        if (link !== this.link) await this.carryOut(withoutLink(message), settlement);
      });
    } catch (error) {
      const fault = toFault(error, this.name);
      if (isInterrupted(fault)) return;
      const { settle } = settlement;
      const fields = {
        source: this.name,
        messageId: idOf(message),
        settle,
        code: fault.code,
        reason: fault.message,
      };
      this.log.warn(fields, 'A message could not be settled and will be delivered again');
    }
  }

  private carryOut(message: ServiceBusReceivedMessage, settlement: Settlement): Promise<void> {
    switch (settlement.settle) {
      case 'complete':
        return this.receiver.completeMessage(message);
      case 'dead-letter':
        return this.receiver.deadLetterMessage(message, {
          deadLetterReason: settlement.reason,
          deadLetterErrorDescription: settlement.description,
        });
      case 'release':
      case 'redeliver':
        return this.receiver.abandonMessage(message);
    }
  }

  private noticeOutage(error: Error): void {
    const fault = toFault(error, this.name);
    if (isInterrupted(fault) || this.closing || this.outage === fault.code) return;
    this.outage = fault.code;
    this.log.warn(
      { source: this.name, code: fault.code, reason: fault.message },
      'Receiving is interrupted; trying again until it works',
    );
  }

  private noticeRecovery(): void {
    if (this.outage === undefined) return;
    this.outage = undefined;
    this.log.info({ source: this.name }, 'Receiving works again');
  }
}

/** The AMQP link over which messages come, until the SDK opens another one after an outage. */
interface Link {
  readonly gone: Promise<void>;
  readonly replaced: () => void;
}

function newLink(): Link {
  let replaced: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => (replaced = resolve));
  return { gone, replaced };
}

/**
 * The SDK settles a message over the link with the name of the one that brought it. After an outage that is a new
 * link which does not know the delivery: it waits 30 s for an answer that cannot come, or takes the answer to
 * another message for it. A message without a link is settled by its lock token instead, which outlives links.
 */
function withoutLink(message: ServiceBusReceivedMessage): ServiceBusReceivedMessage {
  const copy = Object.create(message) as ServiceBusReceivedMessage;
  return Object.defineProperty(copy, 'delivery', { value: { remote_settled: false } });
}
