// Writes down what a survey found and tells the others, in the same transactions.
import { accountParts } from '@twinkey/contracts';
import { appendOutbox } from '@twinkey/journal';
import { accountDeclared, accountWithdrawn } from './messages.js';
import { observe, whenToJudge } from './observe.js';
import { listAccounts } from './sql/list-accounts.js';
import { moveAccounts } from './sql/move-accounts.js';
import { noteTrouble } from './sql/note-trouble.js';
import { takeUnderCare } from './sql/take-under-care.js';
import { withdrawAccounts, type Withdrawn } from './sql/withdraw-accounts.js';
import type { Survey } from './survey.js';
import type { AccountRow, SchedulerDatabase } from './tables.js';

// A transaction of this many accounts takes some tens of milliseconds, and no tick waits for its rows longer.
const AT_ONCE = 500;

export interface Recorded {
  readonly declared: readonly AccountRow[];
  readonly withdrawn: readonly AccountRow[];
}

/** Rejects with the signal's reason between two transactions: what is left over is found again by the next survey. */
export async function recordSurvey(
  database: SchedulerDatabase,
  found: Survey,
  now: Date,
  signal?: AbortSignal,
): Promise<Recorded> {
  const declared: AccountRow[] = [];
  for (const sighted of chunks(found.sighted, signal)) {
    declared.push(
      ...(await database.kysely.transaction().execute(async (trx) => {
        const changed = await takeUnderCare(trx, sighted, now);
        const observed = changed.map(observe);
        await moveAccounts(
          trx,
          observed.map((each) => ({ observed: each, lookAt: whenToJudge(each, now) })),
        );
        await appendOutbox(
          trx,
          changed.flatMap((row) => accountDeclared(row, now)),
        );
        return changed;
      })),
    );
  }
  for (const troubled of chunks(found.troubled, signal)) {
    await database.kysely.transaction().execute((trx) => noteTrouble(trx, troubled, now));
  }
  const withdrawn: AccountRow[] = [];
  for (const gone of chunks([...found.gone, ...(await unnamed(database, found))], signal)) {
    withdrawn.push(
      ...(await database.kysely.transaction().execute(async (trx) => {
        const changed = await withdrawAccounts(trx, gone, now);
        await appendOutbox(
          trx,
          changed.map((row) => accountWithdrawn(row, now)),
        );
        return changed;
      })),
    );
  }
  return { declared, withdrawn };
}

/** Accounts under care until now that the survey does not mention, unless their subscription could not be listed. */
async function unnamed(database: SchedulerDatabase, found: Survey): Promise<Withdrawn[]> {
  const mentioned = new Set(
    [...found.sighted, ...found.gone, ...found.troubled].map(({ account }) => account),
  );
  return (await listAccounts(database))
    .map(({ account }) => account)
    .filter((account) => !mentioned.has(account) && !found.unlisted.has(accountParts(account).subscription))
    .map((account) => ({ account, reason: 'no longer under care', listed: false }));
}

function* chunks<Item>(items: readonly Item[], signal?: AbortSignal): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += AT_ONCE) {
    signal?.throwIfAborted();
    yield items.slice(from, from + AT_ONCE);
  }
}
