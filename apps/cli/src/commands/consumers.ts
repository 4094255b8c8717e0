import type { ConsumerSummary } from '../answers.js';
import { duration, relative } from '../moments.js';
import { printList } from '../screen.js';
import { usageFailure } from '../settings.js';
import { sheet, table } from '../table.js';
import { section } from './accounts.js';
import { askedBy, type Session } from './session.js';

export interface DeclareOptions {
  readonly owner: string;
  readonly account?: readonly string[];
  readonly minimum?: number;
  readonly acknowledgeWithin?: number;
  readonly onOverdue?: string;
  readonly escalateTo?: string;
  readonly escalateAfter?: number;
  readonly subscription?: string;
  readonly webhook?: string;
  readonly signature?: string;
  readonly secret?: string;
  readonly reason?: string;
}

export interface WithdrawOptions {
  readonly reason?: string;
}

/** `twinkey consumers list` */
export async function listConsumers({ client, screen }: Session): Promise<void> {
  const answer = await client.get<{ consumers: ConsumerSummary[] }>('/v1/consumers');
  printList(screen, answer.consumers, {
    whole: answer,
    name: ({ consumer }) => consumer,
    table: () =>
      table(
        ['CONSUMER', 'DECLARED', 'OWNER', 'CHANNEL', 'LIVE', 'MINIMUM', 'ACCOUNTS', 'PROBLEMS'],
        answer.consumers.map(({ consumer, declared, accounts }) => [
          consumer,
          declared?.source ?? '-',
          declared?.owner ?? '-',
          declared?.channel.kind ?? 'instances',
          String(Math.max(0, ...accounts.map(({ live }) => live))),
          String(declared?.minimumInstances ?? 0),
          [...new Set([...(declared?.accounts ?? []), ...accounts.map(({ account }) => account)])].join(
            ',',
          ) || '-',
          String(declared?.problems.length ?? 0),
        ]),
      ),
  });
}

/** `twinkey consumers show <consumer>` */
export async function showConsumer({ client, screen }: Session, name: string): Promise<void> {
  print(screen, await client.get<ConsumerSummary>(pathOf(name)));
}

/** `twinkey consumers declare <consumer> --owner …` */
export async function declareConsumer(
  { client, screen }: Session,
  name: string,
  options: DeclareOptions,
): Promise<void> {
  const { owner, account = [], minimum, acknowledgeWithin, onOverdue, reason } = options;
  const declared = await client.put<ConsumerSummary>(pathOf(name), {
    by: askedBy(),
    reason,
    owner,
    accounts: account,
    minimumInstances: minimum,
    acknowledgeWithinSeconds: secondsOf(acknowledgeWithin),
    onOverdue,
    escalate: escalationOf(options),
    channel: channelOf(options),
  });
  print(screen, declared);
  screen.talk('The notifier hears of it within moments.');
}

/** `twinkey consumers withdraw <consumer>` */
export async function withdrawConsumer(
  { client, screen }: Session,
  name: string,
  { reason }: WithdrawOptions,
): Promise<void> {
  const query = new URLSearchParams({ by: askedBy(), ...(reason === undefined ? {} : { reason }) });
  const answer = await client.delete<{ consumer: string }>(`${pathOf(name)}?${query.toString()}`);
  printList(screen, [answer], {
    whole: answer,
    name: ({ consumer }) => consumer,
    table: () => [`consumer ${answer.consumer}: withdrawn`],
  });
}

function print(screen: Session['screen'], consumer: ConsumerSummary): void {
  printList(screen, [consumer], {
    whole: consumer,
    name: () => consumer.consumer,
    table: () => [...sheet(facts(consumer)), ...section('Accounts', accountTable(consumer))],
  });
}

function facts({ consumer, declared }: ConsumerSummary): (readonly [string, string])[] {
  if (declared === null) {
    return [
      ['Name', consumer],
      ['Declared', 'no; its instances have registered by themselves'],
    ];
  }
  const { source, by, since, owner, minimumInstances, acknowledgeWithinSeconds, onOverdue } = declared;
  const { escalate, channel, problems } = declared;
  return [
    ['Name', consumer],
    ['Declared', `${source === 'file' ? 'in twinkey.yaml' : `by ${by ?? '-'}`}, ${relative(since)}`],
    ['Owner', owner],
    ['Accounts', declared.accounts.join(', ') || '-'],
    ['Channel', channelLine(channel)],
    ['Minimum', `${minimumInstances} instances`],
    ['Deadline', acknowledgeWithinSeconds === null ? 'of the account' : duration(acknowledgeWithinSeconds)],
    ['Overdue', onOverdue ?? 'as the policy says'],
    ['Escalates', escalate === null ? '-' : `to ${escalate.to} after ${duration(escalate.afterSeconds)}`],
    ...problems.map((problem) => ['Problem', problem] as const),
  ];
}

function channelLine({
  kind,
  name,
  url,
  signature,
}: NonNullable<ConsumerSummary['declared']>['channel']): string {
  if (kind === 'subscription') return `subscription ${name ?? ''}`;
  return kind === 'webhook' ? `webhook ${url ?? ''}, signed with ${signature ?? ''}` : 'its instances';
}

function accountTable({ accounts }: ConsumerSummary): string[] {
  if (accounts.length === 0) return [];
  return table(
    ['ACCOUNT', 'LIVE', 'MINIMUM', 'ACKNOWLEDGED', 'LAPSED', 'ESCALATED'],
    accounts.map(({ account, live, minimum = 0, acknowledged, lapsed, escalated }) => [
      account,
      String(live),
      String(minimum),
      String(acknowledged),
      String(lapsed),
      escalated === undefined ? '-' : `to ${escalated.to}, ${relative(escalated.since)}`,
    ]),
  );
}

function pathOf(name: string): string {
  return `/v1/consumers/${encodeURIComponent(name)}`;
}

function secondsOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.ceil(ms / 1000);
}

function escalationOf({ escalateTo, escalateAfter }: DeclareOptions): object | undefined {
  if ((escalateTo === undefined) !== (escalateAfter === undefined)) {
    throw usageFailure(
      '--escalate-to and --escalate-after go together.',
      'An escalation says who is to be told, and after how long.',
    );
  }
  return escalateTo === undefined ? undefined : { to: escalateTo, afterSeconds: secondsOf(escalateAfter) };
}

function channelOf({ subscription, webhook, signature, secret }: DeclareOptions): object {
  if (subscription !== undefined && webhook !== undefined) {
    throw usageFailure(
      '--subscription and --webhook exclude each other.',
      'A receiver hears of new keys in one way.',
    );
  }
  if (webhook === undefined && (signature !== undefined || secret !== undefined)) {
    throw usageFailure('--signature and --secret go with --webhook only.', 'Nothing else is signed so.');
  }
  if (webhook !== undefined) {
    return { kind: 'webhook', url: webhook, signature: signature ?? 'ed25519', secret };
  }
  return subscription === undefined ? { kind: 'instances' } : { kind: 'subscription', name: subscription };
}
