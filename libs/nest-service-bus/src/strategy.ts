import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import type { Bus, BusLog, EntitySource } from '@twinkey/service-bus';

export interface SourceToReceive {
  readonly source: EntitySource;
  readonly maxConcurrent?: number;
}

export interface StrategyOptions {
  readonly bus: Bus;
  readonly sources: readonly SourceToReceive[];
  readonly log: BusLog;
}

/** Nest's transport for Service Bus. */
export class ServiceBusStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('service-bus');
  override readonly propagatesEventHandlerErrors = true;

  constructor(private readonly options: StrategyOptions) {
    super();
  }

  override listen(callback: (error?: unknown) => void): void {
    callback();
  }

  override async close(): Promise<void> {
    await Promise.resolve();
  }

  override on(): never {
    throw new Error('This transport has no events; use `status`.');
  }

  override unwrap<Inner>(): Inner {
    return this.options.bus as Inner;
  }
}
