-- What the scheduler declared about each account: where its secret lives and its policy. The key rings
-- themselves are streams; this table is only looked up.
create table account (
  account     text primary key,
  version     bigint not null,
  settings    json not null,
  withdrawn   boolean not null default false,
  declared_at timestamptz not null default clock_timestamp()
);
