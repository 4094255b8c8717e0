import { keyChangedTopic, shardOf, type AccountId, type InstanceId } from '@twinkey/contracts';
import type { Shell } from './shell.js';

/** Longer than a consumer's outage that is worth keeping announcements for; Azure's least is 300. */
const autoDeleteOnIdleSeconds = 600;

export interface Subscription {
  readonly topic: string;
  readonly subscription: string;
}

/** One subscription per topic that announces any of the accounts: every instance hears, not one of them. */
export function subscriptionsFor(
  instance: InstanceId,
  accounts: readonly AccountId[],
  shards: number,
): readonly Subscription[] {
  const topics = new Set(accounts.map((account) => keyChangedTopic(shardOf(account, shards))));
  return [...topics].map((topic) => ({ topic, subscription: instance }));
}

/**
 * Makes them. While the broker is away an instance may register all the same and gets none: it learns of changes
 * from its heartbeats, seconds later, and consumers can start without Service Bus.
 */
export async function provision(
  { subscriptions, log }: Shell,
  wanted: readonly Subscription[],
): Promise<readonly Subscription[]> {
  try {
    await Promise.all(
      wanted.map(({ topic, subscription }) =>
        subscriptions.ensure(topic, subscription, { autoDeleteOnIdleSeconds }),
      ),
    );
    return wanted;
  } catch (error) {
    log.warn({ err: error }, 'An instance registers without subscriptions and lives on heartbeats');
    return [];
  }
}

/** Removes them as far as the broker answers; those it keeps go away by themselves when they are idle. */
export async function withdraw(
  { subscriptions, log }: Shell,
  unused: readonly Subscription[],
): Promise<void> {
  for (const { topic, subscription } of unused) {
    try {
      await subscriptions.remove(topic, subscription);
    } catch (error) {
      log.info({ err: error, topic, subscription }, 'A subscription is left to expire by itself');
    }
  }
}
