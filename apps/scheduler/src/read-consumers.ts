// `consumers:` of the file → declarations, and which accounts their names stand for.
import { parseDuration } from '@twinkey/account';
import {
  AccountId,
  accountName,
  accountParts,
  ConsumerName,
  type ConsumerChannel,
  type ConsumerDeclaration,
} from '@twinkey/contracts';
import type { DeclaredConsumer } from './care-list.js';
import type { ConsumerEntry } from './consumer-schema.js';
import { spell, type FileFault, type Path } from './file-faults.js';

export interface ReadConsumers {
  readonly consumers: readonly DeclaredConsumer[];
  readonly faults: readonly FileFault[];
}

/** Reads them with every fault at once. */
export function readConsumers(written: Readonly<Record<string, ConsumerEntry>>): ReadConsumers {
  const faults: FileFault[] = [];
  const consumers = Object.entries(written).map(([name, entry]): DeclaredConsumer => {
    const path = ['consumers', name];
    const seconds = (field: Path, text: string): number => {
      const read = parseDuration(text);
      const rule = !read.ok
        ? read.problem
        : read.seconds > 0 && Number.isInteger(read.seconds)
          ? null
          : 'must be whole seconds, and longer than 0';
      if (rule !== null) faults.push({ path: [...path, ...field], rule, remedy: `correct "${text}"` });
      return read.ok ? read.seconds : 0;
    };
    const { acknowledgeWithin, escalate, onOverdue } = entry;
    return {
      accounts: entry.accounts,
      terms: {
        consumer: ConsumerName.parse(name),
        owner: entry.owner,
        minimumInstances: entry.minimumInstances,
        ...(acknowledgeWithin === undefined
          ? {}
          : { acknowledgeWithinSeconds: seconds(['acknowledgeWithin'], acknowledgeWithin) }),
        ...(onOverdue === undefined ? {} : { onOverdue }),
        ...(escalate === undefined
          ? {}
          : { escalate: { afterSeconds: seconds(['escalate', 'after'], escalate.after), to: escalate.to } }),
        channel: channelOf(entry.channel, [...path, 'channel'], faults),
      },
    };
  });
  return { consumers, faults: [...faults, ...sharedSubscriptions(consumers)] };
}

function channelOf(written: ConsumerEntry['channel'], path: Path, faults: FileFault[]): ConsumerChannel {
  if (written === 'instances') return { kind: 'instances' };
  const { subscription, webhook } = written;
  if ((subscription === undefined) === (webhook === undefined)) {
    faults.push({
      path,
      rule: 'must be instances, or have either subscription or webhook',
      remedy: 'write exactly one of them',
    });
  }
  if (webhook?.signature === 'hmac' && webhook.secret === undefined) {
    faults.push({
      path: [...path, 'webhook', 'secret'],
      rule: 'is missing',
      remedy: 'name the Key Vault secret that both sides share, or sign with ed25519',
    });
  }
  if (webhook !== undefined) {
    const { secret, ...same } = webhook;
    return { kind: 'webhook', ...same, ...(secret === undefined ? {} : { secret }) };
  }
  return subscription === undefined
    ? { kind: 'instances' }
    : { kind: 'subscription', name: subscription.name };
}

/** Two consumers on one subscription would take each other's messages away. */
function sharedSubscriptions(consumers: readonly DeclaredConsumer[]): FileFault[] {
  const seen = new Map<string, Path>();
  return consumers.flatMap(({ terms: { consumer, channel } }) => {
    if (channel.kind !== 'subscription') return [];
    const path = ['consumers', consumer, 'channel', 'subscription', 'name'];
    const earlier = seen.get(channel.name.toLowerCase());
    seen.set(channel.name.toLowerCase(), path);
    if (earlier === undefined) return [];
    return [
      {
        path,
        rule: `is the one of ${spell(earlier)} too`,
        remedy: 'give each consumer a subscription of its own',
      },
    ];
  });
}

export interface Resolved {
  readonly declaration: ConsumerDeclaration;
  /** Accounts that are named and not under care. */
  readonly problems: readonly string[];
}

/** Finds the accounts that a declaration names among those under care. One that is not there is told, not fatal. */
export function resolveConsumer(
  { terms, accounts }: DeclaredConsumer,
  underCare: readonly AccountId[],
): Resolved {
  const found = new Set<AccountId>();
  const problems: string[] = [];
  for (const written of accounts) {
    const matches = underCare.filter((account) => isCalled(account, written));
    const [only] = matches;
    if (only !== undefined && matches.length === 1) found.add(only);
    else
      problems.push(
        matches.length === 0
          ? `"${written}" is no account under care; correct its name, or add it to accounts`
          : `${matches.length} accounts are called "${written}"; write the id of the one that is meant`,
      );
  }
  return { declaration: { ...terms, accounts: [...found] }, problems };
}

function isCalled(account: AccountId, written: string): boolean {
  const id = AccountId.safeParse(written);
  if (id.success) return account === id.data;
  const [name = '', group] = written.toLowerCase().split('/').reverse();
  return (
    accountName(account) === name && (group === undefined || accountParts(account).resourceGroup === group)
  );
}
