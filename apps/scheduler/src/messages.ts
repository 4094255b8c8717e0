// What the scheduler says, as outbox rows.
import { digest12, nextDue, type Ask } from '@twinkey/account';
import {
  aboutConsumer,
  RegistryEvent,
  RotationDue,
  accountName,
  writeMessage,
  type AccountId,
  type Contract,
  type Message,
} from '@twinkey/contracts';
import type { OutboxMessage } from '@twinkey/journal';
import { observe } from './observe.js';
import type { AccountRow, ConsumerRow } from './tables.js';

/** `times`: the how-manieth time this rotation is asked for; a repetition must not pass for a duplicate. */
export function rotationDue(account: AccountId, ask: Ask, times: string, now: Date): OutboxMessage {
  const { rotationId, reason } = ask;
  return about(
    account,
    RotationDue,
    writeMessage(RotationDue, {
      id: `due-${rotationId}-${times}`,
      source: 'twinkey/scheduler',
      subject: accountName(account),
      time: now,
      data: { rotationId, account, dueAt: new Date(ask.dueAt).toISOString(), reason },
    }),
  );
}

/** Declares the account as its row says; none while Azure has not answered about it. */
export function accountDeclared(row: AccountRow, now: Date): OutboxMessage[] {
  if (row.settings === null) return [];
  const observed = observe(row);
  const due = observed.open === null ? { nextDueAt: new Date(nextDue(observed).at).toISOString() } : {};
  return [registryEvent(row, { event: 'account-declared', settings: row.settings, ...due }, now)];
}

export function accountWithdrawn(row: AccountRow, now: Date): OutboxMessage {
  const reason = row.trouble ?? 'no longer under care';
  return registryEvent(row, { event: 'account-withdrawn', account: row.account, reason }, now);
}

/** Declares the consumer as its row says; none when it was withdrawn. */
export function consumerDeclared(row: ConsumerRow, now: Date): OutboxMessage[] {
  if (row.declared === null) return [];
  const { declaration, problems } = row.declared;
  const told = problems.length === 0 ? {} : { problems: [...problems] };
  return [consumerEvent(row, { event: 'consumer-declared', source: 'file', declaration, ...told }, now)];
}

export function consumerWithdrawn(row: ConsumerRow, now: Date): OutboxMessage {
  const { consumer } = row;
  const reason = 'the file does not declare it any more';
  return consumerEvent(row, { event: 'consumer-withdrawn', source: 'file', consumer, reason }, now);
}

function consumerEvent(
  { consumer, declared_version: version }: ConsumerRow,
  what: RegistryEvent['what'],
  now: Date,
): OutboxMessage {
  const id = `${what.event}-${consumer}-${version}`;
  return aboutConsumer(consumer, { id, from: 'scheduler', at: now, version, what });
}

function registryEvent(row: AccountRow, what: RegistryEvent['what'], now: Date): OutboxMessage {
  const { account, declared_version: version } = row;
  return about(
    account,
    RegistryEvent,
    writeMessage(RegistryEvent, {
      id: `${what.event}-${digest12(account)}-${version}`,
      source: 'twinkey/scheduler',
      subject: accountName(account),
      time: now,
      data: { version, at: now.toISOString(), what },
    }),
  );
}

function about<Data>(account: AccountId, contract: Contract<Data>, message: Message<Data>): OutboxMessage {
  return {
    id: message.id,
    entity: contract.entity,
    subject: accountName(account),
    body: message,
    orderKey: account,
  };
}
