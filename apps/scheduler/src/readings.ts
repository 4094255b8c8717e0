import { nextDue } from '@twinkey/account';
import { accountLabels, type Reading, type Sample } from '@twinkey/service';
import { sql } from 'kysely';
import { observe } from './observe.js';
import type { AccountRow, SchedulerDatabase } from './tables.js';

const PRESENCES = ['here', 'keys-disabled', 'gone', 'unread'] as const;

/** What the list of accounts says, as metrics. */
export function accountsReading(database: SchedulerDatabase): Reading {
  return {
    name: 'accounts',
    gauges: ['twinkey_next_due_timestamp_seconds', 'twinkey_policy_interval_seconds', 'twinkey_accounts'],
    read: async () => {
      const { rows } = await sql<Omit<AccountRow, 'settings'>>`
        select account, presence, schedule, first_seen_at, last_completed_at, open_rotation, heard
        from account where listed`.execute(database.kysely);
      const names = accountLabels(rows.map(({ account }) => account));
      const counted = PRESENCES.map((presence): Sample => {
        const value = rows.filter((row) => row.presence === presence).length;
        return { gauge: 'twinkey_accounts', labels: { presence }, value };
      });
      const dues = rows
        .filter(({ presence }) => presence === 'here')
        .flatMap((row): Sample[] => {
          const labels = { account: names.get(row.account) ?? '' };
          const dueAt = nextDue(observe({ ...row, settings: null })).at / 1_000;
          const interval = row.schedule.intervalSeconds;
          return [
            { gauge: 'twinkey_next_due_timestamp_seconds', labels, value: dueAt },
            { gauge: 'twinkey_policy_interval_seconds', labels, value: interval },
          ];
        });
      return [...counted, ...dues];
    },
  };
}
