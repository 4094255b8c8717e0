import type { ConsumerName, Generation } from '@twinkey/contracts';
import type { Expectation } from './expectation.js';
import { standingOf, type Instance, type Terms } from './instance.js';

/** How far one consumer has moved. `acknowledged` counts live instances that use exactly the published generation. */
export interface ConsumerCount {
  readonly consumer: ConsumerName;
  readonly live: number;
  readonly acknowledged: number;
  readonly lapsed: number;
  /** Of a declared consumer: how many live instances there must be. Absent: none must. */
  readonly minimum?: number;
}

/**
 * Counts an account's instances per consumer, in the order of the consumers' names. A declared consumer is told even
 * when nobody of it is there.
 */
export function census(
  instances: readonly Instance[],
  published: Generation,
  terms: Terms,
  now: number,
  expected: readonly Expectation[],
): readonly ConsumerCount[] {
  const counts = new Map<ConsumerName, ConsumerCount>();
  for (const { consumer, minimum } of expected) {
    const declared = minimum > 0 ? { minimum } : {};
    counts.set(consumer, { consumer, live: 0, acknowledged: 0, lapsed: 0, ...declared });
  }
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
