import { sql } from 'kysely';
import type { AccountId, Generation } from '@twinkey/contracts';
import type { KeySwitch } from '@twinkey/key-switch';
import type { Trx } from '../tables.js';

export interface LockedAccount {
  readonly account: AccountId;
  readonly generation: Generation;
  readonly switch: KeySwitch | null;
  readonly traceparent: string | null;
  readonly reportAt: number | null;
  readonly reportedVersion: number;
  readonly reported: string | null;
  /** When the question of the switch was put, and what the policy does at its deadline. */
  readonly askedAt: number | null;
  readonly onOverdue: 'hold' | 'force' | null;
}

/**
 * Takes the account for this transaction; null when it is not known, or when another one has it and `skipLocked`.
 * `no key update` leaves foreign keys alone: registrations of other accounts' instances do not wait for it.
 */
export async function lockAccount(
  trx: Trx,
  account: AccountId,
  { skipLocked }: { skipLocked: boolean },
): Promise<LockedAccount | null> {
  const row = await trx
    .selectFrom('account')
    .select([
      'account',
      'generation',
      'switch',
      'traceparent',
      'report_at',
      'reported_version',
      'reported',
      'asked_at',
      'on_overdue',
    ])
    .where('account', '=', account)
    .modifyEnd(skipLocked ? sql`for no key update skip locked` : sql`for no key update`)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { report_at, reported_version, asked_at, on_overdue, ...same } = row;
  return {
    ...same,
    reportAt: report_at?.getTime() ?? null,
    reportedVersion: reported_version,
    askedAt: asked_at?.getTime() ?? null,
    onOverdue: on_overdue,
  };
}
