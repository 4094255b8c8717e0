// The console's own tables, as Kysely sees them; migrations/ says what each is for.
import type {
  AccountSettings,
  ConsumerDeclaration,
  ConsumerName,
  ConsumerUse,
  DeclarationSource,
  Fingerprint,
  KeySlot,
  RegistryEvent,
  RotationEvent,
  RotationScope,
  Step,
} from '@twinkey/contracts';
import type { ColumnType, Generated } from 'kysely';
import type { Halt, Refusal, RotationState, RotationStep, Waiting } from './rotation-story.js';

export type What = RotationEvent['what'];
export type ConsumerProgress = Extract<RegistryEvent['what'], { event: 'consumers-changed' }>['consumers'];
export type Drift = Omit<Extract<What, { event: 'drift' }>, 'event'> & {
  at: string;
  over?: { how: 'healed' | 'adopted' | 'gone'; at: string };
};

type Time = ColumnType<Date, Date | string, Date | string>;
type MaybeTime = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
type Json<T extends object> = ColumnType<T, string | undefined, string>;
type MaybeJson<T extends object> = ColumnType<T | null, string | null | undefined, string | null>;

export interface AccountTable {
  account: string;
  name: string;
  settings: MaybeJson<AccountSettings>;
  settings_version: Generated<number>;
  next_due_at: MaybeTime;
  withdrawn_at: MaybeTime;
  withdrawn_reason: string | null;
  consumers: MaybeJson<ConsumerProgress>;
  consumers_version: Generated<number>;
  published_slot: KeySlot | null;
  published_generation: Generated<number>;
  published_fingerprint: Fingerprint | null;
  published_at: MaybeTime;
  drift: MaybeJson<Drift>;
  drift_sequence: Generated<number>;
  use_told: MaybeJson<ConsumerUse[]>;
  use_told_version: Generated<number>;
  use_told_at: MaybeTime;
}

export interface DeclarationTable {
  consumer: ConsumerName;
  source: DeclarationSource;
  version: number;
  declaration: MaybeJson<ConsumerDeclaration>;
  problems: Json<string[]>;
  said_by: string | null;
  reason: string | null;
  said_at: Time;
  repeated_at: Time;
}

export interface AccountKeyTable {
  account: string;
  slot: KeySlot;
  fingerprint: Fingerprint;
  named_sequence: Generated<number>;
  retired_at: MaybeTime;
  retired_by: string | null;
}

export interface RotationTable {
  rotation: string;
  account: string;
  scope: Generated<RotationScope>;
  slot: KeySlot | null;
  state: RotationState;
  requested_by: string | null;
  reason: string | null;
  step: Step | null;
  steps: Json<RotationStep[]>;
  waiting: MaybeJson<Waiting>;
  halt: MaybeJson<Halt>;
  refusal: MaybeJson<Refusal>;
  waived: Json<string[]>;
  requested_at: Time;
  completed_at: MaybeTime;
  seconds: number | null;
  keys_replaced: number | null;
  last_sequence: Generated<number>;
  last_event_at: Time;
  asked_by: string | null;
  asked_reason: string | null;
  asked_at: MaybeTime;
}

export interface RotationEventTable {
  account: string;
  sequence: number;
  rotation: string | null;
  at: Time;
  what: Json<What>;
  position: number;
}

export interface FeedTable {
  only_row: Generated<boolean>;
  position: number;
}

export interface ServiceLifeTable {
  service: string;
  started_at: Time;
  last_seen_at: Time;
}

export interface CommandTable {
  command_id: string;
  command: string;
  account: string | null;
  rotation: string | null;
  consumer: string | null;
  details: MaybeJson<object>;
  asked_by: string;
  reason: string | null;
  asked_at: Time;
  idempotency_key: string | null;
}

export interface ConsoleTables {
  account: AccountTable;
  declaration: DeclarationTable;
  account_key: AccountKeyTable;
  rotation: RotationTable;
  rotation_event: RotationEventTable;
  feed: FeedTable;
  service_life: ServiceLifeTable;
  command: CommandTable;
}
