import { concerns, hear, type Observed } from '@twinkey/account';
import type { RotationEvent } from '@twinkey/contracts';
import { appendOutbox } from '@twinkey/journal';
import { accountDeclared } from './messages.js';
import { observe, whenToJudge } from './observe.js';
import { declareAgain } from './sql/declare-again.js';
import { lockAccount } from './sql/lock-account.js';
import { moveAccounts } from './sql/move-accounts.js';
import type { SchedulerDatabase } from './tables.js';

/**
 * Takes note of an event of the rotator; a completion moves the next due time, which is declared. There is no
 * inbox: the event's sequence makes hearing it twice harmless, and most events end here without a query.
 */
export async function hearRotation(
  database: SchedulerDatabase,
  event: RotationEvent,
  now: Date,
): Promise<Observed | null> {
  if (!concerns(event.what.event)) return null;
  return database.kysely.transaction().execute(async (trx) => {
    const row = await lockAccount(trx, event.account);
    if (row === null) return null;
    const before = observe(row);
    const observed = hear(before, event);
    if (observed === before) return before;
    await moveAccounts(trx, [{ observed, lookAt: whenToJudge(observed, now) }]);
    if (observed.lastCompletedAt !== before.lastCompletedAt) {
      const rows = await declareAgain(trx, event.account, now);
      await appendOutbox(
        trx,
        rows.flatMap((declared) => accountDeclared(declared, now)),
      );
    }
    return observed;
  });
}
