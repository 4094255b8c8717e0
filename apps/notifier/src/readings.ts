// What the registry says, as metrics.
import type { AccountId } from '@twinkey/contracts';
import { accountLabels, type Reading, type Sample } from '@twinkey/service';
import { sql } from 'kysely';
import type { Queries } from './tables.js';

interface AccountFacts {
  readonly account: AccountId;
  readonly pending: number;
  /** Milliseconds since 1970; null: nothing is waited for. */
  readonly deadline: number | null;
}

/** How far each account's key switch is, counted over memberships by their primary key. */
export function accountsReading(db: Queries): Reading {
  return {
    name: 'key switches',
    gauges: ['twinkey_pending_acknowledgements', 'twinkey_switch_deadline_timestamp_seconds'],
    read: async () => {
      const { rows } = await sql<AccountFacts>`
        select a.account,
               count(m.instance) filter (where m.acknowledged < a.generation) as pending,
               case when a.switch -> 'answer' ->> 'outcome' is distinct from 'acknowledged'
                    then (a.switch ->> 'deadlineAt')::float8 end as deadline
        from account a left join membership m using (account)
        where not a.withdrawn
        group by a.account`.execute(db);
      const names = accountLabels(rows.map(({ account }) => account));
      return rows.flatMap(({ account, pending, deadline }): Sample[] => {
        const labels = { account: names.get(account) ?? '' };
        const value = (deadline ?? 0) / 1_000;
        return [
          { gauge: 'twinkey_pending_acknowledgements', labels, value: pending },
          ...(deadline === null
            ? []
            : [{ gauge: 'twinkey_switch_deadline_timestamp_seconds', labels, value } as const]),
        ];
      });
    },
  };
}

/** Who reports, and who does not any more. Standing instances, of webhooks and subscriptions, never report. */
export function instancesReading(db: Queries): Reading {
  return {
    name: 'instances',
    gauges: ['twinkey_instances'],
    read: async () => {
      const { rows } = await sql<{ live: number; lapsed: number }>`
        select count(*) filter (where lease_until > clock_timestamp()) as live,
               count(*) filter (where lease_until <= clock_timestamp()) as lapsed
        from instance where channel in ('service-bus', 'heartbeat')`.execute(db);
      const { live, lapsed } = rows[0] ?? { live: 0, lapsed: 0 };
      return [
        { gauge: 'twinkey_instances', labels: { state: 'live' }, value: live },
        { gauge: 'twinkey_instances', labels: { state: 'lapsed' }, value: lapsed },
      ];
    },
  };
}
