import { z } from 'zod';
import { AccountSettings } from './account-settings.js';
import { defineMessage } from './message.js';
import { AccountId, ConsumerName, Generation, Moment } from './vocabulary.js';

const what = z.discriminatedUnion('event', [
  /** scheduler: this account is under care, on these terms. Repeated now and then: a new reader catches up. */
  z.object({ event: z.literal('account-declared'), settings: AccountSettings, nextDueAt: Moment.optional() }),
  z.object({ event: z.literal('account-withdrawn'), account: AccountId, reason: z.string() }),
  /** notifier: who uses the account's key, and how far they have moved. */
  z.object({
    event: z.literal('consumers-changed'),
    account: AccountId,
    generation: Generation,
    consumers: z.array(
      z.object({
        consumer: ConsumerName,
        live: z.int().min(0),
        acknowledged: z.int().min(0),
        lapsed: z.int().min(0),
      }),
    ),
  }),
  z.object({
    event: z.literal('service-alive'),
    service: z.enum(['scheduler', 'rotator', 'notifier']),
    startedAt: Moment,
  }),
]);

/** scheduler, notifier → rotator, notifier, console: who and what is under care. `version` grows per account and sender. */
export const RegistryEvent = defineMessage({
  type: 'com.twinkey.registry.event.v1',
  entity: 'registry-events',
  data: z.object({ version: z.int().min(1), at: Moment, what }),
});
export type RegistryEvent = z.infer<typeof RegistryEvent.data>;
