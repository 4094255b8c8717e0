import { createRequire } from 'node:module';
import { Connection, type ConnectionOptions } from 'rhea-promise';
import type { BusLog } from './bus.js';

let tried = false;

/**
 * Turns Nagle's algorithm off in the sockets of the SDK. It offers no option for it, and with Nagle on a small
 * frame may wait 40 ms for the peer's delayed acknowledgement: one announcement to one consumer and back took
 * 44 ms instead of 1.4 ms.
 *
 * The hook sits on the class that makes the connections, so connections made after a restart of the broker have
 * it too. Where the SDK brings a copy of that class of its own, one line says so and everything just is slower.
 */
export function withoutNagle(log: BusLog | undefined): void {
  if (tried) return;
  tried = true;
  const prototype = Connection.prototype as { open?: unknown };
  const open = prototype.open;
  if (typeof open !== 'function' || !sdkUsesThisCopy()) {
    log?.warn(
      {},
      'Small messages may be slow: the connections of this Service Bus SDK cannot be told to send at once',
    );
    return;
  }
  prototype.open = function (this: { options?: ConnectionOptions }, ...given: unknown[]): unknown {
    // Not part of the options that rhea-promise declares, but rhea below it reads it for TCP and TLS.
    const options = this.options as { tcp_no_delay?: boolean } | undefined;
    if (options !== undefined) options.tcp_no_delay ??= true;
    return Reflect.apply(open, this, given) as unknown;
  };
}

function sdkUsesThisCopy(): boolean {
  const here = createRequire(import.meta.url);
  const sdk = createRequire(here.resolve('@azure/service-bus'));
  const amqp = createRequire(sdk.resolve('@azure/core-amqp'));
  return amqp.resolve('rhea-promise') === here.resolve('rhea-promise');
}
