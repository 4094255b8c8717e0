import {
  AccountId,
  accountName,
  theOneThatCounts,
  type ConsumerDeclaration,
  type ConsumerName,
} from '@twinkey/contracts';
import type { Database } from '@twinkey/journal';
import type { ConsumerSummary } from '../api/answers.js';
import { declarationsByConsumer, type DatedSaying } from './declarations.js';
import type { ConsoleTables } from './tables.js';

type Db = Pick<Database<ConsoleTables>, 'kysely'>;

/** Every consumer that is declared or seen on an account, by name; or the one of that name. */
export async function listConsumers(db: Db, name?: ConsumerName): Promise<readonly ConsumerSummary[]> {
  const declared = await declarationsByConsumer(db.kysely, name);
  const seen = await seenOnAccounts(db, name);
  const counted = [...declared].filter(([, said]) => theOneThatCounts(said) !== undefined);
  const names = new Set([...counted.map(([consumer]) => consumer), ...seen.keys()]);
  return [...names].sort().map((consumer) => ({
    consumer,
    declared: declaredView(declared.get(consumer) ?? []),
    accounts: seen.get(consumer) ?? [],
  }));
}

function declaredView(said: readonly DatedSaying[]): ConsumerSummary['declared'] {
  const counts = theOneThatCounts(said);
  if (counts === undefined) return null;
  const { declaration, source, problems, by, at } = counts;
  return { source, by, since: at.toISOString(), ...termsOf(declaration), problems: [...problems] };
}

function termsOf({ consumer: _, accounts, ...terms }: ConsumerDeclaration) {
  return {
    owner: terms.owner,
    accounts: accounts.map((account) => accountName(account)),
    minimumInstances: terms.minimumInstances,
    acknowledgeWithinSeconds: terms.acknowledgeWithinSeconds ?? null,
    onOverdue: terms.onOverdue ?? null,
    escalate: terms.escalate ?? null,
    channel: terms.channel,
  };
}

async function seenOnAccounts(
  db: Db,
  name?: ConsumerName,
): Promise<Map<ConsumerName, ConsumerSummary['accounts']>> {
  const rows = await db.kysely
    .selectFrom('account')
    .select(['account', 'consumers'])
    .where('consumers', 'is not', null)
    .where('withdrawn_at', 'is', null)
    .orderBy('name')
    .execute();
  const seen = new Map<ConsumerName, ConsumerSummary['accounts']>();
  for (const { account, consumers } of rows) {
    for (const { consumer, ...progress } of consumers ?? []) {
      if (name !== undefined && consumer !== name) continue;
      const one = { account: accountName(AccountId.parse(account)), ...progress };
      seen.set(consumer, [...(seen.get(consumer) ?? []), one]);
    }
  }
  return seen;
}
