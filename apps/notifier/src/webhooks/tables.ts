// What 0010-webhooks.sql creates, as far as code names it.
import type { AccountId, ConsumerName, Generation } from '@twinkey/contracts';

/**
 * waiting ──► acknowledged   its consumer uses the generation, whoever said so
 *         ├─► delivered      a 2xx answer that acknowledged nothing
 *         ├─► superseded     a newer question about the account took its place
 *         ├─► withdrawn      the consumer is not declared for it any more
 *         └─► given-up       until_at has passed
 * `resend` puts any of them back.
 */
export type DeliveryState =
  'waiting' | 'acknowledged' | 'delivered' | 'superseded' | 'withdrawn' | 'given-up';

/** `lost`: whoever made the attempt died with it, and nobody knows whether the request arrived. */
export type AttemptOutcome = 'acknowledged' | 'delivered' | 'retry' | 'stop' | 'lost';

/** A message on its way to one consumer. */
export interface DeliveryRow {
  readonly delivery: number;
  readonly consumer: ConsumerName;
  readonly event: string;
  readonly kind: 'key-changed' | 'test';
  readonly account: AccountId | null;
  readonly generation: Generation | null;
  readonly body: string;
  readonly state: DeliveryState;
  readonly created_at: Date;
  readonly deadline_at: Date;
  readonly until_at: Date;
  readonly next_at: Date | null;
  readonly attempts: number;
  readonly tries: number;
  readonly settled_at: Date | null;
  readonly asked_by: string | null;
}
