-- How many keys and tokens an instance had shown the account when that was looked at last, and when the number was
-- last seen to grow. null: it has never said.
alter table membership add column shown bigint;
alter table membership add column shown_at timestamptz;

-- What instances that are gone had told: one that ran yesterday and comes back tomorrow may still need the key.
create table past_use (
  account        text not null,
  consumer       text not null,
  left_at        timestamptz not null,
  -- The last time that any of them is known to have shown a key.
  shown_at       timestamptz,
  -- The last time that one left without ever having said what it used.
  silent_left_at timestamptz,
  primary key (account, consumer)
);

-- What was told of the use of each account's key, and when to look at it again.
create table account_use (
  account     text primary key references account,
  look_at     timestamptz not null default clock_timestamp(),
  reported    text,
  reported_at timestamptz,
  version     bigint not null default 0
) with (fillfactor = 60);

create index account_use_to_look_at on account_use (look_at);
