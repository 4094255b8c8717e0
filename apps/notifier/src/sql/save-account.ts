import type { AccountId } from '@twinkey/contracts';
import type { KeySwitch } from '@twinkey/key-switch';
import type { Trx } from '../tables.js';

/** Writes what was decided about an account that this transaction has locked. */
export async function saveAccount(
  trx: Trx,
  account: AccountId,
  saved: {
    readonly switch: KeySwitch | null;
    readonly traceparent: string | null;
    readonly lookAt: number | null;
    readonly reportAt: number | null;
    readonly reportedVersion: number;
    readonly reported: string | null;
    readonly askedAt: number | null;
    readonly onOverdue: 'hold' | 'force' | null;
  },
): Promise<void> {
  await trx
    .updateTable('account')
    .set({
      switch: saved.switch === null ? null : JSON.stringify(saved.switch),
      ...(saved.switch === null ? {} : { generation: saved.switch.generation }),
      traceparent: saved.traceparent,
      look_at: dateOf(saved.lookAt),
      report_at: dateOf(saved.reportAt),
      reported_version: saved.reportedVersion,
      reported: saved.reported,
      asked_at: dateOf(saved.askedAt),
      on_overdue: saved.onOverdue,
    })
    .where('account', '=', account)
    .execute();
}

function dateOf(at: number | null): Date | null {
  return at === null ? null : new Date(at);
}
