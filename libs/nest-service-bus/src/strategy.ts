import { Server, type CustomTransportStrategy, type ReadPacket } from '@nestjs/microservices';
import { isInterrupted, isPermanentFault, isTransientFault, PermanentFault } from '@twinkey/contracts';
import {
  settlementOf,
  type Bus,
  type BusLog,
  type EntitySource,
  type Outcome,
  type ReceivedMessage,
  type Receiving,
  type Settlement,
} from '@twinkey/service-bus';
import { isObservable, lastValueFrom } from 'rxjs';
import { BusContext } from './context.js';
import { duringDelivery } from './delivery.js';

export interface SourceToReceive {
  readonly source: EntitySource;
  /** Messages handled at the same time; 16 unless told. */
  readonly maxConcurrent?: number;
}

export interface StrategyOptions {
  readonly bus: Bus;
  readonly sources: readonly SourceToReceive[];
  readonly log: BusLog;
  /** Goes around the handling of each message, to measure it. Must return what `handle` resolves with. */
  readonly around?: Around;
}

/** `type`: of the message; undefined when nobody here handles it, for then the text is whatever its sender wrote. */
export type Around = (
  message: ReceivedMessage,
  type: string | undefined,
  handle: () => Promise<Settlement>,
) => Promise<Settlement>;

/**
 * Nest's transport for Service Bus.
 *
 *   made ──listen()──► receiving ──close()──► draining ──► closed
 *                                              handlers end, their messages are settled
 *
 * A message goes to the handler of its type, and the handler's outcome settles it: see `settlementOf`. Messages
 * that nobody handles are dead-lettered as `NoHandler`; nothing is ever logged and dropped.
 */
export class ServiceBusStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('service-bus');
  /** Without it Nest resolves an event whose handler threw, and the message of a failed handler is completed. */
  override readonly propagatesEventHandlerErrors = true;
  private receivings: readonly Receiving[] = [];
  private closed: Promise<void> | undefined;

  constructor(private readonly options: StrategyOptions) {
    super();
    this.onProcessingStartHook = (_transport, context, done) => {
      void duringDelivery(context as BusContext, done); // handleEvent has a promise of its own
    };
  }

  override listen(callback: (error?: unknown) => void): void {
    this.open().then(
      () => {
        callback();
      },
      (error: unknown) => {
        callback(error);
      },
    );
  }

  private async open(): Promise<void> {
    const { bus, sources } = this.options;
    this.receivings = await Promise.all(
      sources.map(({ source, ...options }) =>
        bus.receive(source, options, (message) => this.settle(message)),
      ),
    );
    this._status$.next('receiving');
  }

  /** The types of messages that somebody here handles; none before the application was started. */
  get types(): readonly string[] {
    return [...this.messageHandlers.keys()];
  }

  /** Resolves when no handler runs any more and every message is settled. Calling it again waits for the same. */
  override close(): Promise<void> {
    this.closed ??= Promise.all(this.receivings.map((receiving) => receiving.close())).then(() => {
      this._status$.next('closed');
    });
    return this.closed;
  }

  private settle(message: ReceivedMessage): Promise<Settlement> {
    const type = typeOf(message.body);
    const handle = () => this.handle(message, type);
    const { around } = this.options;
    const known = type !== undefined && this.messageHandlers.has(type);
    return around === undefined ? handle() : around(message, known ? type : undefined, handle);
  }

  private async handle(message: ReceivedMessage, type: string | undefined): Promise<Settlement> {
    const outcome = await this.outcomeOf(message, type);
    const settlement = settlementOf(outcome, message.deliveryCount);
    if ('threw' in outcome) this.tell(message, type, outcome.threw, settlement);
    return settlement;
  }

  private async outcomeOf(message: ReceivedMessage, type: string | undefined): Promise<Outcome> {
    try {
      if (type === undefined) {
        throw new PermanentFault(
          'UnreadableMessage',
          'The body is no CloudEvent: it is not a JSON object with a type.',
        );
      }
      await this.handleEvent(type, { pattern: type, data: message.body }, new BusContext(message));
      return { returned: true };
    } catch (error) {
      return { threw: error };
    }
  }

  /** Rejects with what the handler threw. */
  override handleEvent(type: string, packet: ReadPacket, context: BusContext): Promise<void> {
    // Not by getHandlerByPattern: it would parse the type, which is the sender's, as JSON.
    const handler = this.messageHandlers.get(type);
    if (handler === undefined) {
      return Promise.reject(
        new PermanentFault('NoHandler', `This service handles no ${type.slice(0, 200)}.`),
      );
    }
    // The promise is our own: what runWithProcessingHooks returns is whatever a start hook returns, and a hook that
    // forgets to return `done()` would have the message settled before its handler ran.
    return new Promise((resolve, reject) => {
      this.runWithProcessingHooks(context, async (ended) => {
        try {
          const result: unknown = await handler(packet.data, context);
          if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
          ended();
          resolve();
        } catch (error) {
          ended();
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- settling needs the very thing
          reject(error);
        }
      });
    });
  }

  private tell(
    message: ReceivedMessage,
    type: string | undefined,
    error: unknown,
    { settle }: Settlement,
  ): void {
    const { id, subject, deliveryCount } = message;
    const fields = { messageId: id, type, subject, deliveryCount, settle };
    if (isInterrupted(error)) {
      this.options.log.info({ ...fields, code: error.code }, `A handler was interrupted: ${error.message}`);
    } else if (isTransientFault(error) || isPermanentFault(error)) {
      this.options.log.warn({ ...fields, code: error.code }, `A message was not handled: ${error.message}`);
    } else {
      this.options.log.warn({ ...fields, err: error }, 'A handler has a defect');
    }
  }

  override on(): never {
    throw new Error('This transport has no events of its own; `status` tells how it is.');
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- Nest declares it so
  override unwrap<Inner>(): Inner {
    return this.options.bus as Inner;
  }
}

function typeOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('type' in body)) return undefined;
  return typeof body.type === 'string' ? body.type : undefined;
}
