import type { Around } from '@twinkey/nest-service-bus';
import { METRICS } from './catalogue.js';
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

/** Each type and end from 0 on: a first dead letter would be no rise if its series began with it. */
export function expectTypes(metrics: Metrics, types: readonly string[]): void {
  for (const type of [...types, 'other'])
    for (const outcome of METRICS.twinkey_messages_handled_total.labels.outcome)
      metrics.count('twinkey_messages_handled_total', { type, outcome }, 0);
}
