// The conversation of rotator and notifier about one publication: "who uses generation g?"
import { z } from 'zod';
import { defineMessage } from './message.js';
import {
  AccountId,
  ConsumerName,
  Fingerprint,
  Generation,
  InstanceId,
  KeySlot,
  Moment,
  RotationId,
  SecretReference,
} from './vocabulary.js';

/** rotator → notifier: bring every instance to this generation, and say when they all are there. */
export const SwitchRequested = defineMessage({
  type: 'com.twinkey.switch.requested.v1',
  entity: 'switch-requests',
  data: z.object({
    account: AccountId,
    /** Absent when a publication outside a rotation is announced (first publication, drift healed). */
    rotationId: RotationId.optional(),
    generation: Generation,
    /** Grows with each request about the same generation, so that an answer names its question. */
    request: z.int().min(1),
    slot: KeySlot,
    fingerprint: Fingerprint,
    secret: SecretReference,
    publishedAt: Moment,
    deadlineAt: Moment,
    drainSeconds: z.number().min(0),
    withoutConsumers: z.enum(['wait', 'rotate']),
    /** What the policy does at the deadline; a declared consumer may have said something else of itself. */
    onOverdue: z.enum(['hold', 'force']).optional(),
    /** Consumers that a named person excused from acknowledging. */
    waived: z.array(ConsumerName),
  }),
});
export type SwitchRequested = z.infer<typeof SwitchRequested.data>;

export const MissingInstance = z.object({
  consumer: ConsumerName,
  /** Absent: a declared consumer has fewer live instances than it must have. */
  instance: InstanceId.optional(),
  live: z.int().min(0).optional(),
  minimum: z.int().min(1).optional(),
  /** The generation that it acknowledged last; 0 is none. */
  generation: Generation,
  lastSeenAt: Moment.optional(),
  /** Why its application keeps the older key, in its own words. */
  refusal: z.string().min(1).max(200).optional(),
});
export type MissingInstance = z.infer<typeof MissingInstance>;

/** notifier → rotator: the evidence, or what is missing at the deadline. */
export const SwitchOutcome = defineMessage({
  type: 'com.twinkey.switch.outcome.v1',
  entity: 'switch-outcomes',
  data: z.object({
    account: AccountId,
    rotationId: RotationId.optional(),
    generation: Generation,
    request: z.int().min(1),
    outcome: z.enum(['acknowledged', 'overdue']),
    at: Moment,
    /**
     * From this moment on nothing signed with an older key can be in flight any more; when it is overdue: of all but
     * the missing ones.
     */
    openFrom: Moment.optional(),
    instances: z.int().min(0),
    waived: z.array(ConsumerName),
    /** Declared consumers that were left out at deadlines of their own, as they were declared. */
    forced: z.array(ConsumerName).optional(),
    missing: z.array(MissingInstance),
    /** One of the missing was declared to hold: it is not left behind, whatever the account's policy says. */
    hold: z.boolean().optional(),
  }),
});
export type SwitchOutcome = z.infer<typeof SwitchOutcome.data>;

/** notifier → rotator: an instance uses a generation that the notifier was never told of. */
export const GenerationAhead = defineMessage({
  type: 'com.twinkey.switch.ahead.v1',
  entity: 'switch-outcomes',
  data: z.object({
    account: AccountId,
    consumer: ConsumerName,
    instance: InstanceId,
    /** What the instance uses. */
    generation: Generation,
    /** The newest that the notifier knows. */
    published: Generation,
    at: Moment,
  }),
});
export type GenerationAhead = z.infer<typeof GenerationAhead.data>;
