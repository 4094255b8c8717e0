// What was declared about consumers, and which accounts wait for them because of it.
import { sql } from 'kysely';
import {
  accountName,
  type AccountId,
  type ConsumerDeclaration,
  type ConsumerName,
  type DeclarationSource,
  type SaidOfConsumer,
} from '@twinkey/contracts';
import type { Queries, Trx } from '../tables.js';

export async function declarationsOf(
  db: Queries,
  consumer: ConsumerName,
): Promise<readonly Pick<SaidOfConsumer, 'source' | 'version' | 'declaration'>[]> {
  return db
    .selectFrom('declaration')
    .select(['source', 'version', 'declaration'])
    .where('consumer', '=', consumer)
    .execute();
}

/** Takes the consumer for this transaction, known or not, and says what was declared of it until now. */
export async function lockConsumer(trx: Trx, consumer: ConsumerName): Promise<ConsumerDeclaration | null> {
  await trx
    .insertInto('consumer')
    .values({ consumer })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  // Leaves foreign keys alone: instances of the consumer register meanwhile.
  const row = await trx
    .selectFrom('consumer')
    .select('declaration')
    .where('consumer', '=', consumer)
    .modifyEnd(sql`for no key update`)
    .executeTakeFirstOrThrow();
  return row.declaration;
}

/** False when a later version is known already. */
export async function saveDeclaration(trx: Trx, said: SaidOfConsumer): Promise<boolean> {
  const { consumer, source, version, declaration, problems, by } = said;
  const values = {
    version,
    declaration: declaration === null ? null : JSON.stringify(declaration),
    problems: JSON.stringify(problems),
    said_by: by,
  };
  const { numInsertedOrUpdatedRows = 0n } = await trx
    .insertInto('declaration')
    .values({ consumer, source, ...values })
    .onConflict((conflict) =>
      conflict.columns(['consumer', 'source']).doUpdateSet(values).where('declaration.version', '<', version),
    )
    .executeTakeFirst();
  return numInsertedOrUpdatedRows > 0n;
}

/** Lets the accounts of the declaration, and no others, wait for the consumer. */
export async function expectConsumer(
  trx: Trx,
  consumer: ConsumerName,
  counts: { readonly declaration: ConsumerDeclaration; readonly source: DeclarationSource } | undefined,
): Promise<void> {
  await trx
    .updateTable('consumer')
    .set({
      declaration: counts === undefined ? null : JSON.stringify(counts.declaration),
      declared_by: counts?.source ?? null,
    })
    .where('consumer', '=', consumer)
    .execute();
  const accounts = [...(counts?.declaration.accounts ?? [])].sort();
  // The scheduler's word about an account may come after its word about the consumer.
  if (accounts.length > 0) {
    await trx
      .insertInto('account')
      .values(accounts.map((account) => ({ account, name: accountName(account) })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  await sql`
    delete from expectation
    where consumer = ${consumer} and account <> all (${accounts}::text[])`.execute(trx);
  await sql`
    insert into expectation (account, consumer)
    select account, ${consumer} from unnest(${accounts}::text[]) as a (account)
    on conflict do nothing`.execute(trx);
}

/** The declared consumers of an account. */
export async function declaredFor(db: Queries, account: AccountId): Promise<readonly ConsumerDeclaration[]> {
  const rows = await db
    .selectFrom('expectation')
    .innerJoin('consumer', 'consumer.consumer', 'expectation.consumer')
    .select('consumer.declaration')
    .where('expectation.account', '=', account)
    .orderBy('consumer.consumer')
    .execute();
  return rows.flatMap(({ declaration }) => declaration ?? []);
}

/** What was declared of one consumer; null: nothing. */
export async function declarationOf(
  db: Queries,
  consumer: ConsumerName,
): Promise<ConsumerDeclaration | null> {
  const row = await db
    .selectFrom('consumer')
    .select('declaration')
    .where('consumer', '=', consumer)
    .executeTakeFirst();
  return row?.declaration ?? null;
}

export interface DeclaredConsumer {
  readonly declaration: ConsumerDeclaration;
  /** Whether the file or the API declared it. */
  readonly by: DeclarationSource;
  readonly problems: readonly string[];
}

/** Every declared consumer. */
export async function declaredConsumers(db: Queries): Promise<ReadonlyMap<ConsumerName, DeclaredConsumer>> {
  const { rows } = await sql<DeclaredConsumer & { consumer: ConsumerName }>`
    select c.consumer, c.declaration, c.declared_by as by, d.problems
    from consumer c join declaration d on d.consumer = c.consumer and d.source = c.declared_by
    where c.declaration is not null`.execute(db);
  return new Map(rows.map(({ consumer, ...declared }) => [consumer, declared]));
}
