-- Names carry no schema: search_path points at the notifier's own one.

-- An account and its key switch. The row exists before anything is published, because registering instances lock
-- it to learn the published generation: see the comment in register.ts.
create table account (
  account          text primary key,
  name             text not null,
  -- Where the scheduler said the secret lives; null while only a switch request made the account known.
  secret           json,
  declared_version bigint not null default 0,
  withdrawn        boolean not null default false,
  -- The published generation as far as the rotator told us; the same number as in the switch.
  generation       integer not null default 0,
  switch           json,
  traceparent      text,
  -- When somebody should look at the account although nobody said anything; null: never.
  look_at          timestamptz,
  report_at        timestamptz,
  reported_version bigint not null default 0,
  reported         text
) with (fillfactor = 60);

create index account_by_name on account (name);
create index account_to_look_at on account (look_at) where look_at is not null;

create table consumer (
  consumer      text primary key,
  registered_at timestamptz not null default clock_timestamp()
);

-- A heartbeat touches seen_at and lease_until only, which no index covers: a HOT update on its own page.
-- look_at is when the lease is worth a look; it moves about once per lease, not with every heartbeat.
create table instance (
  instance      text primary key,
  consumer      text not null references consumer,
  name          text not null,
  boot          uuid not null,
  channel       text not null,
  registered_at timestamptz not null,
  seen_at       timestamptz not null,
  lease_until   timestamptz not null,
  -- When its silence was noticed; null: it is not known to be silent.
  lapsed_at     timestamptz,
  look_at       timestamptz not null
) with (fillfactor = 50);

create index instance_to_look_at on instance (look_at);

-- What one instance said about one account.
create table membership (
  account         text not null references account,
  instance        text not null references instance on delete cascade,
  acknowledged    integer not null default 0,
  acknowledged_at timestamptz,
  drained_at      timestamptz,
  primary key (account, instance)
) with (fillfactor = 70);

create index membership_by_instance on membership (instance);

-- "Somebody said something about this account, look again." Appending waits for nobody, so that a thousand
-- acknowledgements of one account do not queue for its row; whoever looks takes the rows it can see, and what
-- commits while it looks is still there for the next look.
create table nudge (
  id      bigint generated always as identity primary key,
  account text not null
);

create index nudge_by_account on nudge (account);
