// What a consumer instance and the notifier say to each other over HTTP: register, heartbeat, goodbye.
import { z } from 'zod';
import { AccountId, ConsumerName, Generation, InstanceId, Moment, SecretReference } from './vocabulary.js';

/** POST /v1/instances */
export const RegisterRequest = z.object({
  consumer: ConsumerName,
  /** The instance's own name for people: pod name, host and process. */
  name: z.string().min(1).max(120),
  boot: z.uuid(),
  /** Account names or ARM ids. */
  accounts: z.array(z.string().min(1)).min(1).max(200),
  /** `service-bus`: provision a subscription; `heartbeat`: learn of changes from heartbeats only. */
  channel: z.enum(['service-bus', 'heartbeat']).default('service-bus'),
});
export type RegisterRequest = z.infer<typeof RegisterRequest>;

const CurrentKey = z.object({
  account: AccountId,
  name: z.string(),
  /** Nothing older may be served. 0: nothing is published yet. */
  generation: Generation,
  secret: SecretReference,
});

/** 201 */
export const RegisterAnswer = z.object({
  instance: InstanceId,
  /** Without a heartbeat for this long the instance counts as lapsed. */
  leaseSeconds: z.number().positive(),
  heartbeatSeconds: z.number().positive(),
  /** A lapsed instance may use a key only if it re-read Key Vault within this time. */
  rereadSeconds: z.number().positive(),
  accounts: z.array(CurrentKey),
  subscriptions: z.array(z.object({ topic: z.string(), subscription: z.string() })),
});
export type RegisterAnswer = z.infer<typeof RegisterAnswer>;

/** POST /v1/instances/{instance}/heartbeat; 410 `unknown-instance` means: register again. */
export const HeartbeatRequest = z.object({
  boot: z.uuid(),
  accounts: z.array(z.object({ account: AccountId, generation: Generation, drainedAt: Moment.optional() })),
});
export type HeartbeatRequest = z.infer<typeof HeartbeatRequest>;

/** 200 */
export const HeartbeatAnswer = z.object({
  leaseSeconds: z.number().positive(),
  accounts: z.array(CurrentKey),
});
export type HeartbeatAnswer = z.infer<typeof HeartbeatAnswer>;
