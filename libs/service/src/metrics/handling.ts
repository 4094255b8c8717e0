import type { Around } from '@twinkey/nest-service-bus';
import type { Metrics } from './metrics.js';

/** Counts messages by their type and their end. Types that nobody handles are the sender's words, and share one name. */
export function countHandling(metrics: Metrics): Around {
  return async (_message, type = 'other', handle) => {
    const from = performance.now();
    const settlement = await handle();
    metrics.observe('twinkey_message_handling_seconds', { type }, (performance.now() - from) / 1_000);
    metrics.count('twinkey_messages_handled_total', { type, outcome: settlement.settle });
    return settlement;
  };
}
