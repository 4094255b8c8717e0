import { sql, type RawBuilder } from 'kysely';
import type { AccountId } from '@twinkey/contracts';
import type { KeySwitch } from '@twinkey/key-switch';

/** Writes what was decided about an account that the transaction has locked. */
export function saveAccount(
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
): RawBuilder<unknown> {
  return sql`
    update account
    set switch = ${saved.switch === null ? null : JSON.stringify(saved.switch)}::json,
        generation = coalesce(${saved.switch?.generation ?? null}::integer, generation),
        traceparent = ${saved.traceparent},
        look_at = ${dateOf(saved.lookAt)},
        report_at = ${dateOf(saved.reportAt)},
        reported_version = ${saved.reportedVersion},
        reported = ${saved.reported},
        asked_at = ${dateOf(saved.askedAt)},
        on_overdue = ${saved.onOverdue}
    where account = ${account}`;
}

function dateOf(at: number | null): Date | null {
  return at === null ? null : new Date(at);
}
