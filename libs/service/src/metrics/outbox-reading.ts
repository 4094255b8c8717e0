import type { OutboxRelay } from '@twinkey/journal';
import type { Reading } from './metrics.js';

/** What waits in the outbox of the service, for all its replicas. */
export function outboxReading(relay: Pick<OutboxRelay, 'lag'>): Reading {
  return {
    name: 'outbox',
    gauges: ['twinkey_outbox_waiting_messages', 'twinkey_outbox_oldest_seconds'],
    read: async () => {
      const { waiting, oldestSeconds } = await relay.lag();
      return [
        { gauge: 'twinkey_outbox_waiting_messages', labels: {}, value: waiting },
        { gauge: 'twinkey_outbox_oldest_seconds', labels: {}, value: oldestSeconds },
      ];
    },
  };
}
