-- One row per account that is or was under care. What the judgement needs stands in the row, so that one claim
-- reads nothing else.
create table account (
  account           text primary key,
  listed            boolean not null,           -- named by the file or found by discovery
  presence          text not null check (presence in ('here', 'keys-disabled', 'gone', 'unread')),
  trouble           text,                       -- why it cannot be cared for, for people
  settings          jsonb,                      -- as declared; null: Azure has never answered about it
  schedule          jsonb not null,
  first_seen_at     timestamptz not null,
  last_completed_at timestamptz,
  heard             bigint not null default 0,  -- highest sequence among the rotator's events
  open_rotation     jsonb,
  look_at           timestamptz,                -- when to judge it again; null: when something is heard of it
  declared_version  bigint not null default 0,
  declared_at       timestamptz
) with (fillfactor = 60);

-- Only accounts that wait for a time are in it, and a tick reads it from the front: an idle tick costs the same
-- for ten accounts and for a million.
create index account_to_judge on account (look_at) where look_at is not null;

create index account_to_repeat on account (declared_at) where presence in ('here', 'keys-disabled');
