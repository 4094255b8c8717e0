// Writes down what the file declares about consumers and tells the others, in the same transaction.
import type { AccountId } from '@twinkey/contracts';
import { appendOutbox } from '@twinkey/journal';
import type { DeclaredConsumer } from './care-list.js';
import { consumerDeclared, consumerWithdrawn } from './messages.js';
import { resolveConsumer } from './read-consumers.js';
import { declareConsumers, withdrawConsumers } from './sql/declare-consumers.js';
import { listAccounts } from './sql/list-accounts.js';
import type { SchedulerDatabase } from './tables.js';

/** Tells what changed; returns what of the declarations cannot be kept, for people. */
export async function recordConsumers(
  database: SchedulerDatabase,
  declared: readonly DeclaredConsumer[],
  now: Date,
): Promise<readonly string[]> {
  const underCare: readonly AccountId[] = (await listAccounts(database))
    .filter(({ presence }) => presence !== 'gone')
    .map(({ account }) => account);
  const resolved = declared.map((one) => resolveConsumer(one, underCare));
  await database.kysely.transaction().execute(async (trx) => {
    const changed = await declareConsumers(trx, resolved, now);
    const withdrawn = await withdrawConsumers(
      trx,
      declared.map(({ terms }) => terms.consumer),
      now,
    );
    await appendOutbox(trx, [
      ...changed.flatMap((row) => consumerDeclared(row, now)),
      ...withdrawn.map((row) => consumerWithdrawn(row, now)),
    ]);
  });
  return resolved.flatMap(({ declaration, problems }) =>
    problems.map((problem) => `consumer ${declaration.consumer}: ${problem}`),
  );
}
