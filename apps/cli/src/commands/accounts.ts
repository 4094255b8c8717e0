import type { Account, AccountDetail, Consumer } from '../answers.js';
import { duration, relative } from '../moments.js';
import { paintState, printList, type Screen } from '../screen.js';
import { sheet, table } from '../table.js';
import { rotationTable } from './rotations.js';
import type { Session } from './session.js';

export async function listAccounts({ client, screen }: Session): Promise<void> {
  const answer = await client.get<{ accounts: Account[] }>('/v1/accounts');
  printList(screen, answer.accounts, {
    whole: answer,
    name: ({ name }) => name,
    table: () =>
      table(
        ['NAME', 'STATE', 'STEP', 'SERVING', 'CONSUMERS', 'NEXT', 'LAST ROTATED'],
        answer.accounts.map((account) => [
          account.name,
          paintState(screen, account.state),
          account.step ?? '-',
          serving(account),
          consumerCount(account.consumers),
          relative(account.nextDueAt),
          relative(account.lastRotatedAt),
        ]),
      ),
  });
}

export async function showAccount({ client, screen }: Session, name: string): Promise<void> {
  const account = await client.get<AccountDetail>(`/v1/accounts/${encodeURIComponent(name)}`);
  printList(screen, [account], {
    whole: account,
    name: () => account.name,
    table: () => [
      ...sheet(facts(account, screen)),
      ...section('Consumers', account.consumers.length === 0 ? [] : consumerTable(account.consumers)),
      ...section('Rotations', account.rotations.length === 0 ? [] : rotationTable(account.rotations, screen)),
    ],
  });
}

function facts(account: AccountDetail, screen: Screen): (readonly [string, string])[] {
  const { settings, published, drift, withdrawn } = account;
  const open =
    account.rotation === null ? '' : ` (${account.rotation}${account.step ? `, ${account.step}` : ''})`;
  return [
    ['Name', account.name],
    ['Id', account.account],
    ['State', paintState(screen, account.state) + open],
    ...(withdrawn ? [['Withdrawn', `${relative(withdrawn.at)}: ${withdrawn.reason}`] as const] : []),
    ['Serving', published ? `${serving(account)}, fingerprint ${published.fingerprint}` : '-'],
    ...account.keys.map(
      ({ slot, fingerprint }) =>
        [
          slot,
          fingerprint === null ? 'replaced, not published since' : `fingerprint ${fingerprint}`,
        ] as const,
    ),
    ...(drift ? [['Drift', driftLine(drift)] as const] : []),
    ['Next', relative(account.nextDueAt)],
    ['Last rotated', relative(account.lastRotatedAt)],
    ...(settings
      ? ([
          ['Kind', `${settings.kind}, ${settings.location}`],
          ['Endpoint', settings.endpoint],
          ['Secret', `${settings.secret.vaultUrl.replace(/\/+$/, '')}/secrets/${settings.secret.name}`],
          ['Policy', policyLine(settings.policy)],
        ] as const)
      : []),
  ];
}

function driftLine({ kind, detail, at, over }: NonNullable<AccountDetail['drift']>): string {
  const end = over === null ? 'not dealt with yet' : `${over.how} ${relative(over.at)}`;
  return `${kind}, ${relative(at)}: ${detail} (${end})`;
}

function policyLine(policy: NonNullable<AccountDetail['settings']>['policy']): string {
  const { name, intervalSeconds, acknowledgeWithinSeconds, onOverdue } = policy;
  return `${name}: every ${duration(intervalSeconds)}, acknowledged within ${duration(acknowledgeWithinSeconds)}, then ${onOverdue}`;
}

function serving({ published }: Account): string {
  return published ? `${published.slot} g${published.generation}` : '-';
}

/** Instances that acknowledged, of those that live. */
function consumerCount(consumers: readonly Consumer[]): string {
  const sum = (field: 'live' | 'acknowledged' | 'lapsed') =>
    consumers.reduce((total, consumer) => total + consumer[field], 0);
  const lapsed = sum('lapsed');
  return `${sum('acknowledged')}/${sum('live')}${lapsed === 0 ? '' : ` (${lapsed} lapsed)`}`;
}

function consumerTable(consumers: readonly Consumer[]): string[] {
  return table(
    ['CONSUMER', 'LIVE', 'ACKNOWLEDGED', 'LAPSED'],
    consumers.map(({ consumer, live, acknowledged, lapsed, minimum }) => [
      consumer,
      minimum === undefined ? String(live) : `${live} of at least ${minimum}`,
      String(acknowledged),
      String(lapsed),
    ]),
  );
}

export function section(title: string, lines: readonly string[]): string[] {
  return ['', `${title}:`, ...(lines.length === 0 ? ['  none'] : lines.map((line) => `  ${line}`))];
}
