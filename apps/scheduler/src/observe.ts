import { judge, type Observed } from '@twinkey/account';
import type { AccountRow } from './tables.js';

/** A row as the judgement sees it. */
export function observe(row: AccountRow): Observed {
  return {
    account: row.account,
    presence: row.presence,
    schedule: row.schedule,
    firstSeenAt: row.first_seen_at.getTime(),
    lastCompletedAt: row.last_completed_at?.getTime() ?? null,
    open: row.open_rotation,
    heard: row.heard,
  };
}

/** When the account must be judged next; null: when something is heard of it. */
export function whenToJudge(observed: Observed, now: Date): Date | null {
  const verdict = judge(observed, now.getTime());
  if (verdict.do === 'ask') return now;
  return verdict.until === null ? null : new Date(verdict.until);
}
