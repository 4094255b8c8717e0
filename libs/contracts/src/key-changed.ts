// The conversation of notifier and consumer instances.
import { z } from 'zod';
import { defineMessage } from './message.js';
import { AccountId, ConsumerName, Generation, InstanceId, Moment, SecretReference } from './vocabulary.js';

/** notifier → every instance: a newer generation is current. A reference and a number, never a key. */
export const KeyChanged = defineMessage({
  type: 'com.twinkey.key.changed.v1',
  entity: 'key-changed',
  data: z.object({
    account: AccountId,
    generation: Generation,
    secret: SecretReference,
    publishedAt: Moment,
  }),
});
export type KeyChanged = z.infer<typeof KeyChanged.data>;

/** instance → notifier: I use this generation; nothing signed with an older one is in flight after `drainedAt`. */
export const KeyAcknowledged = defineMessage({
  type: 'com.twinkey.key.acknowledged.v1',
  entity: 'acknowledgements',
  data: z.object({
    account: AccountId,
    consumer: ConsumerName,
    instance: InstanceId,
    /** Drawn anew at each start of the process: an acknowledgement of an earlier life counts for nothing. */
    boot: z.uuid(),
    generation: Generation,
    at: Moment,
    /** When the last call or token of an older generation dies; absent: it already has. */
    drainedAt: Moment.optional(),
    /** Of `acknowledgementText`, by the voice with which the instance registered: 64 bytes as base64url. */
    signature: z
      .string()
      .regex(/^[A-Za-z0-9_-]{86}$/, 'must be the 64 bytes of an ed25519 signature as base64url')
      .optional(),
  }),
});
export type KeyAcknowledged = z.infer<typeof KeyAcknowledged.data>;

/** What an instance signs: who says it, and all that it says. */
export function acknowledgementText({
  account,
  consumer,
  instance,
  boot,
  generation,
  drainedAt,
}: Pick<KeyAcknowledged, 'account' | 'consumer' | 'instance' | 'boot' | 'generation' | 'drainedAt'>): string {
  return ['twinkey acknowledgement 1', account, consumer, instance, boot, generation, drainedAt ?? ''].join(
    '\n',
  );
}
