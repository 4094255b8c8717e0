// Declared consumers: what was said of each by the file and over this API.
import type { ConsumerName, SaidOfConsumer } from '@twinkey/contracts';
import type { Database } from '@twinkey/journal';
import { sql } from 'kysely';
import type { ConsoleTables } from './tables.js';

export type Queries = Database<ConsoleTables>['kysely'];
export type Trx = Parameters<Parameters<ReturnType<Queries['transaction']>['execute']>[0]>[0];

export interface DatedSaying extends SaidOfConsumer {
  readonly at: Date;
}

/** Keeps it unless a later version is known. */
export async function noteDeclaration(db: Queries, said: DatedSaying): Promise<void> {
  const { consumer, source, version, declaration, problems, by, reason, at } = said;
  const values = {
    version,
    declaration: declaration === null ? null : JSON.stringify(declaration),
    problems: JSON.stringify(problems),
    said_by: by,
    reason,
    repeated_at: at,
  };
  await db
    .insertInto('declaration')
    .values({ consumer, source, ...values, said_at: at })
    .onConflict((conflict) =>
      conflict
        .columns(['consumer', 'source'])
        .doUpdateSet({
          ...values,
          // The same said again is no news.
          said_at: sql<Date>`case when declaration.declaration is not distinct from excluded.declaration
                                  then declaration.said_at else excluded.said_at end`,
        })
        .where('declaration.version', '<', version),
    )
    .execute();
}

/** All that was said, or all that was said of one consumer. */
export async function declarationRows(db: Queries, consumer?: ConsumerName): Promise<readonly DatedSaying[]> {
  const rows = await db
    .selectFrom('declaration')
    .selectAll()
    .$if(consumer !== undefined, (query) => query.where('consumer', '=', consumer ?? ('' as ConsumerName)))
    .orderBy('consumer')
    .execute();
  return rows.map(({ said_by, said_at, repeated_at: _, ...same }) => ({ ...same, by: said_by, at: said_at }));
}

/** The same, by consumer. */
export async function declarationsByConsumer(
  db: Queries,
  consumer?: ConsumerName,
): Promise<ReadonlyMap<ConsumerName, readonly DatedSaying[]>> {
  const said = new Map<ConsumerName, DatedSaying[]>();
  for (const one of await declarationRows(db, consumer)) {
    said.set(one.consumer, [...(said.get(one.consumer) ?? []), one]);
  }
  return said;
}
