import type { ConsumerName, Generation } from '@twinkey/contracts';
import { standingOf, type Instance, type Terms } from './instance.js';

/** How far one consumer has moved. `acknowledged` counts live instances that use exactly the published generation. */
export interface ConsumerCount {
  readonly consumer: ConsumerName;
  readonly live: number;
  readonly acknowledged: number;
  readonly lapsed: number;
}

/** Counts an account's instances per consumer, in the order of the consumers' names. */
export function census(
  instances: readonly Instance[],
  published: Generation,
  terms: Terms,
  now: number,
): readonly ConsumerCount[] {
  const counts = new Map<ConsumerName, ConsumerCount>();
  for (const instance of instances) {
    const standing = standingOf(instance, terms, now);
    if (standing === 'gone') continue;
    const { consumer } = instance;
    const before = counts.get(consumer) ?? { consumer, live: 0, acknowledged: 0, lapsed: 0 };
    const moved = standing === 'live' && published > 0 && instance.acknowledged === published;
    counts.set(consumer, {
      ...before,
      [standing]: before[standing] + 1,
      acknowledged: before.acknowledged + (moved ? 1 : 0),
    });
  }
  return [...counts.values()].sort((a, b) => (a.consumer < b.consumer ? -1 : 1));
}
