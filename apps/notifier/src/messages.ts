// Everything the notifier says on the bus. Ids are derived from what a message means, so that saying it twice
// gives the same id.
import { createHash } from 'node:crypto';
import {
  accountName,
  GenerationAhead,
  keyChangedTopic,
  KeyChanged,
  RegistryEvent,
  shardOf,
  SwitchOutcome,
  writeMessage,
  type AccountId,
  type ConsumerUse,
  type Contract,
  type Generation,
  type InstanceId,
  type MissingInstance,
} from '@twinkey/contracts';
import type { OutboxMessage } from '@twinkey/journal';
import type { KeySwitch, Missing } from '@twinkey/key-switch';
import type { Said } from './advance.js';
import type { Progress } from './report.js';
import type { Told } from './sql/load-told.js';

interface Circumstances {
  readonly at: number;
  readonly shards: number;
  readonly traceparent: string | null;
}

/** What instances said of themselves, for the sake of people. */
interface Heard {
  readonly told?: ReadonlyMap<InstanceId, Told>;
}

export function messageOf(said: Said, { told, ...circumstances }: Circumstances & Heard): OutboxMessage {
  return said.say === 'key-changed'
    ? keyChanged(said.current, circumstances)
    : switchOutcome(said, { ...circumstances, ...(told === undefined ? {} : { told }) });
}

function keyChanged(current: KeySwitch, circumstances: Circumstances): OutboxMessage {
  const { account, generation, request, secret, publishedAt } = current;
  return outgoing(KeyChanged, {
    ...circumstances,
    id: `kc-${digest(account)}-g${generation}-r${request}`,
    entity: keyChangedTopic(shardOf(account, circumstances.shards)),
    account,
    data: { account, generation, secret, publishedAt: moment(publishedAt) },
  });
}

function switchOutcome(
  { current, outcome, openFrom, live, missing, forced, hold }: Said & { say: 'outcome' },
  { told, ...circumstances }: Circumstances & Heard,
): OutboxMessage {
  const { account, rotationId, generation, request, waived } = current;
  return outgoing(SwitchOutcome, {
    ...circumstances,
    id: `so-${digest(account)}-g${generation}-r${request}-${outcome}`,
    entity: SwitchOutcome.entity,
    account,
    data: {
      account,
      ...(rotationId === null ? {} : { rotationId }),
      generation,
      request,
      outcome,
      at: moment(circumstances.at),
      openFrom: moment(openFrom),
      instances: live,
      waived: [...waived],
      ...(forced.length === 0 ? {} : { forced: [...forced] }),
      missing: missing.map((one) => shownMissing(one, told)),
      ...(hold ? { hold } : {}),
    },
  });
}

function shownMissing({ lastSeenAt, ...who }: Missing, told: Heard['told']): MissingInstance {
  const refusal = who.instance === undefined ? undefined : told?.get(who.instance)?.refusal;
  return {
    ...who,
    ...(lastSeenAt === undefined ? {} : { lastSeenAt: moment(lastSeenAt) }),
    ...(refusal === undefined ? {} : { refusal: refusal.reason }),
  };
}

/** An instance is ahead of what the notifier was told: a question for the rotator, who knows what was published. */
export function generationAhead(data: GenerationAhead, circumstances: Circumstances): OutboxMessage {
  const { account, generation } = data;
  return outgoing(GenerationAhead, {
    ...circumstances,
    // One word for all instances: a fleet that reads the vault before we hear of a publication is no news each.
    id: `ga-${digest(account)}-g${generation}`,
    entity: GenerationAhead.entity,
    account,
    data,
  });
}

export function consumersChanged(
  {
    account,
    generation,
    consumers,
    version,
  }: {
    account: AccountId;
    generation: Generation;
    consumers: readonly Progress[];
    version: number;
  },
  circumstances: Omit<Circumstances, 'traceparent'>,
): OutboxMessage {
  return outgoing(RegistryEvent, {
    ...circumstances,
    traceparent: null,
    id: `cc-${digest(account)}-v${version}`,
    entity: RegistryEvent.entity,
    account,
    data: {
      version,
      at: moment(circumstances.at),
      what: { event: 'consumers-changed', account, generation, consumers: [...consumers] },
    },
  });
}

/** What instances told of their use of an account's key. */
export function useTold(
  { account, consumers, version }: { account: AccountId; consumers: readonly ConsumerUse[]; version: number },
  circumstances: Omit<Circumstances, 'traceparent'>,
): OutboxMessage {
  return outgoing(RegistryEvent, {
    ...circumstances,
    traceparent: null,
    id: `ut-${digest(account)}-v${version}`,
    entity: RegistryEvent.entity,
    account,
    data: {
      version,
      at: moment(circumstances.at),
      what: { event: 'use-told', account, consumers: [...consumers] },
    },
  });
}

function outgoing<Data>(
  contract: Contract<Data>,
  {
    id,
    entity,
    account,
    data,
    at,
    traceparent,
  }: Circumstances & { id: string; entity: string; account: AccountId; data: Data },
): OutboxMessage {
  const subject = accountName(account);
  const trace = traceparent === null ? {} : { traceparent };
  const body = writeMessage(contract, {
    id,
    source: 'twinkey/notifier',
    subject,
    time: new Date(at),
    data,
    ...trace,
  });
  return { id, entity, subject, body, orderKey: account, ...trace };
}

/** An account's id is longer than a message id may be. */
function digest(account: AccountId): string {
  return createHash('sha256').update(account).digest('hex').slice(0, 16);
}

export function moment(at: number): string {
  return new Date(at).toISOString();
}
