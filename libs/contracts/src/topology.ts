// The one source of all queues, topics and subscriptions: the embedded broker, the official emulator's
// Config.json and the infrastructure templates are generated from it.
import type { AccountId } from './vocabulary.js';

export interface Queue {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

export interface Topic {
  readonly name: string;
  readonly from: string;
  /** Subscriptions that always exist; instances of consumers get theirs at run time. */
  readonly subscriptions: readonly string[];
}

export interface Topology {
  readonly queues: readonly Queue[];
  readonly topics: readonly Topic[];
}

/** How every entity is set up; inside the limits of the official emulator, so that the same entities exist there. */
export const ENTITY_DEFAULTS = {
  lockDuration: 'PT1M',
  maxDeliveryCount: 10,
  duplicateDetectionWindow: 'PT5M',
  timeToLive: 'PT1H',
} as const;

/** All entities of an installation with `shards` key-changed topics. */
export function topology({ shards }: { shards: number }): Topology {
  return {
    queues: [
      { name: 'rotation-due', from: 'scheduler', to: 'rotator' },
      { name: 'rotation-commands', from: 'console', to: 'rotator' },
      { name: 'switch-requests', from: 'rotator', to: 'notifier' },
      { name: 'switch-outcomes', from: 'notifier', to: 'rotator' },
      { name: 'acknowledgements', from: 'consumers', to: 'notifier' },
      { name: 'azure-events', from: 'Azure Event Grid', to: 'rotator' },
    ],
    topics: [
      ...Array.from({ length: shards }, (_, shard) => ({
        name: keyChangedTopic(shard),
        from: 'notifier',
        subscriptions: [],
      })),
      { name: 'rotation-events', from: 'rotator', subscriptions: ['scheduler', 'console'] },
      {
        name: 'registry-events',
        from: 'scheduler, notifier, console',
        subscriptions: ['rotator', 'notifier', 'console'],
      },
    ],
  };
}

export function keyChangedTopic(shard: number): string {
  return `key-changed-${shard}`;
}

/** The shard of an account: FNV-1a over its id, the same in every process and for ever. */
export function shardOf(account: AccountId, shards: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < account.length; index += 1) {
    hash = Math.imul(hash ^ account.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash % shards;
}

/**
 * The topology as the `Config.json` of Microsoft's Service Bus emulator. `lockDuration` (ISO 8601) is for how long the
 * messages of a service that was killed stay hidden from its successor.
 */
export function emulatorConfig(
  { queues, topics }: Topology,
  { lockDuration = ENTITY_DEFAULTS.lockDuration }: { lockDuration?: string } = {},
): object {
  const common = {
    DefaultMessageTimeToLive: ENTITY_DEFAULTS.timeToLive,
    DuplicateDetectionHistoryTimeWindow: ENTITY_DEFAULTS.duplicateDetectionWindow,
    RequiresDuplicateDetection: true,
  };
  const receiving = {
    DeadLetteringOnMessageExpiration: true,
    LockDuration: lockDuration,
    MaxDeliveryCount: ENTITY_DEFAULTS.maxDeliveryCount,
    RequiresSession: false,
  };
  return {
    UserConfig: {
      Namespaces: [
        {
          Name: 'sbemulatorns',
          Queues: queues.map(({ name }) => ({ Name: name, Properties: { ...common, ...receiving } })),
          Topics: topics.map(({ name, subscriptions }) => ({
            Name: name,
            Properties: common,
            Subscriptions: subscriptions.map((subscription) => ({
              Name: subscription,
              Properties: { ...receiving, DefaultMessageTimeToLive: ENTITY_DEFAULTS.timeToLive },
              Rules: [],
            })),
          })),
        },
      ],
      Logging: { Type: 'Console' },
    },
  };
}
