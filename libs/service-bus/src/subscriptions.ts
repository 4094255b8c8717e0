import type { ServiceBusAdministrationClient } from '@azure/service-bus';
import { ENTITY_DEFAULTS } from '@twinkey/contracts';
import type { Subscriptions } from './bus.js';
import { toFault } from './faults.js';

export function subscriptionsOf(administration: () => ServiceBusAdministrationClient): Subscriptions {
  return {
    ensure: async (topic, subscription, { autoDeleteOnIdleSeconds } = {}) => {
      try {
        await administration().createSubscription(topic, subscription, {
          lockDuration: ENTITY_DEFAULTS.lockDuration,
          maxDeliveryCount: ENTITY_DEFAULTS.maxDeliveryCount,
          defaultMessageTimeToLive: ENTITY_DEFAULTS.timeToLive,
          deadLetteringOnMessageExpiration: true,
          ...(autoDeleteOnIdleSeconds === undefined
            ? {}
            : { autoDeleteOnIdle: `PT${autoDeleteOnIdleSeconds}S` }),
        });
      } catch (error) {
        if (statusOf(error) !== 409) throw toFault(error, `${topic}/${subscription}`);
      }
    },
    remove: async (topic, subscription) => {
      try {
        await administration().deleteSubscription(topic, subscription);
      } catch (error) {
        if (statusOf(error) !== 404) throw toFault(error, `${topic}/${subscription}`);
      }
    },
  };
}

function statusOf(error: unknown): unknown {
  return error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
}
