import type { OpenRotation, Presence, Schedule } from '@twinkey/account';
import type { AccountId, AccountSettings, ConsumerName } from '@twinkey/contracts';
import type { Database } from '@twinkey/journal';
import type { Resolved } from './read-consumers.js';

/** A row of `account`; the migrations say what each column is for. */
export interface AccountRow {
  readonly account: AccountId;
  readonly listed: boolean;
  readonly presence: Presence;
  readonly trouble: string | null;
  readonly settings: AccountSettings | null;
  readonly schedule: Schedule;
  readonly first_seen_at: Date;
  readonly last_completed_at: Date | null;
  readonly heard: number;
  readonly open_rotation: OpenRotation | null;
  readonly look_at: Date | null;
  readonly declared_version: number;
  readonly declared_at: Date | null;
}

/** A consumer that the file declares, or declared once. */
export interface ConsumerRow {
  readonly consumer: ConsumerName;
  /** null: withdrawn. */
  readonly declared: Resolved | null;
  readonly declared_version: number;
  readonly declared_at: Date;
}

export interface SchedulerTables {
  account: AccountRow;
  consumer: ConsumerRow;
}

export type SchedulerDatabase = Database<SchedulerTables>;
