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
  /** Public half of the ed25519 key that signs its acknowledgements over the bus: 32 bytes as base64url. */
  voice: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/, 'must be the 32 bytes of an ed25519 public key as base64url')
    .optional(),
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

/** What an instance showed an account since it started: calls with a key, tokens bought with one, calls with Entra's. */
export const Used = z.object({
  key: z.int().min(0),
  token: z.int().min(0),
  entra: z.int().min(0),
  /** The key itself was handed out to a client: there may be calls that nobody counted. */
  bare: z.boolean(),
});
export type Used = z.infer<typeof Used>;

/** The application keeps its key for now, and says why. */
export const SwitchRefusal = z.object({ generation: Generation, reason: z.string().min(1).max(200) });
export type SwitchRefusal = z.infer<typeof SwitchRefusal>;

/** POST /v1/instances/{instance}/heartbeat; 410 `unknown-instance` means: register again. */
export const HeartbeatRequest = z.object({
  boot: z.uuid(),
  accounts: z.array(
    z.object({
      account: AccountId,
      generation: Generation,
      drainedAt: Moment.optional(),
      used: Used.optional(),
      refusal: SwitchRefusal.optional(),
    }),
  ),
});
export type HeartbeatRequest = z.infer<typeof HeartbeatRequest>;

/** 200 */
export const HeartbeatAnswer = z.object({
  leaseSeconds: z.number().positive(),
  accounts: z.array(CurrentKey),
});
export type HeartbeatAnswer = z.infer<typeof HeartbeatAnswer>;
