import type { ServiceBusClient, ServiceBusReceiver, ServiceBusReceiverOptions } from '@azure/service-bus';
import type { EntitySource } from './bus.js';

/** What people read in logs and faults: `rotation-due` or `rotation-events/console`. */
export function nameOf(source: EntitySource): string {
  return 'queue' in source ? source.queue : `${source.topic}/${source.subscription}`;
}

/** Where a message has to be sent to arrive at this source (and at the other subscriptions of its topic). */
export function entityOf(source: EntitySource): string {
  return 'queue' in source ? source.queue : source.topic;
}

export function createReceiver(
  client: ServiceBusClient,
  source: EntitySource,
  options: ServiceBusReceiverOptions,
): ServiceBusReceiver {
  return 'queue' in source
    ? client.createReceiver(source.queue, options)
    : client.createReceiver(source.topic, source.subscription, options);
}
