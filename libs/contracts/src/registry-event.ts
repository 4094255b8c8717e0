import { z } from 'zod';
import { AccountSettings } from './account-settings.js';
import { ConsumerDeclaration, DeclarationSource } from './declared-consumer.js';
import { defineMessage, writeMessage } from './message.js';
import { SwitchRefusal, Used } from './registration.js';
import { AccountId, ConsumerName, Generation, InstanceId, Moment } from './vocabulary.js';

/** How far one consumer of an account has moved. */
const ConsumerProgress = z.object({
  consumer: ConsumerName,
  live: z.int().min(0),
  acknowledged: z.int().min(0),
  lapsed: z.int().min(0),
  /** How many live instances a declared consumer must have. */
  minimum: z.int().min(1).optional(),
  /** It has kept the switch waiting for so long that this one is to be told. */
  escalated: z.object({ to: z.string(), since: Moment }).optional(),
});

/** What the instances of one consumer told of their use of an account's key. */
const ConsumerUse = z.object({
  consumer: ConsumerName,
  live: z.int().min(0),
  lapsed: z.int().min(0),
  /** Live instances that do not say what they use. */
  silent: z.int().min(0),
  /** A declared receiver: it is given keys, and never says what it uses. */
  receiver: z.boolean().optional(),
  /** Summed up over the live instances, since each started. */
  used: Used.optional(),
  /** When an instance, live or not, was last known to have shown a key or a token bought with one. */
  shownAt: Moment.optional(),
  /** Since when no live instance has shown any; absent: no live instance says so. */
  quietSince: Moment.optional(),
  lastSeenAt: Moment.optional(),
  refusals: z.array(SwitchRefusal.extend({ instance: InstanceId })).optional(),
});
export type ConsumerUse = z.infer<typeof ConsumerUse>;

const what = z.discriminatedUnion('event', [
  /** scheduler: this account is under care, on these terms. Repeated now and then: a new reader catches up. */
  z.object({ event: z.literal('account-declared'), settings: AccountSettings, nextDueAt: Moment.optional() }),
  z.object({ event: z.literal('account-withdrawn'), account: AccountId, reason: z.string() }),
  /** notifier: who uses the account's key, and how far they have moved. */
  z.object({
    event: z.literal('consumers-changed'),
    account: AccountId,
    generation: Generation,
    consumers: z.array(ConsumerProgress),
  }),
  /** notifier: what instances told of their use of the account's key, and which refuse a newer one. */
  z.object({ event: z.literal('use-told'), account: AccountId, consumers: z.array(ConsumerUse) }),
  /** scheduler (the file), console (the API): a consumer on these terms. Repeated now and then, like accounts. */
  z.object({
    event: z.literal('consumer-declared'),
    source: DeclarationSource,
    declaration: ConsumerDeclaration,
    /** What of the declaration cannot be kept, for people: an account that is not under care. */
    problems: z.array(z.string().min(1)).optional(),
    /** Who asked for it over the API. */
    by: z.string().min(1).optional(),
  }),
  z.object({
    event: z.literal('consumer-withdrawn'),
    source: DeclarationSource,
    consumer: ConsumerName,
    reason: z.string(),
    by: z.string().min(1).optional(),
  }),
  z.object({
    event: z.literal('service-alive'),
    service: z.enum(['scheduler', 'rotator', 'notifier']),
    startedAt: Moment,
  }),
]);

/**
 * scheduler, notifier, console → rotator, notifier, console: who and what is under care. `version` grows per sender
 * and what it is about: an account, or a declared consumer.
 */
export const RegistryEvent = defineMessage({
  type: 'com.twinkey.registry.event.v1',
  entity: 'registry-events',
  data: z.object({ version: z.int().min(1), at: Moment, what }),
});
export type RegistryEvent = z.infer<typeof RegistryEvent.data>;

/** What one sender said last about one consumer. */
export interface SaidOfConsumer {
  readonly consumer: ConsumerName;
  readonly source: DeclarationSource;
  /** Of the sender; a later one replaces an earlier one, in whatever order they arrive. */
  readonly version: number;
  /** null: withdrawn. */
  readonly declaration: ConsumerDeclaration | null;
  /** What of the declaration cannot be kept, for people. */
  readonly problems: readonly string[];
  readonly by: string | null;
  /** Why it was withdrawn. */
  readonly reason: string | null;
}

/** The same of an event; null: it is about something else. */
export function saidOfConsumer({
  version,
  what,
}: Pick<RegistryEvent, 'version' | 'what'>): SaidOfConsumer | null {
  if (what.event === 'consumer-declared') {
    const { source, declaration, problems = [], by = null } = what;
    return { consumer: declaration.consumer, source, version, declaration, problems, by, reason: null };
  }
  if (what.event === 'consumer-withdrawn') {
    const { source, consumer, reason, by = null } = what;
    return { consumer, source, version, declaration: null, problems: [], by, reason };
  }
  return null;
}

/** A message about a consumer, as an outbox keeps it. All about one consumer go out in the order in which they were said. */
export function aboutConsumer(
  consumer: ConsumerName,
  event: { readonly id: string; readonly from: 'scheduler' | 'console'; readonly at: Date } & Pick<
    RegistryEvent,
    'version' | 'what'
  >,
) {
  const { id, from, at, version, what } = event;
  const data = { version, at: at.toISOString(), what };
  const body = writeMessage(RegistryEvent, {
    id,
    source: `twinkey/${from}`,
    subject: consumer,
    time: at,
    data,
  });
  return {
    id,
    entity: RegistryEvent.entity,
    subject: consumer,
    body,
    orderKey: `consumer ${consumer}`,
  };
}

/** What counts of all that was said of one consumer: the latest of each sender, and the file before the API. */
export function theOneThatCounts<Said extends Pick<SaidOfConsumer, 'source' | 'version' | 'declaration'>>(
  said: readonly Said[],
): (Said & { readonly declaration: ConsumerDeclaration }) | undefined {
  const latestFirst = [...said].sort((one, other) => other.version - one.version);
  for (const source of ['file', 'api'] as const) {
    const latest = latestFirst.find((one) => one.source === source);
    if (latest?.declaration != null) return { ...latest, declaration: latest.declaration };
  }
  return undefined;
}
