import { NEVER_MS } from '../duration.js';
import type { Rule } from './rules/rule.js';

export type Status = 'Active' | 'Disabled' | 'SendDisabled' | 'ReceiveDisabled';

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
  readonly enableBatchedOperations: boolean;
}

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
  enableBatchedOperations: true,
};

/** An entity as it is written to the journal. `id` numbers its store of messages, `id + 1` that of its dead letters. */
export type EntityRecord =
  | { kind: 'queue'; id: number; path: string; createdAt: number; settings: QueueSettings }
  | { kind: 'topic'; id: number; path: string; createdAt: number; settings: TopicSettings }
  | {
      kind: 'subscription';
      id: number;
      path: string;
      createdAt: number;
      settings: QueueSettings;
      rules: readonly Rule[];
    };
