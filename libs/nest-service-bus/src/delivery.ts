import { AsyncLocalStorage } from 'node:async_hooks';
import type { BusContext } from './context.js';

const deliveries = new AsyncLocalStorage<BusContext>();

/** The delivery that the running code is handling, if any: log lines and outbox rows take the trace parent from it. */
export function currentDelivery(): BusContext | undefined {
  return deliveries.getStore();
}

export function duringDelivery<Result>(context: BusContext, work: () => Result): Result {
  return deliveries.run(context, work);
}
