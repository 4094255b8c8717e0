import { sql } from 'kysely';
import type { AccountId, Generation, InstanceId, SecretReference } from '@twinkey/contracts';
import type { Queries, Trx } from '../tables.js';

export interface CurrentKey {
  readonly account: AccountId;
  readonly name: string;
  readonly generation: Generation;
  readonly secret: SecretReference;
}

const COLUMNS = [
  'account.account',
  'account.name',
  'account.generation',
  'account.secret',
  'account.switch',
] as const;

/**
 * The published generations of these accounts, which cannot change before this transaction ends. A shared lock:
 * registrations do not wait for each other, a switch request waits for them. In the order of the ids, so that two
 * registrations and a request never wait in a circle.
 */
export async function holdCurrentKeys(
  trx: Trx,
  accounts: readonly AccountId[],
): Promise<readonly CurrentKey[]> {
  const rows = await trx
    .selectFrom('account')
    .select(COLUMNS)
    .where('account.account', '=', sql<AccountId>`any(${[...accounts]}::text[])`)
    .orderBy('account.account')
    .forShare()
    .execute();
  return rows.map(currentKeyOf);
}

/** What an instance is registered for, and what it said last about each. */
export async function membershipsOf(
  db: Queries,
  instance: InstanceId,
): Promise<readonly (CurrentKey & { acknowledged: Generation; drainedAt: number | null })[]> {
  const rows = await db
    .selectFrom('membership')
    .innerJoin('account', 'account.account', 'membership.account')
    .select([...COLUMNS, 'membership.acknowledged', 'membership.drained_at'])
    .where('membership.instance', '=', instance)
    .orderBy('account.account')
    .execute();
  return rows.map((row) => ({
    ...currentKeyOf(row),
    acknowledged: row.acknowledged,
    drainedAt: row.drained_at?.getTime() ?? null,
  }));
}

function currentKeyOf(row: {
  account: AccountId;
  name: string;
  generation: Generation;
  secret: SecretReference | null;
  switch: { secret: SecretReference } | null;
}): CurrentKey {
  const secret = row.switch?.secret ?? row.secret;
  if (secret === null) throw new Error(`Where the secret of ${row.name} lives was never said.`);
  return { account: row.account, name: row.name, generation: row.generation, secret };
}
