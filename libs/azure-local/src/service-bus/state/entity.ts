import { NEVER_MS } from '../duration.js';
import type { Queue } from './queue.js';
import type { Rule } from './rules/rule.js';
import type { Topic } from './topic.js';

export type Entity = { kind: 'queue'; queue: Queue } | { kind: 'topic'; topic: Topic };

export type Status = 'Active' | 'Disabled' | 'SendDisabled' | 'ReceiveDisabled';

export type AccessRight = 'Send' | 'Listen' | 'Manage';

/** Who may use one entity with a shared access key. */
export interface AuthorizationRule {
  readonly keyName: string;
  readonly rights: readonly AccessRight[];
  readonly primaryKey: string;
  readonly secondaryKey: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

/** What queues and subscriptions have in common; times in ms. */
export interface QueueSettings {
  readonly lockDurationMs: number;
  readonly requiresSession: boolean;
  readonly defaultTtlMs: number;
  readonly deadLetterOnExpiration: boolean;
  readonly deadLetterOnFilterError: boolean;
  readonly maxDeliveryCount: number;
  readonly requiresDuplicateDetection: boolean;
  readonly duplicateWindowMs: number;
  readonly autoDeleteOnIdleMs: number;
  readonly forwardTo?: string | undefined;
  readonly forwardDeadLettersTo?: string | undefined;
  readonly status: Status;
  readonly userMetadata?: string | undefined;
  readonly maxSizeInMegabytes: number;
  readonly maxMessageSizeInKilobytes: number;
  readonly authorizationRules?: readonly AuthorizationRule[] | undefined;
  readonly enableBatchedOperations: boolean;
}

/** Larger ones are a matter of the Premium tier, which is not emulated. */
export const STANDARD_MESSAGE_KILOBYTES = 256;

export const queueDefaults: QueueSettings = {
  lockDurationMs: 60_000,
  requiresSession: false,
  defaultTtlMs: NEVER_MS,
  deadLetterOnExpiration: false,
  deadLetterOnFilterError: true,
  maxDeliveryCount: 10,
  requiresDuplicateDetection: false,
  duplicateWindowMs: 600_000,
  autoDeleteOnIdleMs: NEVER_MS,
  status: 'Active',
  maxSizeInMegabytes: 1024,
  maxMessageSizeInKilobytes: STANDARD_MESSAGE_KILOBYTES,
  enableBatchedOperations: true,
};

export interface TopicSettings {
  readonly defaultTtlMs: number;
  readonly requiresDuplicateDetection: boolean;
  readonly duplicateWindowMs: number;
  readonly autoDeleteOnIdleMs: number;
  readonly supportOrdering: boolean;
  readonly status: Status;
  readonly userMetadata?: string | undefined;
  readonly maxSizeInMegabytes: number;
  readonly maxMessageSizeInKilobytes: number;
  readonly authorizationRules?: readonly AuthorizationRule[] | undefined;
  readonly enableBatchedOperations: boolean;
}

export const topicDefaults: TopicSettings = {
  defaultTtlMs: NEVER_MS,
  requiresDuplicateDetection: false,
  duplicateWindowMs: 600_000,
  autoDeleteOnIdleMs: NEVER_MS,
  supportOrdering: true,
  status: 'Active',
  maxSizeInMegabytes: 1024,
  maxMessageSizeInKilobytes: STANDARD_MESSAGE_KILOBYTES,
  enableBatchedOperations: true,
};

interface Recorded {
  id: number;
  path: string;
  createdAt: number;
  /** Absent in journals of earlier versions. */
  updatedAt?: number;
}

/** An entity as it is written to the journal. `id` numbers its store of messages, `id + 1` that of its dead letters. */
export type EntityRecord =
  | (Recorded & { kind: 'queue'; settings: QueueSettings })
  | (Recorded & { kind: 'topic'; settings: TopicSettings })
  | (Recorded & { kind: 'subscription'; settings: QueueSettings; rules: readonly Rule[] });

/** A topic's own store keeps what is scheduled, whatever its time to live. */
export function storeSettings(settings: TopicSettings): QueueSettings {
  return {
    ...queueDefaults,
    status: settings.status,
    requiresDuplicateDetection: settings.requiresDuplicateDetection,
    duplicateWindowMs: settings.duplicateWindowMs,
    autoDeleteOnIdleMs: settings.autoDeleteOnIdleMs,
    maxSizeInMegabytes: settings.maxSizeInMegabytes,
    maxMessageSizeInKilobytes: settings.maxMessageSizeInKilobytes,
  };
}
