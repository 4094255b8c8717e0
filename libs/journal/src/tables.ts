import type { Generated, GeneratedAlways } from 'kysely';

/** What `migrations/` creates in the schema of every service. */
export interface JournalTables {
  stream: StreamTable;
  journal: JournalTable;
  outbox: OutboxTable;
  inbox: InboxTable;
  lease: LeaseTable;
}

export interface StreamTable {
  name: string;
  version: number;
  state: unknown;
  look_again_at: Date | null;
}

export interface JournalTable {
  stream: string;
  seq: GeneratedAlways<number>;
  type: string;
  data: unknown;
  at: Date;
}

export interface OutboxTable {
  seq: GeneratedAlways<number>;
  id: string;
  entity: string;
  subject: string | null;
  body: unknown;
  traceparent: string | null;
  not_before: Date | null;
  order_key: string;
  appended_at: Generated<Date>;
  sent_at: Date | null;
}

export interface InboxTable {
  handler: string;
  message_id: string;
  handled_at: Generated<Date>;
}

export interface LeaseTable {
  name: string;
  holder: string;
  epoch: number;
  expires_at: Date;
}
