-- What the console knows, all of it heard from others. Every column group carries the number that its sender
-- counts with (version, generation, sequence), so that the order of arrival decides nothing.

create table account (
  account          text primary key,
  name             text not null,
  -- account-declared and account-withdrawn, under the scheduler's version
  settings         jsonb,
  settings_version bigint not null default 0,
  next_due_at      timestamptz,
  withdrawn_at     timestamptz,
  withdrawn_reason text,
  -- consumers-changed, under the notifier's version
  consumers         jsonb,
  consumers_version bigint not null default 0,
  -- published, under the generation
  published_slot        text,
  published_generation  bigint not null default 0,
  published_fingerprint text,
  published_at          timestamptz,
  -- drift, under the sequence
  drift          jsonb,
  drift_sequence bigint not null default 0
);

create index account_name on account (name);

-- Every fingerprint an account's slots are known to have had. `named_sequence` is the newest event that says
-- "the slot holds this one"; the newest named of a slot is its key, unless it was retired.
create table account_key (
  account        text not null references account,
  slot           text not null,
  fingerprint    text not null,
  named_sequence bigint not null default 0,
  retired_at     timestamptz,
  retired_by     text,
  primary key (account, slot, fingerprint)
);

-- Derived anew from a rotation's events whenever one arrives; `asked_…` is what was asked through this console.
create table rotation (
  rotation      text primary key,
  account       text not null references account,
  state         text not null,
  requested_by  text,
  reason        text,
  step          text,
  steps         jsonb not null default '[]',
  waiting       jsonb,
  halt          jsonb,
  refusal       jsonb,
  waived        jsonb not null default '[]',
  requested_at  timestamptz not null,
  completed_at  timestamptz,
  seconds       double precision,
  keys_replaced integer,
  last_sequence bigint not null default 0,
  last_event_at timestamptz not null,
  asked_by      text,
  asked_reason  text,
  asked_at      timestamptz
);

create index rotation_of_account on rotation (account, requested_at desc);
create index rotation_newest on rotation (requested_at desc, rotation);
create index rotation_open on rotation (account) where state in ('running', 'waiting', 'halted');

create table rotation_event (
  account  text not null references account,
  sequence bigint not null,
  rotation text,
  at       timestamptz not null,
  what     jsonb not null,
  position bigint not null unique,
  primary key (account, sequence)
);

create index rotation_event_of_rotation on rotation_event (rotation, sequence);

-- Positions are handed out under the lock of this one row, held until commit: a reader that saw position n will
-- never be shown a smaller one later. A sequence would not promise that, and streams would skip events.
create table feed (
  only_row boolean primary key default true check (only_row),
  position bigint not null
);

insert into feed (position) values (0);

create table service_life (
  service      text primary key,
  started_at   timestamptz not null,
  last_seen_at timestamptz not null
);

-- The audit of everything that was asked over the API.
create table command (
  command_id      uuid primary key,
  command         text not null,
  account         text,
  rotation        text,
  consumer        text,
  details         jsonb,
  asked_by        text not null,
  reason          text,
  asked_at        timestamptz not null,
  idempotency_key text unique
);

create index command_newest on command (asked_at desc);
