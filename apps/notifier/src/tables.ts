import type {
  AccountId,
  ConsumerDeclaration,
  ConsumerName,
  DeclarationSource,
  Generation,
  InstanceId,
  SecretReference,
} from '@twinkey/contracts';
import type { Database } from '@twinkey/journal';
import type { KeySwitch } from '@twinkey/key-switch';
import type { ColumnType, Generated, GeneratedAlways, Kysely, Transaction } from 'kysely';

/** What `migrations/` creates. The service is the only writer, so the narrow types hold what it put there. */
export interface NotifierTables {
  account: AccountTable;
  consumer: ConsumerTable;
  declaration: DeclarationTable;
  expectation: ExpectationTable;
  instance: InstanceTable;
  membership: MembershipTable;
  nudge: NudgeTable;
}

/** A json column: read parsed, written as text. */
type Json<Value> = ColumnType<Value, string | null | undefined, string | null>;

interface AccountTable {
  account: AccountId;
  name: string;
  secret: Json<SecretReference | null>;
  declared_version: Generated<number>;
  withdrawn: Generated<boolean>;
  generation: Generated<Generation>;
  switch: Json<KeySwitch | null>;
  traceparent: string | null;
  look_at: Date | null;
  report_at: Date | null;
  reported_version: Generated<number>;
  reported: string | null;
  only_declared: Generated<boolean>;
  asked_at: Date | null;
  on_overdue: 'hold' | 'force' | null;
}

interface ConsumerTable {
  consumer: ConsumerName;
  registered_at: Generated<Date>;
  declaration: Json<ConsumerDeclaration | null>;
  declared_by: DeclarationSource | null;
}

interface DeclarationTable {
  consumer: ConsumerName;
  source: DeclarationSource;
  version: number;
  declaration: Json<ConsumerDeclaration | null>;
  problems: ColumnType<readonly string[], string, string>;
  said_by: string | null;
}

interface ExpectationTable {
  account: AccountId;
  consumer: ConsumerName;
}

/** How an instance hears of new keys; the last two are those of standing instances. */
export type InstanceChannel = 'service-bus' | 'heartbeat' | 'subscription' | 'webhook';

interface InstanceTable {
  instance: InstanceId;
  consumer: ConsumerName;
  name: string;
  boot: string;
  channel: InstanceChannel;
  registered_at: Date;
  seen_at: Date;
  lease_until: Date;
  lapsed_at: Date | null;
  look_at: Date;
  identity: string | null;
  voice: Buffer | null;
}

interface MembershipTable {
  account: AccountId;
  instance: InstanceId;
  acknowledged: Generated<Generation>;
  acknowledged_at: Date | null;
  drained_at: Date | null;
  shown: number | null;
  shown_at: Date | null;
}

interface NudgeTable {
  id: GeneratedAlways<number>;
  account: AccountId;
}

export type NotifierDatabase = Database<NotifierTables>;
type AllTables = NotifierDatabase['kysely'] extends Kysely<infer Tables> ? Tables : never;
export type Queries = Kysely<AllTables>;
export type Trx = Transaction<AllTables>;
